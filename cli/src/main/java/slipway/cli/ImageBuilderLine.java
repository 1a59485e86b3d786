package slipway.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import slipway.cli.command.Version;

/**
 * The command line of {@code bootc-image-builder}, whose verb may be left out: it is {@code build}
 * then. Options that every verb has may stand in front of it.
 */
final class ImageBuilderLine {
  static final String NAME = "bootc-image-builder";

  private static final List<String> VERBS = List.of("build", "manifest");

  /** What is answered by the name alone. */
  private static final List<String> ANSWERS =
      List.of("version", "help", "completion", "--version", "--help", "-h");

  private ImageBuilderLine() {}

  /** The words with the verb in front. */
  static String[] complete(String[] args) {
    if (args.length == 0) {
      return args;
    }
    List<String> words = new ArrayList<>(Arrays.asList(args));
    int at = 0;
    while (at < words.size() && isGlobal(words.get(at))) {
      at += words.get(at).equals("--log-level") ? 2 : 1;
    }
    String word = at < words.size() ? words.get(at) : "";
    if (VERBS.contains(word)) {
      words.remove(at);
      words.addFirst(word);
    } else if (ANSWERS.contains(word)) {
      words.subList(0, at).clear();
    } else {
      words.addFirst(VERBS.getFirst());
    }
    return words.toArray(String[]::new);
  }

  private static boolean isGlobal(String word) {
    return word.equals("-v")
        || word.equals("--verbose")
        || word.equals("--log-level")
        || word.startsWith("--log-level=");
  }

  /** What {@code version} prints: the reference's three lines. */
  static String version() {
    return "build_revision: slipway-%s\nbuild_time: unknown\nbuild_tainted: unknown\n"
        .formatted(Version.text());
  }
}
