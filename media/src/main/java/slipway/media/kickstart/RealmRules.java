package slipway.media.kickstart;

import java.util.List;
import java.util.stream.Stream;

/** The words of {@code realm join}, which Python's getopt reads. */
final class RealmRules {
  private static final List<String> WITH_VALUE =
      List.of(
          "client-software",
          "server-software",
          "membership-software",
          "one-time-password",
          "computer-ou");
  private static final List<String> FLAGS = List.of("no-password");

  private RealmRules() {}

  static void check(CommandUse use) throws KickstartFault {
    List<KickstartWord> words = KickstartWord.split(use.tail(), false);
    if (words.isEmpty()) {
      throw new KickstartFault("Missing realm command arguments");
    }
    if (!words.getFirst().text().equals("join")) {
      throw new KickstartFault("Unsupported realm '" + words.getFirst().text() + "' command");
    }
    int at = 1;
    while (at < words.size() && words.get(at).text().startsWith("-")) {
      String word = words.get(at).text();
      at++;
      if (word.equals("-")) {
        at--;
        break;
      }
      if (word.equals("--")) {
        break;
      }
      at += option(word, at < words.size());
    }
    if (words.size() - at != 1) {
      throw new KickstartFault("Specify only one realm to join");
    }
    use.values().put("realm", words.get(at).text());
  }

  /** Reads an option, and tells how many words behind it are its value. */
  private static int option(String word, boolean more) throws KickstartFault {
    String invalid = "Invalid realm arguments: option ";
    if (!word.startsWith("--")) {
      throw new KickstartFault(invalid + "-" + word.charAt(1) + " not recognized");
    }
    int equals = word.indexOf('=');
    String name = word.substring(2, equals < 0 ? word.length() : equals);
    List<String> all =
        Stream.concat(WITH_VALUE.stream(), FLAGS.stream())
            .filter(option -> option.startsWith(name))
            .toList();
    if (all.isEmpty()) {
      throw new KickstartFault(invalid + "--" + name + " not recognized");
    }
    if (all.size() > 1) {
      throw new KickstartFault(invalid + "--" + name + " not a unique prefix");
    }
    String option = all.getFirst();
    if (FLAGS.contains(option)) {
      if (equals >= 0) {
        throw new KickstartFault(invalid + "--" + option + " must not have an argument");
      }
      return 0;
    }
    if (equals < 0 && !more) {
      throw new KickstartFault(invalid + "--" + option + " requires argument");
    }
    return equals < 0 ? 1 : 0;
  }
}
