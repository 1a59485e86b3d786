package slipway.http;

import java.io.IOException;

/**
 * Answers a request, blocking on a virtual thread. A handler that returns without an answer gives
 * an empty body with the status set so far; one that throws gives an error answer, or cuts the
 * connection when the answer had begun.
 */
@FunctionalInterface
public interface Handler {
  /**
   * @throws HttpProblem for an answer with that status
   * @throws slipway.base.Problem for an answer with a status after its kind
   * @throws ConnectionLost when the client went away, which Request and Response throw
   * @throws IOException when a disk fails or the like; the answer is 500 and the log has it
   */
  void handle(Request request, Response response) throws IOException;
}
