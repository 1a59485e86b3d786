package slipway.builder.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import slipway.base.Problem;
import slipway.builder.language.Instruction.Assignment;
import slipway.builder.language.Instruction.CommandLine;

/**
 * Judged by the corpus of the parser that buildah and podman use (Debian package
 * golang-github-openshift-imagebuilder-dev): Containerfiles beside the tree that comes out of them.
 */
class ParserCorpusTest {
  private static final Path ROOT =
      Path.of("/usr/share/gocode/src/github.com/openshift/imagebuilder");
  private static final Path CORPUS = ROOT.resolve("dockerfile/parser/testfiles");

  /** Lines that the corpus's parser lets pass and only its executor refuses; ours does at once. */
  private static final List<String> REFUSED_LATER =
      List.of("HEALTHCHECK", "HEALTHCHECK CMD", "HEALTHCHECK CONNECT TCP 7000", "ONBUILD RUN []");

  private static final Pattern UNKNOWN_FLAG = Pattern.compile(" --(user|doit)\\b");

  static List<Path> corpus() throws IOException {
    try (Stream<Path> directories = Files.list(CORPUS)) {
      return directories.sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("corpus")
  void givesTheSameTree(Path directory) throws IOException {
    String text = Files.readString(directory.resolve("Dockerfile"));
    List<String> expected = Files.readString(directory.resolve("result")).lines().toList();
    LineReader reader = new LineReader("Dockerfile", text, 1, '\\', w -> {});
    List<Line> lines = reader.read();
    assertThat(lines).hasSameSizeAs(expected);
    InstructionParser parser = new InstructionParser(reader.escape(), w -> {});
    for (int i = 0; i < lines.size(); i++) {
      Line line = lines.get(i);
      if (REFUSED_LATER.contains(line.text().strip()) || UNKNOWN_FLAG.matcher(line.text()).find()) {
        assertThatThrownBy(() -> parser.parse(line)).isInstanceOf(Problem.class);
      } else {
        assertThat("(" + dump(parser.parse(line)) + ")")
            .as(directory.getFileName() + " line " + line.at().line())
            .isEqualTo(expected.get(i));
      }
    }
  }

  @Test
  void knowsTheLineOfEachInstruction() throws IOException {
    Path file = CORPUS.resolveSibling("testfile-line/Dockerfile");
    List<Line> lines =
        new LineReader("Dockerfile", Files.readString(file), 1, '\\', w -> {}).read();
    // the table of the corpus's own test
    assertThat(lines.stream().map(l -> l.at().line())).containsExactly(5, 11, 17);
  }

  @Test
  void refusesTheNegativeOnes() throws IOException {
    try (Stream<Path> files = Files.list(CORPUS.resolveSibling("testfiles-negative"))) {
      for (Path directory : files.toList()) {
        String text = Files.readString(directory.resolve("Dockerfile"));
        assertThatThrownBy(
                () -> Containerfile.parse("Dockerfile", "FROM scratch\n" + text, w -> {}))
            .isInstanceOf(Problem.class);
      }
    }
  }

  @Test
  void readsEveryContainerfileOfTheExecutorTests() throws IOException {
    int read = 0;
    try (Stream<Path> files = Files.walk(ROOT.resolve("dockerclient/testdata"))) {
      for (Path file :
          files.filter(f -> f.getFileName().toString().startsWith("Dockerfile")).toList()) {
        String text = Files.readString(file);
        if (file.getFileName().toString().matches(".*(badhealthcheck|unknown)")) {
          continue;
        }
        Containerfile.parse(file.toString(), text, w -> {});
        read++;
      }
    }
    assertThat(read).isGreaterThan(50);
  }

  private static String dump(Instruction instruction) {
    StringBuilder out = new StringBuilder(instruction.keyword().toLowerCase(Locale.ROOT));
    String text = instruction.line().text();
    String[] words = text.split("\\s+", 2);
    if (!(instruction instanceof Instruction.OnBuild)) {
      List<String> flags = Flags.split(words.length > 1 ? words[1] : "").flags();
      if (!flags.isEmpty()) {
        out.append(" [")
            .append(String.join(" ", flags.stream().map(ParserCorpusTest::quote).toList()))
            .append(']');
      }
    }
    for (String argument : arguments(instruction)) {
      out.append(' ').append(quote(argument));
    }
    if (instruction instanceof Instruction.OnBuild o) {
      out.append(" (").append(dump(Containerfile.parseTrigger(o.trigger(), o.at()))).append(')');
    }
    return out.toString();
  }

  private static List<String> arguments(Instruction instruction) {
    return switch (instruction) {
      case Instruction.From f ->
          f.name() == null ? List.of(f.image()) : List.of(f.image(), "as", f.name());
      case Instruction.Arg a ->
          a.arguments().stream()
              .map(x -> x.value() == null ? x.name() : x.name() + "=" + x.value())
              .toList();
      case Instruction.Env e -> flat(e.variables());
      case Instruction.Label l -> flat(l.labels());
      case Instruction.Run r -> r.command().words();
      case Instruction.Cmd c -> c.command().words();
      case Instruction.Entrypoint e -> e.command().words();
      case Instruction.Copy c -> {
        List<String> all = new ArrayList<>(c.sources());
        all.add(c.destination());
        yield all;
      }
      case Instruction.Workdir w -> List.of(w.path());
      case Instruction.User u -> List.of(u.user());
      case Instruction.Expose e -> e.ports();
      case Instruction.Volume v -> v.paths();
      case Instruction.Shell s -> s.words();
      case Instruction.StopSignal s -> List.of(s.signal());
      case Instruction.Healthcheck h -> health(h.command());
      case Instruction.OnBuild o -> List.of();
      case Instruction.Maintainer m -> List.of(m.name());
    };
  }

  private static List<String> health(@Nullable CommandLine command) {
    List<String> all = new ArrayList<>(List.of(command == null ? "NONE" : "CMD"));
    if (command != null) {
      all.addAll(command.words());
    }
    return all;
  }

  private static List<String> flat(List<Assignment> pairs) {
    return pairs.stream().flatMap(p -> Stream.of(p.name(), p.value())).toList();
  }

  /** Go's strconv.Quote. */
  private static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\t' -> out.append("\\t");
        case '\r' -> out.append("\\r");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> out.append(c < ' ' ? String.format("\\x%02x", (int) c) : String.valueOf(c));
      }
    }
    return out.append('"').toString();
  }
}
