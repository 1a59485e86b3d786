package slipway.cli.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.linux.process.Command;

/** The registry and the systemd unit that the package brings for it. */
@Timeout(60)
class RegistryUnitTest {
  private static final Path UNIT = Path.of("..", "packaging", "slipway-registry.service");

  @TempDir Path folder;

  /** What the unit says of a key, in words. */
  private static List<String> unit(String key) throws Exception {
    String start = key + "=";
    return Files.readAllLines(UNIT).stream()
        .filter(line -> line.startsWith(start))
        .flatMap(line -> List.of(line.substring(start.length()).split(" ")).stream())
        .toList();
  }

  /** The unit's command line, with a storage and a port for a test. */
  private List<String> line() throws Exception {
    List<String> line = new ArrayList<>(unit("ExecStart"));
    assertThat(line.removeFirst()).isEqualTo("/usr/bin/slipway");
    Collections.replaceAll(line, "/var/lib/slipway-registry", folder.resolve("storage").toString());
    Collections.replaceAll(line, "127.0.0.1:5000", "127.0.0.1:0");
    assertThat(line).contains(folder.resolve("storage").toString(), "127.0.0.1:0");
    return line;
  }

  /** As systemctl stop does it, or somebody with kill: the unit has not failed then. */
  @ParameterizedTest
  @Tag("slow")
  @ValueSource(strings = {"TERM", "INT", "HUP"})
  void aRegistryThatIsStoppedHasNotFailed(String signal) throws Exception {
    // systemd sends SIGTERM when nothing is said.
    assertThat(unit("KillSignal")).isEmpty();
    List<String> words =
        new ArrayList<>(
            List.of(
                // A job in the background of a script has SIGINT ignored, and so have its children.
                "env",
                "--default-signal=HUP,INT,TERM",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "slipway.cli.Main"));
    words.addAll(line());
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    try {
      BufferedReader out = process.inputReader();
      assertThat(out.readLine()).startsWith("Listening on 127.0.0.1:");
      Command.of("kill", "-" + signal, Long.toString(process.pid())).run();
      assertThat(process.waitFor(40, TimeUnit.SECONDS)).as("ends").isTrue();
      assertThat(unit("SuccessExitStatus")).contains(Integer.toString(process.exitValue()));
      assertThat(out.lines()).containsExactly("stopped by SIG" + signal + "; cleaning up");
    } finally {
      process.destroyForcibly().waitFor();
    }
  }
}
