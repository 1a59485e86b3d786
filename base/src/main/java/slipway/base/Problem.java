package slipway.base;

import org.jspecify.annotations.Nullable;

/**
 * Something a user can be told in one sentence: what is wrong, where, and what to do about it. The
 * command line prints the message and ends with {@link Kind#exitCode()}; everything else that
 * escapes is a defect of ours.
 */
public class Problem extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Characters of a sentence: a path of Linux fits. It may quote what a stranger wrote, and nobody
   * reads a megabyte of that.
   */
  private static final int MAX_SENTENCE = 5000;

  /** Characters of its end that stay when it is longer: what to do stands there. */
  private static final int END = 500;

  /** What sort of problem it is; decides the exit code and whether trying again can help. */
  public enum Kind {
    /** The command line itself is wrong. */
    USAGE(2),
    /** A file or value that the user gave is wrong. */
    INPUT(1),
    /** Something that was named does not exist. */
    NOT_FOUND(1),
    /** Credentials or permissions are refused or missing. */
    DENIED(1),
    /** A peer or a resource does not answer now; trying again may help. */
    UNAVAILABLE(1),
    /** Data is not what its digest or its format says. */
    CORRUPT(1),
    /** The file system that shall hold something has no room for it. */
    FULL(1),
    /** The machine lacks something else: a tool, a kernel feature, privilege. */
    ENVIRONMENT(1);

    private final int exitCode;

    Kind(int exitCode) {
      this.exitCode = exitCode;
    }

    /** The exit code of the process: 2 for usage, 1 for all else. */
    public int exitCode() {
      return exitCode;
    }
  }

  private final Kind kind;
  private final String details;
  private final boolean changed;

  public Problem(Kind kind, String message) {
    this(kind, message, null);
  }

  public Problem(Kind kind, String message, @Nullable Throwable cause) {
    super(bounded(message), cause);
    this.kind = kind;
    this.details = "";
    this.changed = false;
  }

  private Problem(Problem problem, String details, boolean changed) {
    super(problem.sentence(), problem.getCause() == null ? problem : problem.getCause());
    this.kind = problem.kind;
    this.details = details;
    this.changed = changed;
  }

  private static String bounded(String sentence) {
    int length = sentence.length();
    if (length <= MAX_SENTENCE) {
      return sentence;
    }
    return sentence.substring(0, whole(sentence, MAX_SENTENCE - END))
        + " … "
        + sentence.substring(whole(sentence, length - END));
  }

  /** This place, or the one before it where that is within a surrogate pair. */
  private static int whole(String text, int at) {
    return Character.isSurrogatePair(text.charAt(at - 1), text.charAt(at)) ? at - 1 : at;
  }

  /**
   * The same with what somebody else said about it, such as the end of a tool's output: lines that
   * are shown below the sentence, each marked as not ours.
   */
  public Problem withDetails(String lines) {
    return lines.isBlank() ? this : new Problem(this, lines.strip(), changed);
  }

  /** The same, met when something was changed already: its sentence says what. */
  public Problem afterChange() {
    return changed ? this : new Problem(this, details, true);
  }

  /** Whether something was changed before it was met, so that it is no refusal. */
  public boolean isAfterChange() {
    return changed;
  }

  /** What somebody else said about it, lines; empty when nobody did. */
  public String details() {
    return details;
  }

  /** The sentence alone. */
  public String sentence() {
    return String.valueOf(super.getMessage());
  }

  /** The sentence, and the details in lines of their own. */
  @Override
  public String getMessage() {
    return details.isEmpty() ? sentence() : sentence() + "\n" + details;
  }

  public Kind kind() {
    return kind;
  }

  public static Problem usage(String message) {
    return new Problem(Kind.USAGE, message);
  }

  public static Problem input(String message) {
    return new Problem(Kind.INPUT, message);
  }

  public static Problem notFound(String message) {
    return new Problem(Kind.NOT_FOUND, message);
  }

  public static Problem denied(String message) {
    return new Problem(Kind.DENIED, message);
  }

  public static Problem unavailable(String message, @Nullable Throwable cause) {
    return new Problem(Kind.UNAVAILABLE, message, cause);
  }

  public static Problem corrupt(String message) {
    return new Problem(Kind.CORRUPT, message);
  }

  public static Problem full(String message) {
    return new Problem(Kind.FULL, message);
  }

  public static Problem environment(String message) {
    return new Problem(Kind.ENVIRONMENT, message);
  }
}
