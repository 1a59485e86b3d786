package slipway.base;

import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** A file system or quota that took no more, and the sentence for it. */
public final class FullDisk {
  /**
   * As the C library words ENOSPC and EDQUOT in English; the JDK hands on the words alone. The
   * launchers ask for English in any locale (LC_MESSAGES).
   */
  private static final Pattern WORDS =
      Pattern.compile("No space left on device|[Dd]isk quota exceeded");

  private FullDisk() {}

  /** Whether a failure, or what it came of, is that nothing more could be written. */
  public static boolean isCauseOf(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t instanceof IOException && isSaidIn(String.valueOf(t.getMessage()))) {
        return true;
      }
    }
    return false;
  }

  /** Whether a message says so, be it one of the system or of a tool. */
  public static boolean isSaidIn(String message) {
    return WORDS.matcher(message).find();
  }

  /**
   * What to tell of a failure to write the state of a command.
   *
   * @param where the folder that was written to
   * @param failure whose own message is told when the disk was not full
   */
  public static String tell(Path where, Throwable failure) {
    return isCauseOf(failure) ? sentence(where) : String.valueOf(failure.getMessage());
  }

  /** That a folder of the state has no room, and what to do. */
  public static String sentence(Path where) {
    return "no space is left on the file system of "
        + where
        + "; make room there, for example with slipway system prune, or keep the state elsewhere"
        + " with --root";
  }
}
