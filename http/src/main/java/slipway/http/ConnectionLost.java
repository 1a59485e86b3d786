package slipway.http;

import java.io.IOException;
import org.eclipse.jetty.io.QuietException;
import org.jspecify.annotations.Nullable;

/** The client went away, was idle too long, or sent less than it announced. Nobody's defect. */
public final class ConnectionLost extends IOException implements QuietException {
  private static final long serialVersionUID = 1L;

  ConnectionLost(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
