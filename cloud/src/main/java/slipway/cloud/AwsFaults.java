package slipway.cloud;

import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.util.function.Supplier;
import slipway.base.Cleanup;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.SdkException;

/** What the SDK throws, as sentences. */
final class AwsFaults {
  private static final int LONGEST = 300;

  private AwsFaults() {}

  /**
   * Calls AWS.
   *
   * @param what is done, such as {@code importing the snapshot}
   * @throws Problem of kind DENIED when AWS refuses, UNAVAILABLE when it cannot be reached
   */
  static <T> T call(String what, Supplier<T> call) {
    try {
      return call.get();
    } catch (SdkException e) {
      if (isInterruption(e)) {
        Thread.currentThread().interrupt();
        throw new Problem(Problem.Kind.ENVIRONMENT, what + " was interrupted", e);
      }
      throw e instanceof AwsServiceException service ? refused(what, service) : unreached(what, e);
    }
  }

  /** The SDK says so in its own way, or, while it reads an answer, only by a cause. */
  private static boolean isInterruption(SdkException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof AbortedException
          || cause instanceof InterruptedException
          || cause instanceof ClosedByInterruptException
          || (cause instanceof InterruptedIOException
              && !(cause instanceof SocketTimeoutException))) {
        return true;
      }
    }
    return Thread.currentThread().isInterrupted();
  }

  /**
   * Takes away what was made, also from a thread that was interrupted; what stays is told, since
   * somebody pays for it.
   *
   * @param thing with its name
   */
  static Cleanup undone(String thing, Progress progress, Runnable call) {
    return Cleanup.register(
        thing,
        () -> {
          // The SDK calls nobody for such a thread.
          boolean interrupted = Thread.interrupted();
          try {
            call(
                "removing " + thing,
                () -> {
                  call.run();
                  return true;
                });
          } catch (Problem e) {
            progress.note(e.getMessage() + "; remove it yourself");
          } finally {
            if (interrupted) {
              Thread.currentThread().interrupt();
            }
          }
        });
  }

  private static Problem refused(String what, AwsServiceException e) {
    String code = e.awsErrorDetails() == null ? "" : e.awsErrorDetails().errorCode();
    String text = e.awsErrorDetails() == null ? e.getMessage() : e.awsErrorDetails().errorMessage();
    Problem.Kind kind = e.statusCode() >= 500 ? Problem.Kind.UNAVAILABLE : Problem.Kind.DENIED;
    String said = text == null || text.isBlank() ? "status " + e.statusCode() : text;
    return new Problem(
        kind,
        what
            + ": AWS says "
            + shown(said)
            + (code == null || code.isEmpty() ? "" : " (" + shown(code) + ")"),
        e);
  }

  private static Problem unreached(String what, SdkException e) {
    String text = String.valueOf(e.getMessage());
    if (text.startsWith("Unable to load credentials")) {
      return new Problem(
          Problem.Kind.DENIED,
          what
              + ": there are no credentials for AWS; set AWS_PROFILE and have ~/.aws, or set"
              + " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
          e);
    }
    Throwable inner = e.getCause() == null ? e : e.getCause();
    return Problem.unavailable(
        what + ": AWS cannot be reached: " + shown(String.valueOf(inner.getMessage())), e);
  }

  private static String shown(String text) {
    String line = Printable.text(text.strip().replaceAll("\\s+", " "));
    return line.length() > LONGEST ? line.substring(0, LONGEST) + " ..." : line;
  }
}
