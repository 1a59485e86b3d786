package slipway.base;

import java.io.IOException;
import java.util.function.Consumer;

/**
 * What is done after a commit point: the change is made and stays, so a step that fails is told and
 * left to the next run.
 *
 * @param warnings takes one sentence for each step that failed
 */
public record AfterCommit(Consumer<String> warnings) {
  /** Something that may fail. */
  public interface Step {
    /** Does it. */
    void run() throws IOException;
  }

  /**
   * Takes a step.
   *
   * @param failed what to say when it fails, such as {@code old menus could not be removed}
   * @return whether it succeeded
   */
  public boolean attempt(String failed, Step step) {
    try {
      step.run();
      return true;
    } catch (IOException | RuntimeException e) {
      warnings.accept("warning: " + failed + ": " + FileReason.why(e));
      return false;
    }
  }
}
