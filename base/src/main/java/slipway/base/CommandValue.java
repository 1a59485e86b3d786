package slipway.base;

import java.util.function.Supplier;

/** Values of a command line whose grammar others know, who cannot know where a value came from. */
public final class CommandValue {
  private CommandValue() {}

  /**
   * Takes a value.
   *
   * @param option that it was given with, for the sentence, such as {@code --tag}
   * @param parse gives it, or throws a problem with its form
   * @throws Problem of kind USAGE
   */
  public static <T> T of(String option, Supplier<T> parse) {
    try {
      return parse.get();
    } catch (Problem e) {
      String sentence = e.sentence();
      throw new Problem(
          Problem.Kind.USAGE, sentence.startsWith(option) ? sentence : option + ": " + sentence, e);
    }
  }

  /** As {@link #of}, for a check that gives nothing. */
  public static void require(String option, Runnable check) {
    of(
        option,
        () -> {
          check.run();
          return true;
        });
  }
}
