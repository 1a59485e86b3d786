/**
 * The server base on Jetty: nobody else names Jetty. {@link slipway.http.HttpServer} starts it with
 * {@link slipway.http.HttpOptions} and one {@link slipway.http.Handler}, usually a {@link
 * slipway.http.Router}.
 *
 * <pre>
 *  connection ─▶ ClientConnector      how many there may be, and who makes room for another
 *               ClientEndPoint        counts bytes, so that slow ones can be cut; sends files by
 *                 │                   sendfile(2)
 *                 ▼
 *               Jetty                 HTTP/1.1, bounds of headers
 *                 │ a virtual thread for each request
 *                 ▼
 *               Handler.handle(Request, Response)
 *                 │
 *               Router                first route that fits: "GET", /v2/{name...}/tags/list
 *                 ▼
 *               your handler          Response: header, status, end or write
 *
 *  thrown                answered
 *  HttpProblem           its status, headers and sentence
 *  another Problem       HttpProblem.of
 *  ConnectionLost        nothing: the connection is closed
 *  anything else         500, and an entry in the log slipway.http
 * </pre>
 *
 * {@link slipway.http.RangeContent} serves parts of a file, {@link slipway.http.ByteRanges} is what
 * was asked for.
 */
@org.jspecify.annotations.NullMarked
package slipway.http;
