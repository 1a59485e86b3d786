package slipway.base;

/**
 * A line of a Containerfile.
 *
 * @param file the name as the user gave it
 * @param line counted from 1
 */
public record Position(String file, int line) {
  /** A mistake in this line, told as {@code Containerfile:7: message}. */
  public Problem problem(String message) {
    return Problem.input(this + ": " + message);
  }

  @Override
  public String toString() {
    return file + ":" + line;
  }
}
