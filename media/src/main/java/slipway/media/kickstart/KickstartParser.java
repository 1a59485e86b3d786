package slipway.media.kickstart;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.FileReason;
import slipway.base.Problem;
import slipway.base.Spelling;

/**
 * Reads kickstart files as pykickstart does, and tells all that is wrong with one, not the first
 * alone. Nothing of a file is run, and no address in it is asked.
 */
public final class KickstartParser {
  /** Files that include each other. */
  private static final int MOST_DEPTH = 10;

  /** Files that are included in all. */
  private static final int MOST_FILES = 200;

  private static final int MOST_LINES = 200_000;

  /** Characters of a line outside of sections. */
  private static final int LONGEST = 1 << 16;

  private static final int MOST_FINDINGS = 1000;

  private final KickstartVersion version;
  private final KickstartSource source;
  private final List<KickstartItem> items = new ArrayList<>();
  private final List<KickstartFinding> findings = new ArrayList<>();

  /** Commands that stand in the file, by their first names. */
  private final Set<String> seen = new HashSet<>();

  /** What commands that stand once said so far. */
  private final Map<String, OptionValues> earlier = new HashMap<>();

  private final Set<List<String>> once = new HashSet<>();
  private final Set<String> conflicts = new HashSet<>();
  private final List<String> including = new ArrayList<>();
  private int files;
  private int lines;

  private KickstartParser(KickstartVersion version, KickstartSource source) {
    this.version = version;
    this.source = source;
  }

  /**
   * Reads a file, and those that it includes from beneath its folder.
   *
   * @throws Problem when it is no regular file, too large or not UTF-8
   */
  public static KickstartFile parse(Path file, KickstartVersion version) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    return parse(KickstartSource.main(file), folder, version);
  }

  /**
   * Reads a file, and those that it includes from beneath a folder in which it lies.
   *
   * @throws Problem as {@link #parse(Path, KickstartVersion)}
   */
  public static KickstartFile parse(Path file, Path folder, KickstartVersion version)
      throws IOException {
    return parse(KickstartSource.main(file, folder), folder, version);
  }

  /** Reads a stream, which can include nothing. */
  public static KickstartFile parse(String name, InputStream in, KickstartVersion version)
      throws IOException {
    return parse(KickstartSource.main(name, in), null, version);
  }

  static KickstartFile parse(
      KickstartSource.Text text, @Nullable Path folder, KickstartVersion version) {
    KickstartSource source = new KickstartSource(folder);
    source.took(text);
    KickstartParser parser = new KickstartParser(version, source);
    parser.read(new KickstartLines(text, 0));
    KickstartAdvice.add(parser.items, parser.seen, parser.findings);
    return new KickstartFile(text.name(), version, parser.items, parser.findings);
  }

  /** What pykickstart says of an option that does nothing any more. */
  static String deprecated(OptionSyntax option, int line) {
    return "Ignoring deprecated option on line "
        + line
        + ": The "
        + option.names().getFirst()
        + " option has been deprecated and no longer has any effect. It may be removed from future"
        + " releases, which will result in a fatal error from kickstart. Please modify your"
        + " kickstart file to remove this option.";
  }

  private void read(KickstartLines feed) {
    lines += feed.count();
    if (lines > MOST_LINES) {
      error(feed, new KickstartFault("the file has more than " + MOST_LINES + " lines"), "");
      return;
    }
    commands(feed);
  }

  private void commands(KickstartLines feed) {
    while (feed.hasNext() && findings.size() < MOST_FINDINGS) {
      String line = feed.take();
      if (isBlankOrComment(line)) {
        continue;
      }
      try {
        if (line.length() > LONGEST) {
          throw new KickstartFault("the line has more than " + LONGEST + " characters");
        }
        line(feed, line);
      } catch (KickstartFault fault) {
        error(feed, fault, line);
      }
    }
  }

  private static boolean isBlankOrComment(String line) {
    int start = PythonText.start(line);
    return start == line.length() || line.charAt(start) == '#';
  }

  private void line(KickstartLines feed, String line) throws KickstartFault {
    List<KickstartWord> words = KickstartWord.split(line, true);
    String first = words.getFirst().text();
    switch (first) {
      case "" -> throw new KickstartFault("the line begins with an empty word");
      case "%include", "%ksappend" -> {
        KickstartLines included = include(feed, words);
        if (included != null) {
          read(included);
          including.removeLast();
        }
      }
      default -> {
        if (first.startsWith("%")) {
          section(feed, line, words);
        } else {
          command(feed, line, words);
          oddities(feed, line);
        }
      }
    }
  }

  private void oddities(KickstartLines feed, String line) {
    for (OddCharacters.Odd odd : OddCharacters.in(line)) {
      if (odd.surely()) {
        add(
            KickstartFinding.Severity.WARNING,
            feed.place(odd.index()),
            "the line is taken with a character that is not ASCII's",
            odd.text());
      }
    }
  }

  private void command(KickstartLines feed, String line, List<KickstartWord> words)
      throws KickstartFault {
    KickstartWord first = words.getFirst();
    CommandSyntax syntax = CommandTable.find(first.text(), version);
    if (syntax == null || first.text().startsWith("%")) {
      throw new KickstartFault(
          "Unknown command: " + first.text(), first.index(), elsewhere(first.text()));
    }
    conflict(feed, syntax, first.text());
    seen.add(syntax.name());
    switch (syntax.state(version)) {
      case REMOVED -> throw new KickstartFault(first.text() + " has been removed.");
      case DEPRECATED -> warn(feed, deprecatedCommand(first.text(), feed.number()));
      default -> use(feed, syntax, line, words);
    }
  }

  private static String deprecatedCommand(String name, int line) {
    return "Ignoring deprecated command on line "
        + line
        + ":  The "
        + name
        + " command has been deprecated and no longer has any effect.  It may be removed from"
        + " future releases, which will result in a fatal error from kickstart.  Please modify your"
        + " kickstart file to remove this command.";
  }

  /** Where a command that is unknown would be known, or what it was meant to be. */
  private String elsewhere(String name) {
    List<String> others = new ArrayList<>();
    for (KickstartVersion other : KickstartVersion.values()) {
      if (CommandTable.find(name, other) != null) {
        others.add(other.name());
      }
    }
    if (!others.isEmpty()) {
      return "it is a command of " + String.join(" and ", others);
    }
    if (CommandTable.find("%" + name, version) != null) {
      return "sections begin with a percent sign: %" + name;
    }
    String hint = Spelling.hint(name, CommandTable.names(version, name.startsWith("%")), "");
    return hint.isEmpty() ? "" : hint.substring(2);
  }

  /** Tells the first time that two commands stand in each other's way. */
  private void conflict(KickstartLines feed, CommandSyntax syntax, String name) {
    for (String other : syntax.conflicts().getOrDefault(version, List.of())) {
      CommandSyntax found = CommandTable.find(other, version);
      if (found == null || !seen.contains(found.name())) {
        continue;
      }
      if (conflicts.add(syntax.name() + " " + found.name())) {
        add(
            KickstartFinding.Severity.ERROR,
            feed.place(-1),
            "The " + name + " and " + other + " commands can't be used at the same time.",
            "");
      }
      return;
    }
  }

  private void use(
      KickstartLines feed, CommandSyntax syntax, String line, List<KickstartWord> words)
      throws KickstartFault {
    String name = words.getFirst().text();
    List<KickstartWord> arguments = words.subList(1, words.size());
    if (syntax.is(CommandSyntax.Mark.BARE) && !arguments.isEmpty()) {
      throw new KickstartFault(
          "Kickstart command " + name + " does not take any arguments",
          arguments.getFirst().index(),
          "");
    }
    OptionValues values = new OptionValues();
    List<KickstartWord> rest = List.of();
    if (!syntax.is(CommandSyntax.Mark.RAW)) {
      ArgumentReader.Read read = ArgumentReader.read(syntax, arguments, version);
      read.deprecated().forEach(option -> warn(feed, deprecated(option, feed.number())));
      values = read.values();
      rest = read.rest();
    }
    if (!rest.isEmpty() && !syntax.is(CommandSyntax.Mark.LOOSE)) {
      throw ArgumentReader.unrecognized(syntax, rest, version);
    }
    if (!syntax.is(CommandSyntax.Mark.MANY)) {
      OptionValues before = earlier.get(syntax.name());
      values = before == null ? values : values.over(before);
      earlier.put(syntax.name(), values);
    }
    CommandUse use = new CommandUse(syntax, name, version, arguments, values, rest, line);
    CommandRules.check(use, warning -> warn(feed, warning));
    requireOnce(feed, use);
    items.add(CommandRecords.of(use, feed.place(-1)));
  }

  private void requireOnce(KickstartLines feed, CommandUse use) throws KickstartFault {
    String name = use.syntax().name();
    String first = use.values().textOr("name", "");
    if (name.equals("snapshot") && !once.add(List.of(name, first))) {
      throw use.fault("Snapshot with the name " + first + " has been already defined!", "name");
    }
    if (name.equals("realm") && !once.add(List.of(name))) {
      throw new KickstartFault("The realm command 'join' should only be specified once");
    }
    CommandSyntax.Once same = use.syntax().once();
    if (same == null) {
      return;
    }
    List<String> key = new ArrayList<>(List.of(name));
    String message = same.message();
    for (String value : same.values()) {
      String text = use.values().textOr(value, "");
      key.add(text);
      message = message.replace("{" + value + "}", text);
    }
    boolean swap = name.equals("part") && "swap".equals(use.values().text("mountpoint"));
    if (!once.add(key) && !swap) {
      warn(feed, message);
    }
  }

  private void section(KickstartLines feed, String line, List<KickstartWord> words)
      throws KickstartFault {
    String name = words.getFirst().text();
    CommandSyntax syntax = CommandTable.find(name, version);
    if (syntax == null) {
      add(
          KickstartFinding.Severity.ERROR,
          feed.place(-1),
          "Unknown kickstart section: " + name,
          name.equals("%end") ? "no section is open here" : elsewhere(name));
      if (!name.equals("%end")) {
        skip(feed);
      }
      return;
    }
    SectionReader section = new SectionReader(feed.place(-1), syntax, words, version);
    try {
      section.head(words, feed.number(), warning -> warn(feed, warning));
      oddities(feed, line);
    } catch (KickstartFault fault) {
      error(feed, fault, line);
    }
    if (!body(feed, section)) {
      unfinished(feed, section);
    }
  }

  /** Passes over a section that is unknown, so that what is in it is not taken for commands. */
  private static void skip(KickstartLines feed) {
    while (feed.hasNext()) {
      String word = firstWord(feed.take());
      if (word.equals("%end")) {
        return;
      }
    }
  }

  /** The first word of a line that begins with a percent sign, else nothing. */
  private static String firstWord(String line) {
    int start = PythonText.start(line);
    if (start == line.length() || line.charAt(start) != '%') {
      return "";
    }
    int end = start;
    while (end < line.length() && !PythonText.isSpace(line.charAt(end))) {
      end++;
    }
    return line.substring(start, end);
  }

  /** Reads lines into a section; false when the file ends before the section does. */
  private boolean body(KickstartLines feed, SectionReader section) {
    while (feed.hasNext() && findings.size() < MOST_FINDINGS) {
      String line = feed.take();
      if (!section.takesAllLines() && isBlankOrComment(line)) {
        continue;
      }
      String word = firstWord(line);
      try {
        if (word.equals("%include")) {
          if (bodyOf(feed, line, section)) {
            return true;
          }
        } else if (word.equals("%end")) {
          KickstartWord.split(line, false);
          finish(section);
          return true;
        } else if (!word.isEmpty() && CommandTable.find(word, version) != null) {
          unfinished(feed, section);
          feed.back();
          return true;
        } else {
          section.line(line);
        }
      } catch (KickstartFault fault) {
        error(feed, fault, line);
      }
    }
    return findings.size() >= MOST_FINDINGS;
  }

  /** Reads an included file into a section; true when the section ends in it. */
  private boolean bodyOf(KickstartLines feed, String line, SectionReader section)
      throws KickstartFault {
    KickstartLines included = include(feed, KickstartWord.split(line, false));
    if (included == null) {
      return false;
    }
    lines += included.count();
    if (lines > MOST_LINES) {
      throw new KickstartFault("the file has more than " + MOST_LINES + " lines");
    }
    boolean ended = body(included, section);
    if (ended) {
      commands(included);
    }
    including.removeLast();
    return ended;
  }

  private void unfinished(KickstartLines feed, SectionReader section) {
    add(
        KickstartFinding.Severity.ERROR,
        feed.place(-1),
        "Section " + section.name() + " does not end with %end.",
        "the section begins in line " + section.at().line());
    try {
      finish(section);
    } catch (KickstartFault fault) {
      // The section is wrong already.
    }
  }

  private void finish(SectionReader section) throws KickstartFault {
    KickstartSection made = section.end();
    if (made != null) {
      items.add(made);
    }
  }

  /** The lines of an included file, or null when it is not read, which is told. */
  private @Nullable KickstartLines include(KickstartLines feed, List<KickstartWord> words)
      throws KickstartFault {
    String directive = words.getFirst().text();
    String target = words.size() < 2 ? "" : words.get(1).text();
    if (target.isEmpty()) {
      throw new KickstartFault(
          "There was a problem reading from line " + feed.number() + " of the kickstart file",
          -1,
          "name a file behind " + directive);
    }
    int index = words.get(1).index();
    KickstartSource.Text text = null;
    if (target.contains("://")) {
      warn(feed, target + " is not fetched, so what it holds is not checked");
    } else if (directive.equals("%ksappend")) {
      warn(feed, "what %ksappend names is not read, so what it holds is not checked");
    } else {
      text = open(feed, target, index);
    }
    items.add(new KickstartItem.Inclusion(feed.place(-1), directive, target, text != null));
    if (text == null) {
      return null;
    }
    including.add(text.path());
    return new KickstartLines(text, feed.depth() + 1);
  }

  private KickstartSource.@Nullable Text open(KickstartLines feed, String target, int index)
      throws KickstartFault {
    KickstartSource.Text text;
    try {
      text = source.include(target, feed.path()).orElse(null);
    } catch (Problem e) {
      throw new KickstartFault("Unable to open input kickstart file: " + e.sentence(), index, "");
    } catch (IOException e) {
      throw new KickstartFault(
          "Unable to open input kickstart file: " + FileReason.of(e), index, "");
    }
    if (text == null) {
      warn(feed, target + " is not there beneath the file's folder, so it is not checked");
      return null;
    }
    if (including.contains(text.path())) {
      throw new KickstartFault("the files include each other without an end", index, "");
    }
    if (feed.depth() >= MOST_DEPTH || ++files > MOST_FILES) {
      throw new KickstartFault(
          "more than "
              + (feed.depth() >= MOST_DEPTH
                  ? MOST_DEPTH + " files include each other"
                  : MOST_FILES + " files are included"),
          index,
          "");
    }
    return text;
  }

  private void warn(KickstartLines feed, String message) {
    add(KickstartFinding.Severity.WARNING, feed.place(-1), message, "");
  }

  /** Tells what is wrong with a line, and the character that made it so, if one did. */
  private void error(KickstartLines feed, KickstartFault fault, String line) {
    int index = fault.index();
    String fix = fault.fix();
    List<OddCharacters.Odd> odd = OddCharacters.in(line);
    if (!odd.isEmpty()) {
      index = odd.getFirst().index();
      fix = String.join("; ", odd.stream().map(OddCharacters.Odd::text).toList());
    } else if (isContinued(line)) {
      fix = "a line cannot be continued by a backslash; write all of it into one";
    }
    add(KickstartFinding.Severity.ERROR, feed.place(index), fault.message(), fix);
  }

  private static boolean isContinued(String line) {
    String text = line.stripTrailing();
    int at = text.length();
    while (at > 0 && text.charAt(at - 1) == '\\') {
      at--;
    }
    return (text.length() - at) % 2 == 1;
  }

  private void add(
      KickstartFinding.Severity severity, KickstartPlace at, String message, String fix) {
    if (findings.size() < MOST_FINDINGS) {
      findings.add(new KickstartFinding(severity, at, message, fix));
    }
    if (findings.size() == MOST_FINDINGS) {
      findings.add(
          new KickstartFinding(
              KickstartFinding.Severity.ERROR, at, "there is more; what follows is not told", ""));
    }
  }
}
