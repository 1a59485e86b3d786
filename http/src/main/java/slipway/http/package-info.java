/** The server base on Jetty: router, requests, responses. */
@org.jspecify.annotations.NullMarked
package slipway.http;
