package slipway.builder.language;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.Position;
import slipway.base.Spelling;

/** The {@code --name=value} words between an instruction's keyword and its arguments. */
final class Flags {
  private final Position at;
  private final Map<String, List<String>> values;

  private Flags(Position at, Map<String, List<String>> values) {
    this.at = at;
    this.values = values;
  }

  /** An instruction's arguments cut into flags, quotes taken away, and all that follows. */
  record Split(List<String> flags, String rest) {}

  static Split split(String arguments) {
    List<String> flags = new ArrayList<>();
    String rest = arguments.stripLeading();
    while (rest.startsWith("--")) {
      int end = wordEnd(rest);
      String word = Words.unquote(rest.substring(0, end), '\\');
      rest = rest.substring(end).stripLeading();
      if (word.equals("--")) {
        break;
      }
      flags.add(word);
    }
    return new Split(flags, rest.strip());
  }

  private static int wordEnd(String text) {
    char quote = 0;
    int i = 0;
    for (; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quote == 0 && Character.isWhitespace(c)) {
        return i;
      }
      if (c == '\\') {
        i++;
      } else if (c == quote) {
        quote = 0;
      } else if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      }
    }
    return Math.min(i, text.length());
  }

  /**
   * Takes flags apart.
   *
   * @param single flags with one value
   * @param many flags that may come again
   * @param bool flags whose value is true, false or left out
   */
  static Flags of(
      Position at,
      String keyword,
      List<String> words,
      Set<String> single,
      Set<String> many,
      Set<String> bool) {
    Map<String, List<String>> values = new LinkedHashMap<>();
    for (String word : words) {
      int equals = word.indexOf('=');
      String name = equals < 0 ? word.substring(2) : word.substring(2, equals);
      boolean isBool = bool.contains(name);
      if (!isBool && !single.contains(name) && !many.contains(name)) {
        List<String> known = new ArrayList<>(single);
        known.addAll(many);
        known.addAll(bool);
        throw at.problem(
            "unknown flag --" + name + " of " + keyword + Spelling.hint(name, known, "--"));
      }
      if (equals < 0 && !isBool) {
        throw at.problem("the flag --" + name + " needs a value: --" + name + "=VALUE");
      }
      List<String> list = values.computeIfAbsent(name, n -> new ArrayList<>());
      if (!list.isEmpty() && !many.contains(name)) {
        throw at.problem("the flag --" + name + " stands here twice");
      }
      list.add(equals < 0 ? "true" : word.substring(equals + 1));
    }
    return new Flags(at, values);
  }

  @Nullable String get(String name) {
    List<String> list = values.get(name);
    return list == null ? null : list.getFirst();
  }

  String get(String name, String otherwise) {
    String value = get(name);
    return value == null ? otherwise : value;
  }

  List<String> all(String name) {
    return values.getOrDefault(name, List.of());
  }

  boolean has(String name) {
    return values.containsKey(name);
  }

  boolean isTrue(String name) {
    String value = get(name, "false");
    return switch (value.toLowerCase(java.util.Locale.ROOT)) {
      case "true", "1" -> true;
      case "false", "0" -> false;
      default ->
          throw at.problem("the flag --" + name + " is true or false, not \"" + value + "\"");
    };
  }
}
