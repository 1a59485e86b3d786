package slipway.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.cli.Main;
import slipway.cli.machine.Bootc;

class ExitCodesTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String... words) {
    PrintStream out = new PrintStream(err, true, StandardCharsets.UTF_8);
    return Main.run("bootc", words, out, out);
  }

  /** This is no machine to upgrade, which is refused. */
  @Test
  void aScriptIsToldMoreOnlyWhenItAsks() {
    assertThat(run("upgrade")).isEqualTo(1);
    assertThat(run("upgrade", "--exit-code")).isEqualTo(78);
    assertThat(run("switch", "--exit-code", "registry.example/os")).isEqualTo(78);
    assertThat(run("upgrade", "--exit-code", "--check", "--apply")).isEqualTo(2);
    assertThat(run("upgrade", "--exit-code", "--require-digest", "abc")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8).lines()).allMatch(l -> l.startsWith("error: "));
  }

  @ParameterizedTest
  @CsvSource({
    "USAGE, 2",
    "INPUT, 78",
    "NOT_FOUND, 78",
    "DENIED, 78",
    "UNAVAILABLE, 75",
    "CORRUPT, 1",
    "FULL, 78",
    "ENVIRONMENT, 78"
  })
  void everyKindHasItsCode(Problem.Kind kind, int code) {
    picocli.CommandLine line = new picocli.CommandLine(new Bootc.Upgrade());
    Bootc.Upgrade command = line.getCommand();
    line.parseArgs("--exit-code");
    Problem problem = new Problem(kind, "no");
    assertThat(command.exitCode(problem)).isEqualTo(code);
    assertThat(command.exitCode(problem.afterChange())).isEqualTo(kind.exitCode());
    line.parseArgs();
    assertThat(command.exitCode(problem)).isEqualTo(kind.exitCode());
  }
}
