package slipway.builder.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.builder.language.Instruction.Assignment;
import slipway.builder.language.Instruction.CommandLine;

class ContainerfileTest {
  private final List<String> warnings = new ArrayList<>();

  private Containerfile parse(String text) {
    return Containerfile.parse("Containerfile", text, warnings::add);
  }

  /** The instructions of the only stage. */
  private List<Instruction> body(String text) {
    return parse("FROM scratch\n" + text).stages().getFirst().instructions();
  }

  private Instruction one(String text) {
    List<Instruction> all = body(text);
    assertThat(all).hasSize(1);
    return all.getFirst();
  }

  @Test
  void stagesGlobalsAndLines() {
    Containerfile file =
        parse(
            """
            # syntax=docker/dockerfile:1
            ARG V=1

            FROM --platform=linux/amd64 debian:$V AS Build
            # a comment
              run echo a \\
                # inside

                b
            from Build
            COPY --from=build /a /b
            """);
    assertThat(file.globals()).hasSize(1);
    assertThat(file.globals().getFirst().at().line()).isEqualTo(2);
    assertThat(file.stages()).hasSize(2);
    Containerfile.Stage build = file.stages().getFirst();
    assertThat(build.from().image()).isEqualTo("debian:$V");
    assertThat(build.name()).isEqualTo("build");
    assertThat(build.from().platform()).isEqualTo("linux/amd64");
    Instruction.Run run = (Instruction.Run) build.instructions().getFirst();
    assertThat(run.at().line()).isEqualTo(6);
    assertThat(run.command().words()).containsExactly("echo a     b");
    assertThat(file.stages().get(1).from().at().toString()).isEqualTo("Containerfile:10");
    assertThat(warnings)
        .containsExactly("Containerfile:6: an empty line inside a continued instruction");
  }

  @Test
  void escapeDirectiveAndByteOrderMark() {
    Containerfile file = parse("\uFEFF# escape=`\r\nFROM a\r\nRUN dir c:\\ `\r\n && x\r\n");
    assertThat(file.escape()).isEqualTo('`');
    Instruction.Run run = (Instruction.Run) file.stages().getFirst().instructions().getFirst();
    assertThat(run.command().words()).containsExactly("dir c:\\  && x");
  }

  @Test
  void aDirectiveAfterACommentIsAComment() {
    assertThat(parse("# hello\n# escape=`\nFROM a\n").escape()).isEqualTo('\\');
  }

  @Test
  void shellAndExecForms() {
    assertThat(((Instruction.Run) one("RUN [\"a\", \"b c\"]")).command())
        .isEqualTo(new CommandLine(true, List.of("a", "b c")));
    assertThat(((Instruction.Run) one("RUN ['a', 'b']")).command())
        .isEqualTo(new CommandLine(false, List.of("['a', 'b']")));
    assertThat(((Instruction.Cmd) one("CMD")).command())
        .isEqualTo(new CommandLine(false, List.of()));
    assertThat(((Instruction.Entrypoint) one("ENTRYPOINT []")).command())
        .isEqualTo(new CommandLine(true, List.of()));
  }

  @Test
  void heredocs() {
    List<Instruction> all =
        body(
            """
            RUN <<EOF
            echo a
            EOF
            RUN python3 <<-'PY' && cat <<B
            \tprint(1)
            \tPY
            b
            B
            COPY <<"one" <<two file /dest/
            $x
            one
            $y
            two
            RUN echo $((1 << 3))
            """);
    assertThat(all).hasSize(4);
    Line run = all.getFirst().line();
    assertThat(run.heredocs()).containsExactly(new Heredoc("EOF", "echo a\n", true, false));
    Line two = all.get(1).line();
    assertThat(two.heredocs())
        .containsExactly(
            new Heredoc("PY", "\tprint(1)\n", false, true), new Heredoc("B", "b\n", true, false));
    assertThat(two.heredocs().getFirst().text()).isEqualTo("print(1)\n");
    Instruction.Copy copy = (Instruction.Copy) all.get(2);
    assertThat(copy.sources()).containsExactly("file");
    assertThat(copy.destination()).isEqualTo("/dest/");
    assertThat(copy.inline())
        .containsExactly(
            new Heredoc("one", "$x\n", false, false), new Heredoc("two", "$y\n", true, false));
    assertThat(all.get(3).line().heredocs()).isEmpty();
    assertThat(all.get(3).at().line()).isEqualTo(15);
  }

  @Test
  void aBlankMayStandBeforeTheNameOfADocument() {
    List<Instruction> all =
        body(
            """
            RUN << EOF
            echo a
            EOF
            RUN cat > /f <<- 'E-2' && cat 3<< B
            \tx
            \tE-2
            b
            B
            COPY << one << "two" /dest/
            1
            one
            2
            two
            RUN echo $((1 << a)) $(( 1 <<b )) "<< c" \\<< d && true << /e
            ONBUILD RUN << F
            f
            F
            """);
    assertThat(all).hasSize(5);
    assertThat(all.getFirst().line().heredocs())
        .containsExactly(new Heredoc("EOF", "echo a\n", true, false));
    assertThat(all.get(1).line().heredocs())
        .containsExactly(
            new Heredoc("E-2", "\tx\n", false, true), new Heredoc("B", "b\n", true, false));
    Instruction.Copy copy = (Instruction.Copy) all.get(2);
    assertThat(copy.sources()).isEmpty();
    assertThat(copy.inline())
        .containsExactly(
            new Heredoc("one", "1\n", true, false), new Heredoc("two", "2\n", false, false));
    assertThat(all.get(3).line().heredocs()).isEmpty();
    assertThat(((Instruction.OnBuild) all.get(4)).trigger()).isEqualTo("RUN << F\nf\nF");
  }

  @Test
  void documentsOfAFileWithLineEndsOfWindowsHaveNone() {
    List<Instruction> windows = body("RUN <<E\r\n  echo a >/b\r\n\r\nE\r\nRUN true\r\n");
    assertThat(windows.getFirst().line().heredocs().getFirst().content())
        .isEqualTo("  echo a >/b\n\n");
    List<Instruction> meant = body("COPY <<E /x\na\r\nE\n");
    assertThat(meant.getFirst().line().heredocs().getFirst().content()).isEqualTo("a\r\n");
  }

  @Test
  void copyAndItsFlags() {
    Instruction.Copy copy =
        (Instruction.Copy)
            one(
                "COPY --from=0 --chown=u:g --chmod=0755 --link --exclude=*.o --exclude=a --parents"
                    + " a b /c/");
    assertThat(copy.from()).isEqualTo("0");
    assertThat(copy.flags())
        .isEqualTo(
            new Instruction.CopyFlags(
                "u:g", "0755", List.of("*.o", "a"), true, true, null, false, null));
    assertThat(copy.sources()).containsExactly("a", "b");
    Instruction.Copy add =
        (Instruction.Copy) one("add --checksum=sha256:00 --unpack=false [\"a b\", \"/c d/\"]");
    assertThat(add.add()).isTrue();
    assertThat(add.keyword()).isEqualTo("ADD");
    assertThat(add.sources()).containsExactly("a b");
    assertThat(add.destination()).isEqualTo("/c d/");
    assertThat(add.flags().unpack()).isFalse();
  }

  @Test
  void namesAndValues() {
    assertThat(((Instruction.Env) one("ENV a b  c")).variables())
        .containsExactly(new Assignment("a", "b  c"));
    assertThat(((Instruction.Env) one("ENV a=b \"c d\"='e f' g=\"h\\\"\"")).variables())
        .containsExactly(
            new Assignment("a", "b"),
            new Assignment("\"c d\"", "'e f'"),
            new Assignment("g", "\"h\\\"\""));
    assertThat(((Instruction.Arg) one("ARG a b= c=\"d e\"")).arguments())
        .containsExactly(
            new Assignment("a", null), new Assignment("b", ""), new Assignment("c", "\"d e\""));
  }

  @Test
  void healthcheckTimes() {
    Instruction.Healthcheck check =
        (Instruction.Healthcheck)
            one("HEALTHCHECK --interval=1m30s --timeout=1.5s --retries=3 CMD curl -f x");
    assertThat(check.nanoseconds())
        .isEqualTo(Map.of("Interval", 90_000_000_000L, "Timeout", 1_500_000_000L));
    assertThat(check.retries()).isEqualTo(3);
    assertThat(check.command()).isEqualTo(new CommandLine(false, List.of("curl -f x")));
    assertThat(((Instruction.Healthcheck) one("HEALTHCHECK none")).command()).isNull();
  }

  @Test
  void onBuildKeepsItsDocuments() {
    Instruction.OnBuild trigger = (Instruction.OnBuild) one("ONBUILD RUN cat <<E\nx\nE\n");
    assertThat(trigger.trigger()).isEqualTo("RUN cat <<E\nx\nE");
    Instruction again = Containerfile.parseTrigger(trigger.trigger(), new Position("base", 1));
    assertThat(again.line().heredocs()).containsExactly(new Heredoc("E", "x\n", true, false));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "RUNN x | 2: unknown instruction \"RUNN\"; did you mean RUN?",
        "ENTRYPIONT x | did you mean ENTRYPOINT?",
        "FOOBAR x | unknown instruction \"FOOBAR\"",
        "RUN | RUN needs a command",
        "RUN [] | RUN needs a command, not an empty array",
        "RUN [1] | may hold strings only",
        "RUN --mont=x y | unknown flag --mont of RUN; did you mean --mount?",
        "RUN --mount y | the flag --mount needs a value",
        "RUN --network=bridge y | --network is default, none or host, not \"bridge\"",
        "COPY a | COPY needs a source and a destination",
        "COPY --chown=a --chown=b a b | --chown stands here twice",
        "COPY --link=maybe a b | --link is true or false, not \"maybe\"",
        "COPY --checksum=x a b | unknown flag --checksum of COPY",
        "ENV PATH | ENV needs a value",
        "ENV a=b c | \"c\" is not of the form name=value",
        "ENV | ENV needs an argument",
        "ARG =x | has no name",
        "SHELL bash | SHELL takes an array",
        "FROM a b | FROM takes an image, or an image AS a name",
        "FROM a AS 1x | \"1x\" cannot name a stage",
        "FROM a AS scratch | \"scratch\" cannot name a stage",
        "ONBUILD ONBUILD RUN x | ONBUILD cannot hold ONBUILD",
        "ONBUILD RUNN x | unknown instruction \"RUNN\"",
        "HEALTHCHECK CONNECT x | HEALTHCHECK takes NONE, or CMD and a command",
        "HEALTHCHECK --interval=5 CMD x | --interval is a time",
        "HEALTHCHECK --interval=5us CMD x | at least 1ms",
        "HEALTHCHECK --retries=-1 CMD x | --retries is a number",
        "VOLUME [\"\"] | VOLUME needs paths that are not empty",
        "RUN <<EOF | the document <<EOF has no end",
        "COPY a <<EOF | no end",
      })
  void mistakesAreToldWithTheirPlace(String line, String message) {
    assertThatThrownBy(() -> body(line + "\n"))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("Containerfile:2: ")
        .hasMessageContaining(message);
  }

  @Test
  void theWholeFileCanBeWrong() {
    assertThatThrownBy(() -> parse("# nothing\n"))
        .hasMessage("Containerfile:1: there is no FROM; begin with FROM IMAGE");
    assertThatThrownBy(() -> parse("\nRUN x\nFROM a"))
        .hasMessage("Containerfile:2: RUN stands before the first FROM");
    assertThatThrownBy(() -> parse("# escape=x\nFROM a"))
        .hasMessage("Containerfile:1: the escape character can be \\ or `, not \"x\"");
    assertThatThrownBy(() -> parse("# escape=`\n# escape=`\nFROM a"))
        .hasMessageContaining("Containerfile:2: the directive escape stands here a second time");
  }
}
