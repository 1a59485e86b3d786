package slipway.build;

import slipway.base.Problem;

/**
 * A line of a Containerfile.
 *
 * @param file the name as the user gave it
 * @param line counted from 1
 */
record Position(String file, int line) {
  /** A mistake in this line, told as {@code Containerfile:7: message}. */
  Problem problem(String message) {
    return Problem.input(this + ": " + message);
  }

  @Override
  public String toString() {
    return file + ":" + line;
  }
}
