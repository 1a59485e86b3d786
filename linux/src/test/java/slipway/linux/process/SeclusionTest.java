package slipway.linux.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;

class SeclusionTest {
  private static final List<Path> PROGRAMS =
      List.of(Path.of("/usr"), Path.of("/bin"), Path.of("/lib"), Path.of("/lib64"));

  @TempDir Path directory;

  private Path work;

  @BeforeEach
  void makeFolder() throws IOException {
    work = Files.createDirectory(directory.resolve("work"));
    Files.writeString(directory.resolve("secret"), "secret");
  }

  private Command.Result run(String script, String... arguments) throws IOException {
    return Seclusion.call(
        PROGRAMS,
        work,
        () -> Command.of("/bin/sh", "-c", script, "sh").with(arguments).directory(work).tryRun());
  }

  @Test
  void aToolWorksInItsFolder() throws Exception {
    Command.Result result = run("echo it works > made && cat made");
    assertThat(result.text()).isEqualTo("it works\n");
    assertThat(work.resolve("made")).hasContent("it works");
  }

  @Test
  void nothingElseIsReadOrWritten() throws Exception {
    assertThat(run("cat \"$1\"", directory + "/secret").status()).isNotZero();
    assertThat(run("echo x > \"$1\"", directory + "/other").status()).isNotZero();
    assertThat(run("rm \"$1\"", directory + "/secret").status()).isNotZero();
    assertThat(run("cat /proc/1/status").status()).isNotZero();
    assertThat(directory.resolve("secret")).exists();
    assertThat(directory.resolve("other")).doesNotExist();
  }

  @Test
  void thereIsNoNetworkAndNobodyToSignal() throws Exception {
    String connect =
        "import sys, _socket\ntry: _socket.socket(int(sys.argv[1]))\nexcept PermissionError: sys.exit(9)";
    for (String family : List.of("1", "2", "10")) {
      Command python = Command.of("/usr/bin/python3", "-ISc", connect, family);
      assertThat(python.tryRun().status()).describedAs("outside").isZero();
      Command.Result inside = Seclusion.call(PROGRAMS, work, () -> python.tryRun());
      assertThat(inside.status()).describedAs(inside.stderr()).isEqualTo(9);
    }
    Process other = new ProcessBuilder("sleep", "60").start();
    try {
      assertThat(run("kill -0 \"$1\"", Long.toString(other.pid())).status()).isNotZero();
    } finally {
      other.destroyForcibly();
    }
  }

  @Test
  void otherThreadsAreAsBefore() throws Exception {
    run("true");
    assertThat(Command.of("cat", directory + "/secret").output()).isEqualTo("secret");
    try (ServerSocket socket = new ServerSocket(0)) {
      assertThat(socket.isBound()).isTrue();
    }
  }

  @Test
  void failuresComeThrough() {
    assertThatThrownBy(
            () ->
                Seclusion.call(
                    PROGRAMS,
                    work,
                    () -> {
                      throw Problem.input("told");
                    }))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("told");
  }
}
