package slipway.media.kickstart;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Spelling;

/**
 * Deals words to options and arguments as Python's argparse does: abbreviated names, {@code
 * --name=value}, words between and behind options.
 */
final class ArgumentReader {
  private static final Pattern NEGATIVE = Pattern.compile("-\\d+|-\\d*\\.\\d+");

  private final KickstartVersion version;
  private final List<KickstartWord> words;
  private final Map<String, OptionSyntax> options = new LinkedHashMap<>();
  private final List<OptionSyntax> all;
  private final List<OptionSyntax> arguments = new ArrayList<>();
  private final OptionValues values = new OptionValues();
  private final Set<OptionSyntax> seen = new HashSet<>();
  private final List<KickstartWord> rest = new ArrayList<>();
  private final List<OptionSyntax> deprecated = new ArrayList<>();
  private final List<Use> uses = new ArrayList<>();

  /** What a word is: O an option, A an argument, - the two dashes that end options. */
  private final StringBuilder kinds = new StringBuilder();

  /**
   * What became of the words.
   *
   * @param rest words that nothing takes
   * @param deprecated options that do nothing any more, for each use
   */
  record Read(OptionValues values, List<KickstartWord> rest, List<OptionSyntax> deprecated) {}

  /** A word that is an option, one that is unknown when there is no syntax. */
  private record Use(@Nullable OptionSyntax option, String name, @Nullable String value) {}

  private ArgumentReader(
      List<OptionSyntax> all, List<KickstartWord> words, KickstartVersion version) {
    this.version = version;
    this.words = words;
    this.all = all;
    for (OptionSyntax option : all) {
      if (option.isOption()) {
        option.names().forEach(name -> options.put(name, option));
      } else {
        arguments.add(option);
      }
      if (option.initial() != null && !values.has(option.value())) {
        values.put(option.value(), option.initial());
      }
    }
  }

  /**
   * Reads the words behind a command's name.
   *
   * @throws KickstartFault with argparse's words
   */
  static Read read(CommandSyntax syntax, List<KickstartWord> words, KickstartVersion version)
      throws KickstartFault {
    return read(syntax.options(version), words, version);
  }

  static Read read(List<OptionSyntax> options, List<KickstartWord> words, KickstartVersion version)
      throws KickstartFault {
    return new ArgumentReader(options, words, version).read();
  }

  /** What argparse says of words that nothing takes; their first is where the fault is. */
  static KickstartFault unrecognized(
      CommandSyntax syntax, List<KickstartWord> rest, KickstartVersion version) {
    String all = String.join(" ", rest.stream().map(KickstartWord::text).toList());
    return new KickstartFault(
        "unrecognized arguments: " + all,
        rest.getFirst().index(),
        hint(syntax, rest.getFirst().text(), version));
  }

  /** What a misspelt option was meant to be, if that can be guessed. */
  static String hint(CommandSyntax syntax, String word, KickstartVersion version) {
    if (!word.startsWith("--")) {
      return "";
    }
    List<String> known =
        syntax.options(version).stream()
            .filter(OptionSyntax::isOption)
            .flatMap(option -> option.names().stream())
            .toList();
    String name = word.contains("=") ? word.substring(0, word.indexOf('=')) : word;
    String hint = Spelling.hint(name, known, "");
    return hint.isEmpty() ? "" : hint.substring(2);
  }

  private Read read() throws KickstartFault {
    boolean ended = false;
    for (KickstartWord word : words) {
      Use use = null;
      if (!ended && word.text().equals("--")) {
        ended = true;
        kinds.append('-');
      } else {
        use = ended ? null : classify(word);
        kinds.append(use == null ? 'A' : 'O');
      }
      uses.add(use == null ? new Use(null, "", null) : use);
    }
    deal();
    requireAll();
    return new Read(values, rest, deprecated);
  }

  /** The option that a word is, or null when it is an argument. */
  private @Nullable Use classify(KickstartWord word) throws KickstartFault {
    String text = word.text();
    if (!text.startsWith("-")) {
      return null;
    }
    Use use = known(word);
    if (use != null) {
      if (use.option() != null && use.option().deprecated().contains(version)) {
        deprecated.add(use.option());
      }
      return use;
    }
    if (text.length() == 1 || NEGATIVE.matcher(text).matches() || text.contains(" ")) {
      return null;
    }
    return new Use(null, text, null);
  }

  private @Nullable Use known(KickstartWord word) throws KickstartFault {
    String text = word.text();
    OptionSyntax exact = options.get(text);
    if (exact != null) {
      return new Use(exact, text, null);
    }
    int equals = text.indexOf('=');
    String name = equals < 0 ? text : text.substring(0, equals);
    String value = equals < 0 ? null : text.substring(equals + 1);
    OptionSyntax named = options.get(name);
    if (named != null) {
      return new Use(named, name, value);
    }
    if (!text.startsWith("--")) {
      return null;
    }
    List<String> matches = options.keySet().stream().filter(o -> o.startsWith(name)).toList();
    if (matches.size() > 1) {
      throw new KickstartFault(
          "ambiguous option: " + text + " could match " + String.join(", ", matches),
          word.index(),
          "write one of them in full");
    }
    String match = matches.isEmpty() ? "" : matches.getFirst();
    return matches.isEmpty() ? null : new Use(options.get(match), match, value);
  }

  private void deal() throws KickstartFault {
    int last = kinds.lastIndexOf("O");
    int at = 0;
    while (at <= last) {
      int next = kinds.indexOf("O", at);
      if (next != at) {
        int end = takeArguments(at);
        if (end > at) {
          at = end;
          continue;
        }
        rest.addAll(words.subList(at, next));
        at = next;
      }
      at = takeOption(at);
    }
    rest.addAll(words.subList(takeArguments(at), words.size()));
  }

  private int takeOption(int at) throws KickstartFault {
    Use use = uses.get(at);
    OptionSyntax option = use.option();
    if (option == null) {
      rest.add(words.get(at));
      return at + 1;
    }
    int index = words.get(at).index();
    if (use.value() != null) {
      if (!option.kind().takesValue()) {
        throw option.fault("ignored explicit argument " + PythonText.repr(use.value())).at(index);
      }
      take(option, use.value(), index);
      return at + 1;
    }
    boolean follows = at + 1 < kinds.length() && kinds.charAt(at + 1) == 'A';
    if (!option.kind().takesValue() || option.kind() == ValueKind.MAYBE && !follows) {
      takeFlag(option, index);
      return at + 1;
    }
    if (!follows) {
      throw option.fault("expected one argument").at(index);
    }
    take(option, words.get(at + 1).text(), words.get(at + 1).index());
    return at + 2;
  }

  private void takeFlag(OptionSyntax option, int index) {
    seen.add(option);
    switch (option.kind()) {
      case OFF -> values.put(option.value(), false, index);
      case CONST -> values.put(option.value(), option.constant(), index);
      case ADDS -> values.add(option.value(), List.of(option.constant()), index);
      default -> values.put(option.value(), true, index);
    }
  }

  private void take(OptionSyntax option, String text, int index) throws KickstartFault {
    seen.add(option);
    Object value;
    try {
      value = option.kind().read(option, text, version);
    } catch (KickstartFault fault) {
      throw fault.at(index);
    }
    if (option.kind().adds() && value instanceof List<?> list) {
      values.add(option.value(), list.stream().map(String.class::cast).toList(), index);
    } else {
      values.put(option.value(), value, index);
    }
  }

  /** Gives arguments their words, as many arguments as find theirs, and tells where it ended. */
  private int takeArguments(int from) throws KickstartFault {
    int at = from;
    while (!arguments.isEmpty()) {
      OptionSyntax argument = arguments.getFirst();
      int end = end(argument, at);
      if (end < 0) {
        break;
      }
      arguments.removeFirst();
      take(argument, at, end);
      at = end;
    }
    return at;
  }

  /** Where the words of an argument end, or -1 when there are too few. */
  private int end(OptionSyntax argument, int from) {
    boolean any = argument.count() == OptionSyntax.Count.ANY;
    int at = dashes(from);
    while (at < kinds.length() && kinds.charAt(at) == 'A') {
      at = dashes(at + 1);
      if (!any) {
        return at;
      }
    }
    return argument.mustBeThere() ? -1 : at;
  }

  private int dashes(int from) {
    int at = from;
    while (at < kinds.length() && kinds.charAt(at) == '-') {
      at++;
    }
    return at;
  }

  private void take(OptionSyntax argument, int from, int to) throws KickstartFault {
    seen.add(argument);
    List<KickstartWord> taken = new ArrayList<>(words.subList(from, to));
    int dashes = kinds.substring(from, to).indexOf('-');
    if (dashes >= 0) {
      taken.remove(dashes);
    }
    if (argument.count() == OptionSyntax.Count.ANY) {
      int index = taken.isEmpty() ? -1 : taken.getFirst().index();
      values.put(argument.value(), taken.stream().map(KickstartWord::text).toList(), index);
    } else if (!taken.isEmpty()) {
      take(argument, taken.getFirst().text(), taken.getFirst().index());
    }
  }

  private void requireAll() throws KickstartFault {
    List<String> labels = new ArrayList<>();
    for (OptionSyntax option : all) {
      if (option.mustBeThere() && !seen.contains(option)) {
        labels.add(option.label());
      }
    }
    if (!labels.isEmpty()) {
      throw new KickstartFault(
          "the following arguments are required: " + String.join(", ", labels));
    }
  }
}
