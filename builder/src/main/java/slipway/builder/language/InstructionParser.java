package slipway.builder.language;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Spelling;
import slipway.builder.language.Instruction.Assignment;
import slipway.builder.language.Instruction.CommandLine;
import slipway.linux.posix.OsPath;

/** Makes an {@link Instruction} of a logical line. */
final class InstructionParser {
  private static final List<String> KEYWORDS =
      List.of(
          "ADD",
          "ARG",
          "CMD",
          "COPY",
          "ENTRYPOINT",
          "ENV",
          "EXPOSE",
          "FROM",
          "HEALTHCHECK",
          "LABEL",
          "MAINTAINER",
          "ONBUILD",
          "RUN",
          "SHELL",
          "STOPSIGNAL",
          "USER",
          "VOLUME",
          "WORKDIR");
  private static final Pattern SPACE = Pattern.compile("[\\t\\x0B\\f\\r ]+");
  private static final Pattern STAGE_NAME = Pattern.compile("[a-z][a-z0-9_.-]*");

  private final char escape;
  private final Consumer<String> warnings;

  InstructionParser(char escape, Consumer<String> warnings) {
    this.escape = escape;
    this.warnings = warnings;
  }

  Instruction parse(Line line) {
    String[] words = SPACE.split(line.text(), 2);
    String keyword = words[0].toUpperCase(Locale.ROOT);
    Flags.Split arguments = Flags.split(words.length > 1 ? words[1] : "");
    return switch (keyword) {
      case "ADD", "COPY" -> copy(line, keyword, arguments);
      case "ARG" -> new Instruction.Arg(line, arguments(line, rest(line, keyword, arguments)));
      case "CMD" -> new Instruction.Cmd(line, command(line, plain(line, keyword, arguments)));
      case "ENTRYPOINT" ->
          new Instruction.Entrypoint(line, command(line, plain(line, keyword, arguments)));
      case "ENV" -> new Instruction.Env(line, pairs(line, keyword, rest(line, keyword, arguments)));
      case "EXPOSE" ->
          new Instruction.Expose(line, List.of(SPACE.split(rest(line, keyword, arguments))));
      case "FROM" -> from(line, arguments);
      case "HEALTHCHECK" -> healthcheck(line, arguments);
      case "LABEL" ->
          new Instruction.Label(line, pairs(line, keyword, rest(line, keyword, arguments)));
      case "MAINTAINER" -> {
        warnings.accept(line.at() + ": MAINTAINER is old; write LABEL instead");
        yield new Instruction.Maintainer(line, rest(line, keyword, arguments));
      }
      case "ONBUILD" -> onBuild(line, words.length > 1 ? words[1].strip() : "");
      case "RUN" -> run(line, arguments);
      case "SHELL" -> shell(line, rest(line, keyword, arguments));
      case "STOPSIGNAL" -> new Instruction.StopSignal(line, rest(line, keyword, arguments));
      case "USER" -> new Instruction.User(line, rest(line, keyword, arguments));
      case "VOLUME" -> volume(line, rest(line, keyword, arguments));
      case "WORKDIR" -> new Instruction.Workdir(line, rest(line, keyword, arguments));
      default ->
          throw line.at()
              .problem(
                  "unknown instruction \""
                      + words[0]
                      + "\""
                      + Spelling.hint(words[0], KEYWORDS, ""));
    };
  }

  /** The arguments of an instruction that has no flags but may have none at all. */
  private static String plain(Line line, String keyword, Flags.Split arguments) {
    Flags.of(line.at(), keyword, arguments.flags(), Set.of(), Set.of(), Set.of());
    return arguments.rest();
  }

  /** The arguments of an instruction that has no flags and needs arguments. */
  private static String rest(Line line, String keyword, Flags.Split arguments) {
    String rest = plain(line, keyword, arguments);
    if (rest.isEmpty()) {
      throw line.at().problem(keyword + " needs an argument");
    }
    return rest;
  }

  private static Instruction from(Line line, Flags.Split arguments) {
    Flags flags =
        Flags.of(line.at(), "FROM", arguments.flags(), Set.of("platform"), Set.of(), Set.of());
    String[] words = arguments.rest().isEmpty() ? new String[0] : SPACE.split(arguments.rest());
    if (words.length == 1) {
      return new Instruction.From(line, words[0], null, flags.get("platform"));
    }
    if (words.length != 3 || !words[1].equalsIgnoreCase("AS")) {
      throw line.at().problem("FROM takes an image, or an image AS a name");
    }
    String name = words[2].toLowerCase(Locale.ROOT);
    if (!STAGE_NAME.matcher(name).matches() || name.equals("scratch")) {
      throw line.at()
          .problem(
              "\""
                  + words[2]
                  + "\" cannot name a stage; begin with a letter, go on with letters, digits, _ . -");
    }
    return new Instruction.From(line, words[0], name, flags.get("platform"));
  }

  private static Instruction run(Line line, Flags.Split arguments) {
    Flags flags =
        Flags.of(
            line.at(),
            "RUN",
            arguments.flags(),
            Set.of("network", "security"),
            Set.of("mount"),
            Set.of());
    if (arguments.rest().isEmpty()) {
      throw line.at().problem("RUN needs a command");
    }
    String network = flags.get("network", "default");
    if (!Set.of("default", "none", "host").contains(network)) {
      throw line.at().problem("--network is default, none or host, not \"" + network + "\"");
    }
    String security = flags.get("security", "sandbox");
    if (!Set.of("sandbox", "insecure").contains(security)) {
      throw line.at().problem("--security is sandbox or insecure, not \"" + security + "\"");
    }
    CommandLine command = command(line, arguments.rest());
    if (command.words().isEmpty()) {
      throw line.at().problem("RUN needs a command, not an empty array");
    }
    return new Instruction.Run(line, command, flags.all("mount"), network, security);
  }

  private static CommandLine command(Line line, String text) {
    List<String> words = JsonArray.parse(text, line.at());
    if (words != null) {
      return new CommandLine(true, words);
    }
    return new CommandLine(false, text.isEmpty() ? List.of() : List.of(text));
  }

  private static Instruction shell(Line line, String text) {
    List<String> words = JsonArray.parse(text, line.at());
    if (words == null || words.isEmpty()) {
      throw line.at().problem("SHELL takes an array, such as [\"/bin/bash\", \"-c\"]");
    }
    return new Instruction.Shell(line, words);
  }

  private static List<String> list(Line line, String text) {
    List<String> words = JsonArray.parse(text, line.at());
    return words != null ? words : List.of(SPACE.split(text.strip()));
  }

  private static Instruction volume(Line line, String text) {
    List<String> paths = list(line, text).stream().map(String::strip).toList();
    if (paths.isEmpty() || paths.contains("")) {
      throw line.at().problem("VOLUME needs paths that are not empty");
    }
    return new Instruction.Volume(line, paths);
  }

  private static Instruction copy(Line line, String keyword, Flags.Split arguments) {
    boolean add = keyword.equals("ADD");
    Flags flags =
        Flags.of(
            line.at(),
            keyword,
            arguments.flags(),
            add ? Set.of("chown", "chmod", "checksum") : Set.of("chown", "chmod", "from"),
            Set.of("exclude"),
            add ? Set.of("link", "keep-git-dir", "unpack") : Set.of("link", "parents"));
    List<String> words = arguments.rest().isEmpty() ? List.of() : list(line, arguments.rest());
    if (!line.heredocs().isEmpty()) {
      words = LineReader.joined(words);
    }
    if (words.size() < 2) {
      throw line.at().problem(keyword + " needs a source and a destination");
    }
    if (!line.heredocs().isEmpty() && LineReader.heredoc(words.getLast()) != null) {
      throw line.at().problem(keyword + " cannot take a document as its destination");
    }
    List<String> sources = new ArrayList<>();
    List<Heredoc> inline = new ArrayList<>();
    List<Heredoc> documents = new ArrayList<>(line.heredocs());
    for (String word : words.subList(0, words.size() - 1)) {
      Heredoc head = documents.isEmpty() ? null : LineReader.heredoc(word);
      if (head == null) {
        sources.add(word);
      } else {
        inline.add(next(documents, head, line));
      }
    }
    return new Instruction.Copy(
        line, add, sources, inline, words.getLast(), flags.get("from"), copyFlags(flags));
  }

  /** The next document of that name: several may have the same. It becomes a file. */
  private static Heredoc next(List<Heredoc> documents, Heredoc head, Line line) {
    if (!OsPath.of(head.name()).isName()) {
      throw line.at()
          .problem(
              "the document <<"
                  + head.name()
                  + " becomes a file of that name, so it cannot hold a slash or be . or ..; name it"
                  + " otherwise and give the path in the destination");
    }
    for (Heredoc document : documents) {
      if (document.name().equals(head.name())) {
        documents.remove(document);
        return document;
      }
    }
    throw line.at().problem("the document <<" + head.name() + " has no text");
  }

  private static Instruction.CopyFlags copyFlags(Flags flags) {
    return new Instruction.CopyFlags(
        flags.get("chown"),
        flags.get("chmod"),
        flags.all("exclude"),
        flags.isTrue("parents"),
        flags.isTrue("link"),
        flags.get("checksum"),
        flags.isTrue("keep-git-dir"),
        flags.has("unpack") ? flags.isTrue("unpack") : null);
  }

  private List<Assignment> arguments(Line line, String text) {
    List<Assignment> all = new ArrayList<>();
    for (String word : Words.split(text, escape)) {
      int equals = word.indexOf('=');
      if (equals == 0) {
        throw line.at().problem("ARG \"" + word + "\" has no name in front of the =");
      }
      all.add(
          equals < 0
              ? new Assignment(word, null)
              : new Assignment(word.substring(0, equals), word.substring(equals + 1)));
    }
    return all;
  }

  /** {@code name=value …}, or the old {@code name value}. */
  private List<Assignment> pairs(Line line, String keyword, String text) {
    List<String> words = Words.split(text, escape);
    if (!words.isEmpty() && !words.getFirst().contains("=")) {
      String[] two = SPACE.split(text, 2);
      if (two.length < 2) {
        throw line.at().problem(keyword + " needs a value: " + keyword + " " + text + "=VALUE");
      }
      return List.of(new Assignment(two[0], two[1]));
    }
    List<Assignment> all = new ArrayList<>();
    for (String word : words) {
      int equals = word.indexOf('=');
      if (equals <= 0) {
        throw line.at()
            .problem("\"" + word + "\" is not of the form name=value; quote values with spaces");
      }
      all.add(new Assignment(word.substring(0, equals), word.substring(equals + 1)));
    }
    return all;
  }

  private Instruction onBuild(Line line, String trigger) {
    if (trigger.isEmpty()) {
      throw line.at().problem("ONBUILD needs an instruction");
    }
    Line inner = new Line(line.at(), trigger, line.heredocs());
    trigger(inner, "ONBUILD");
    return new Instruction.OnBuild(line, inner.source());
  }

  /**
   * Parses what an ONBUILD holds.
   *
   * @param holder of it, for messages
   */
  Instruction trigger(Line line, String holder) {
    String keyword = SPACE.split(line.text(), 2)[0].toUpperCase(Locale.ROOT);
    if (Set.of("ONBUILD", "FROM", "MAINTAINER").contains(keyword)) {
      throw line.at().problem(holder + " cannot hold " + keyword);
    }
    return parse(line);
  }

  private static Instruction healthcheck(Line line, Flags.Split arguments) {
    Flags flags =
        Flags.of(
            line.at(),
            "HEALTHCHECK",
            arguments.flags(),
            Set.of("interval", "timeout", "start-period", "start-interval", "retries"),
            Set.of(),
            Set.of());
    String[] words = SPACE.split(arguments.rest(), 2);
    String type = words[0].toUpperCase(Locale.ROOT);
    if (type.equals("NONE") && words.length == 1) {
      return new Instruction.Healthcheck(line, null, Map.of(), 0);
    }
    if (!type.equals("CMD") || words.length == 1) {
      throw line.at().problem("HEALTHCHECK takes NONE, or CMD and a command");
    }
    Map<String, Long> nanoseconds = new LinkedHashMap<>();
    duration(line, flags, "interval", "Interval", nanoseconds);
    duration(line, flags, "timeout", "Timeout", nanoseconds);
    duration(line, flags, "start-period", "StartPeriod", nanoseconds);
    duration(line, flags, "start-interval", "StartInterval", nanoseconds);
    CommandLine command = command(line, words[1]);
    if (command.words().isEmpty()) {
      throw line.at().problem("HEALTHCHECK CMD needs a command");
    }
    return new Instruction.Healthcheck(
        line, command, nanoseconds, retries(line, flags.get("retries")));
  }

  private static int retries(Line line, @Nullable String text) {
    if (text == null) {
      return 0;
    }
    if (!text.matches("[0-9]{1,9}")) {
      throw line.at().problem("--retries is a number, not \"" + text + "\"");
    }
    return Integer.parseInt(text);
  }

  private static void duration(
      Line line, Flags flags, String flag, String field, Map<String, Long> into) {
    String text = flags.get(flag);
    if (text == null) {
      return;
    }
    long nanos = Durations.nanoseconds(text);
    if (nanos < 0 || (nanos > 0 && nanos < 1_000_000)) {
      throw line.at()
          .problem(
              "--"
                  + flag
                  + " is a time of at least 1ms, such as 30s or 1m30s, not \""
                  + text
                  + "\"");
    }
    if (nanos > 0) {
      into.put(field, nanos);
    }
  }
}
