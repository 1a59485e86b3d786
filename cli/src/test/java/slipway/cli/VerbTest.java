package slipway.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static slipway.cli.Program.BOOTC;
import static slipway.cli.Program.SLIPWAY;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import slipway.cli.document.CommandText;
import slipway.linux.process.Command;

/** Whatever lists commands is held to the table: none may be missing, none too many. */
class VerbTest {
  private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();

  @TempDir Path folder;

  /** A program's commands at all depths. */
  private static List<CommandSpec> commands(Program program) {
    List<CommandSpec> found = new ArrayList<>();
    collect(CommandModel.of(program), found);
    return found.subList(1, found.size());
  }

  private static void collect(CommandSpec command, List<CommandSpec> found) {
    found.add(command);
    CommandText.children(command).forEach(child -> collect(child, found));
  }

  private static String ran(String name, List<String> words) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream printed = new PrintStream(out, true, StandardCharsets.UTF_8);
    assertThat(Main.run(name, words.toArray(String[]::new), printed, printed))
        .as("%s", words)
        .isZero();
    return out.toString(StandardCharsets.UTF_8);
  }

  private static List<String> words(String line) {
    return List.of(line.split(" "));
  }

  @ParameterizedTest
  @EnumSource
  void theTableSaysWhatTheClassesSay(Verb verb) {
    CommandSpec command = new CommandLine(verb.command()).getCommandSpec();
    assertThat(command.name()).isEqualTo(verb.word());
    assertThat(command.usageMessage().hidden()).isEqualTo(verb.group() == Verb.Group.HIDDEN);
    if (verb.group() != Verb.Group.HIDDEN) {
      assertThat(CommandText.summary(command)).isEqualTo(verb.summary());
    }
    for (String word : verb.words()) {
      assertThat(Verb.of(verb.program(), word)).isEqualTo(verb);
    }
  }

  @ParameterizedTest
  @EnumSource
  void helpNamesEveryCommandAndNoOther(Program program) {
    String help = ran(program.word(), List.of("--help"));
    List<String> shown =
        help.substring(0, help.indexOf("\nExamples\n"))
            .lines()
            .filter(l -> l.matches("  [a-z]\\S* +\\S.*"))
            .map(l -> l.strip().split(" ")[0])
            .toList();
    List<String> expected = new ArrayList<>(program.verbs().stream().map(Verb::word).toList());
    program.programs().forEach(below -> expected.add(below.word()));
    assertThat(shown).containsExactlyInAnyOrderElementsOf(expected);
    for (Verb verb : program.verbs()) {
      assertThat(help).contains(verb.words());
    }
    assertThat(help.lines().map(String::length)).allMatch(length -> length <= 100);
    assertThat(ran(program.word(), List.of())).isEqualTo(help);
    assertThat(ran(program.word(), List.of("help"))).isEqualTo(help).contains(program.examples());
  }

  @ParameterizedTest
  @EnumSource
  void everyCommandHasHelpWithExamples(Program program) {
    for (CommandSpec command : commands(program)) {
      List<String> words =
          words(command.qualifiedName()).subList(1, words(command.qualifiedName()).size());
      List<String> asked = new ArrayList<>(words);
      asked.add("--help");
      String help = ran(program.word(), asked);
      assertThat(help).contains("Usage: " + command.qualifiedName(), "--limit NAME=VALUE");
      for (String example : command.usageMessage().footer()) {
        assertThat(help).contains("\n  " + example + "\n");
      }
      asked.removeLast();
      for (String first : List.of("help", "--help")) {
        asked.addFirst(first);
        assertThat(ran(program.word(), asked)).isEqualTo(help);
        asked.removeFirst();
      }
    }
  }

  /** A shell's variable that is not set must not become the folder that somebody is in. */
  @ParameterizedTest
  @EnumSource
  void noPathMayBeEmpty(Program program) {
    for (CommandSpec command : commands(program)) {
      for (OptionSpec option : command.options()) {
        if (option.type() == Path.class) {
          List<String> line = new ArrayList<>(words(command.qualifiedName()));
          line.addAll(List.of(option.longestName(), ""));
          ByteArrayOutputStream err = new ByteArrayOutputStream();
          PrintStream said = new PrintStream(err, true, StandardCharsets.UTF_8);
          String[] rest = line.subList(1, line.size()).toArray(String[]::new);
          assertThat(Main.run(program.word(), rest, said, said)).isEqualTo(2);
          assertThat(err.toString(StandardCharsets.UTF_8))
              .startsWith("error: " + option.longestName() + " lacks its value, ");
        }
      }
    }
  }

  /** An example is copied and typed. */
  @ParameterizedTest
  @Tag("slow")
  @EnumSource
  void everyCommandHasExamplesThatItTakes(Program program) {
    for (CommandSpec command : commands(program)) {
      List<String> examples = List.of(command.usageMessage().footer());
      assertThat(examples.isEmpty())
          .as("%s has examples", command.qualifiedName())
          .isEqualTo(!CommandText.children(command).isEmpty());
      examples.forEach(example -> assertThat(example).startsWith(command.qualifiedName()));
      takes(program, examples);
    }
    takes(program, program.examples());
  }

  private static void takes(Program program, List<String> examples) {
    for (String example : examples) {
      assertThat(example.length()).as(example).isLessThanOrEqualTo(77);
      List<String> words = words(example.replaceFirst(" [|>] .*", ""));
      assertThat(words.getFirst()).isEqualTo(program.word());
      CommandLine whole = new CommandLine(CommandModel.whole(program));
      whole.parseArgs(words.subList(1, words.size()).toArray(String[]::new));
    }
  }

  /**
   * The launcher asks a script that the build wrote; before the first build, the table's source.
   */
  @ParameterizedTest
  @EnumSource
  void theLauncherKnowsHowACommandStarts(Verb verb) throws IOException {
    for (String word : verb.words()) {
      boolean slipway = verb.program() == Program.SLIPWAY;
      String first = slipway ? word : verb.program().word();
      String second = slipway ? "" : word;
      String run = verb.startUp() == Verb.StartUp.QUICK ? "quick" : "run";
      boolean tools = verb.needs() == Verb.Needs.TOOLS;
      assertThat(startUp(first, second)).isEqualTo(run + " " + (tools ? "yes" : "no"));
      if (verb.startUp() == Verb.StartUp.SERVE) {
        assertThat(startUp(first, "serve")).isEqualTo("serve no");
      }
      assertThat(sets(first, second)).as(word).isEqualTo(tools ? "run vm" : "");
    }
  }

  @Test
  void theLauncherKnowsWhatEveryProgramAnswers() throws IOException {
    for (String word : StartUpScript.ANSWERS) {
      assertThat(startUp(word, "")).isEqualTo("quick no");
      assertThat(ran("slipway", word.isEmpty() ? List.of() : List.of(word))).isNotEmpty();
      assertThat(startUp("bootc", word)).isEqualTo("quick no");
      assertThat(sets(word, "")).isEmpty();
    }
    assertThat(startUp("help", "build")).isEqualTo("quick no");
    assertThat(startUp("images", "--json")).isEqualTo("quick no");
    assertThat(startUp("registry", "repair")).isEqualTo("run no");
    assertThat(startUp("nonsense", "images")).isEqualTo("run no");
    assertThat(sets(".*", "*") + sets("nonsense", "disk")).isEmpty();
  }

  /** A second word that is none of its verbs belongs to build. */
  @Test
  void theLauncherKnowsTheVerbThatMayBeLeftOut() throws IOException {
    String builder = ImageBuilderLine.NAME;
    for (String word : List.of("quay.io/os/web:1", "--type", "-v", "build")) {
      assertThat(startUp(builder, word)).as(word).isEqualTo("run yes");
      assertThat(sets(builder, word)).as(word).isEqualTo("run vm");
    }
    for (String word : List.of("", "--version", "version", "help", "completion")) {
      assertThat(startUp(builder, word)).as(word).isEqualTo("quick no");
      assertThat(sets(builder, word)).as(word).isEmpty();
    }
  }

  private String startUp(String verb, String word) throws IOException {
    Path script = Files.writeString(folder.resolve("start-up.sh"), StartUpScript.text());
    String asked = "verb=$2 word=$3; . \"$1\"; echo \"$arguments $tools\"";
    return Command.of("sh", "-euc", asked, "sh", script.toString(), verb, word)
        .run()
        .text()
        .strip();
  }

  private static String sets(String verb, String word) {
    String prepare = CHECKOUT.resolve("tools/prepare").toString();
    return Command.of(prepare, "sets", verb, word).run().text().strip();
  }

  /** {@code /usr/bin/bootc} of an image; it is of a room below and cannot ask the table. */
  @Test
  void theAgentKnowsWhichVerbsAreQuick() throws IOException {
    List<String> quick =
        Program.BOOTC.verbs().stream()
            .filter(verb -> verb.startUp() == Verb.StartUp.QUICK)
            .flatMap(verb -> verb.words().stream())
            .toList();
    try (InputStream in = Main.class.getResourceAsStream("/slipway/distro/base/bootc")) {
      assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
          .contains(
              "'' | " + String.join(" | ", quick) + " | version | help | -*) arguments=quick");
    }
  }

  /** A machine has neither builder nor servers; see {@code distro.BaseAgent}. */
  @ParameterizedTest
  @EnumSource
  void theHostsCommandsAreThereWithoutTheRest(Program program) throws Exception {
    URL[] host =
        Arrays.stream(System.getProperty("java.class.path").split(":"))
            .filter(
                path ->
                    !path.matches(
                        ".*(/(builder|distro|registry|http|media|container)/target/|/slipway-(builder|distro|registry|http|media|container)-|jetty).*"))
            .map(VerbTest::url)
            .toArray(URL[]::new);
    try (URLClassLoader loader = new URLClassLoader(host, ClassLoader.getPlatformClassLoader())) {
      boolean whole = true;
      for (Verb verb : program.verbs()) {
        whole &= hasHelp(loader, program, verb);
      }
      assertThat(whole).isEqualTo(program.parts() == Program.Parts.HOST);
    }
  }

  private static URL url(String path) {
    try {
      return Path.of(path).toUri().toURL();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static boolean hasHelp(ClassLoader loader, Program program, Verb verb) throws Exception {
    PrintStream nowhere =
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    return loader
        .loadClass(Main.class.getName())
        .getMethod("run", String.class, String[].class, PrintStream.class, PrintStream.class)
        .invoke(null, program.word(), new String[] {verb.word(), "--help"}, nowhere, nowhere)
        .equals(0);
  }

  @Test
  void readmeHasTheTable() throws IOException {
    String readme = Files.readString(CHECKOUT.resolve("README.md"));
    String table =
        String.join(
                "\n",
                readme
                    .lines()
                    .dropWhile(line -> !line.equals("## Commands"))
                    .dropWhile(line -> !line.startsWith("|"))
                    .takeWhile(line -> line.startsWith("|"))
                    .toList())
            + "\n";
    assertThat(table)
        .as("the table of README.md; ./slipway internals readme-table prints it")
        .isEqualTo(Documents.readmeTable());
  }

  /** A page of the manual for each command, completion for each program. */
  @Test
  void documentsAreWrittenForEveryCommand() throws IOException {
    Documents.write(folder);
    List<String> expected = new ArrayList<>(List.of("start-up.sh"));
    for (Program program : Program.values()) {
      expected.add("share/bash-completion/completions/" + program.word());
      List<CommandSpec> found = new ArrayList<>();
      collect(CommandModel.whole(program), found);
      for (CommandSpec command : found) {
        expected.add(page(program, command.qualifiedName("-")));
      }
    }
    for (String other : List.of("update", "usroverlay")) {
      expected.add(page(BOOTC, "bootc-" + other));
      expected.add(page(SLIPWAY, "slipway-bootc-" + other));
    }
    try (Stream<Path> files = Files.walk(folder)) {
      assertThat(files.filter(Files::isRegularFile).map(p -> folder.relativize(p).toString()))
          .containsExactlyInAnyOrderElementsOf(expected);
    }
  }

  private static String page(Program program, String name) {
    return "share/man/man%d/%s.%d".formatted(program.section(), name, program.section());
  }

  /** On their own, away from other pages, and in a window so narrow that words might be split. */
  @Test
  @Tag("slow")
  void pagesNameTheirCommandsAndAreSoundRoff() {
    Map<String, String> files = Documents.files(LocalDate.of(2026, 2, 3));
    for (Map.Entry<String, String> file : files.entrySet()) {
      if (!file.getKey().contains("/man/")) {
        continue;
      }
      Command.Result result =
          Command.of("groff", "-man", "-Tutf8", "-ww", "-P-cbou", "-rLL=66n")
              .stdin(file.getValue().getBytes(StandardCharsets.UTF_8))
              .run();
      assertThat(result.stderr()).as(file.getKey()).isEmpty();
      assertThat(result.text())
          .as(file.getKey())
          .contains("EXIT STATUS", "2026-02-03")
          .doesNotContain("\u2010\n");
    }
    assertThat(files.get(page(SLIPWAY, "slipway-bootc-update")))
        .contains(
            "slipway\\-bootc\\-upgrade, slipway\\-bootc\\-update \\- fetch",
            "\nslipway bootc upgrade")
        .isEqualTo(files.get(page(SLIPWAY, "slipway-bootc-upgrade")));
    for (Program program : Program.values()) {
      String page = files.get(page(program, program.word()));
      for (Verb verb : program.verbs()) {
        assertThat(page).contains("\n.TP\n\\fB" + verb.word().replace("-", "\\-") + "\\fR");
      }
    }
  }

  /** A short command's time is mostly that of loading classes. */
  @Test
  void onlyTheChosenCommandIsLoaded() {
    assertThat(loaded("--version"))
        .contains("slipway.cli.Main")
        .doesNotContain("slipway.cli.Verb", "slipway.cli.Program", "picocli.CommandLine");
    assertThat(loaded("images", "--help"))
        .contains("slipway.cli.image.ImagesCommand")
        .doesNotContain("slipway.cli.build.BuildCommand", "slipway.cli.CommandModel");
  }

  private static List<String> loaded(String... words) {
    List<String> line =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xlog:class+load:stdout:none",
                "-cp",
                System.getProperty("java.class.path"),
                "slipway.cli.Main"));
    line.addAll(List.of(words));
    return Command.of(line).run().text().lines().map(l -> l.split(" ")[0]).toList();
  }
}
