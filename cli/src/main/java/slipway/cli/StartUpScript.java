package slipway.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What {@code ./slipway} must know of a command before a JVM runs, as a script for sh: from {@code
 * $verb} and {@code $word}, the first two words of a command line, it sets {@code arguments}, the
 * name of the JVM's options ({@code quick}, {@code run}, {@code serve}), and {@code tools} to
 * {@code yes} where programs of the system are needed.
 */
final class StartUpScript {
  /** What every program answers without looking at its commands; nothing is --help, too. */
  static final List<String> ANSWERS =
      List.of("", "--version", "-V", "-v", "version", "--help", "-h", "help");

  private static final Program BUILDER = Program.BOOTC_IMAGE_BUILDER;

  private StartUpScript() {}

  static String text() {
    List<String> quick = new ArrayList<>();
    for (Program program : Program.values()) {
      ANSWERS.stream()
          .filter(word -> !isBuild(program, word))
          .forEach(word -> quick.add(pattern(program, word)));
      quick.addAll(patterns(program, v -> v.startUp() == Verb.StartUp.QUICK));
    }
    List<String> serve =
        Program.SLIPWAY.verbs().stream()
            .filter(verb -> verb.startUp() == Verb.StartUp.SERVE)
            .map(verb -> "'" + verb.word() + " serve'")
            .toList();
    List<String> none = new ArrayList<>(patterns(BUILDER, v -> v.needs() == Verb.Needs.NOTHING));
    ANSWERS.stream()
        .filter(word -> !isBuild(BUILDER, word))
        .forEach(word -> none.add(pattern(BUILDER, word)));
    List<String> tools =
        Stream.of(Program.values())
            .flatMap(program -> patterns(program, v -> v.needs() == Verb.Needs.TOOLS).stream())
            .toList();
    return """
        # Made of slipway.cli.Verb.
        case "$verb $word" in
          %s) arguments=serve ;;
          %s) arguments=quick ;;
          *) arguments=run ;;
        esac
        case "$verb $word" in
          %s) tools=no ;;
          %s | '%s '*) tools=yes ;;
          *) tools=no ;;
        esac
        """
        .formatted(
            String.join(" | ", serve),
            String.join(" | ", quick),
            String.join(" | ", none),
            String.join(" | ", tools),
            BUILDER.word());
  }

  /** The verb build may be left out, and {@code -v} is an option of it. */
  private static boolean isBuild(Program program, String word) {
    return program == BUILDER && (word.equals("-v") || word.equals("-V"));
  }

  private static List<String> patterns(Program program, Predicate<Verb> which) {
    return program.verbs().stream()
        .filter(which)
        .flatMap(verb -> verb.words().stream())
        .map(word -> pattern(program, word))
        .toList();
  }

  /** The other programs' words come second. */
  private static String pattern(Program program, String word) {
    return program == Program.SLIPWAY
        ? "'" + word + " '*"
        : "'" + program.word() + " " + word + "'";
  }
}
