package slipway.base;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A file system or quota that took no more, and the sentence for it. */
public final class FullDisk {
  /**
   * As the C library words ENOSPC and EDQUOT in English; the JDK hands on the words alone. The
   * launchers ask for English in any locale (LC_MESSAGES).
   */
  private static final Pattern WORDS =
      Pattern.compile("No space left on device|[Dd]isk quota exceeded");

  /** Of a write by a descriptor, which knows no file. */
  private static final Pattern NAMELESS = Pattern.compile("(write fd \\d+: )?(" + WORDS + ")");

  /** Of a call that was told the whole path. */
  private static final Pattern NAMED = Pattern.compile("\\w+ (/[^\0]*): (?:" + WORDS + ")");

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
    return isCauseOf(failure) ? ofState(where) : String.valueOf(failure.getMessage());
  }

  /** That a folder of the state has no room, and what to do. */
  public static String ofState(Path where) {
    return noRoom(where)
        + ", for example with slipway system prune, or keep the state elsewhere with --root";
  }

  /** That a file or folder has no room, and what to do. */
  public static String sentence(Path where) {
    return noRoom(where) + (isTemporary(where) ? " or let TMPDIR name another folder" : "");
  }

  private static String noRoom(Path where) {
    return "no space is left on the file system of " + where + "; make room there";
  }

  /** That a file system has room for bytes and none for files, and what to do. */
  public static String ofInodes(Path where) {
    return "the file system of "
        + where
        + " has no inodes left, of which each file takes one, though it has room for bytes; remove"
        + " files there";
  }

  /** What could not be written, where the failure names it. */
  public static Optional<Path> written(IOException failure) {
    if (failure instanceof FileSystemException f && f.getFile() != null) {
      // Of a copy it is the other file that was written.
      return Optional.of(Path.of(f.getOtherFile() == null ? f.getFile() : f.getOtherFile()));
    }
    Matcher named = NAMED.matcher(String.valueOf(failure.getMessage()));
    return named.matches() ? Optional.of(Path.of(named.group(1))) : Optional.empty();
  }

  /** Whether it is a folder for temporary files or something of ours in one. */
  private static boolean isTemporary(Path where) {
    Path absolute = where.toAbsolutePath();
    return TemporaryFiles.folders().stream()
        .filter(absolute::startsWith)
        .map(folder -> folder.relativize(absolute).toString())
        .anyMatch(name -> name.isEmpty() || name.startsWith("slipway-"));
  }

  /** Whether it is not the file system that is full. */
  private static boolean isQuota(IOException failure) {
    return String.valueOf(failure.getMessage()).contains("quota exceeded");
  }

  /**
   * What to tell of a full disk that nobody has worded, with the file where the failure names it.
   *
   * @param failure of which {@link #isCauseOf} holds
   */
  public static String sentence(IOException failure) {
    Optional<Path> written = written(failure);
    if (written.isPresent()) {
      return isQuota(failure)
          ? "the disk quota for "
              + written.get()
              + " is used up; remove files there, or have it raised"
          : sentence(written.get());
    }
    String text = String.valueOf(failure.getMessage());
    return NAMELESS.matcher(text).matches()
        ? "no space is left on a file system that this writes to, that of its result or that of"
            + " temporary files "
            + TemporaryFiles.folders()
            + "; make room there"
        : text + "; make room on that file system";
  }
}
