package slipway.http;

import java.util.Map;
import slipway.base.Problem;

/** A refusal with an HTTP status of its own (RFC 9110 section 15) and, where one helps, headers. */
public class HttpProblem extends Problem {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final transient Map<String, String> headers;

  public HttpProblem(int status, String message) {
    this(status, message, Map.of());
  }

  /**
   * @param headers sent with the answer, such as {@code Allow} with 405
   */
  public HttpProblem(int status, String message, Map<String, String> headers) {
    super(kind(status), message);
    this.status = status;
    this.headers = Map.copyOf(headers);
  }

  public int status() {
    return status;
  }

  /** Media type of {@link #body}. */
  public String contentType() {
    return "text/plain;charset=utf-8";
  }

  /** What the answer says; the message as a line of text unless a subclass has a form for it. */
  public String body() {
    return getMessage() + "\n";
  }

  public Map<String, String> headers() {
    return headers;
  }

  private static Kind kind(int status) {
    return switch (status) {
      case 401, 403 -> Kind.DENIED;
      case 404, 410 -> Kind.NOT_FOUND;
      case 429, 502, 503, 504 -> Kind.UNAVAILABLE;
      default -> status >= 500 ? Kind.ENVIRONMENT : Kind.INPUT;
    };
  }

  /** The answer that tells a problem; what is corrupt is ours, unless a handler says otherwise. */
  public static HttpProblem of(Problem problem) {
    if (problem instanceof HttpProblem told) {
      return told;
    }
    int status =
        switch (problem.kind()) {
          case USAGE, INPUT -> 400;
          case NOT_FOUND -> 404;
          case DENIED -> 403;
          case UNAVAILABLE -> 503;
          case CORRUPT, ENVIRONMENT -> 500;
          case FULL -> 507;
        };
    return new HttpProblem(status, String.valueOf(problem.getMessage()));
  }
}
