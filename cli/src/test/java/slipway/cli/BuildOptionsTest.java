package slipway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Options of build that messages of the builder name, and where the Containerfile is looked for.
 */
class BuildOptionsTest {
  @TempDir Path directory;

  private String build(int status, String... more) {
    String[] arguments = new String[more.length + 3];
    arguments[0] = "build";
    arguments[1] = "--root";
    arguments[2] = directory.resolve("state").toString();
    System.arraycopy(more, 0, arguments, 3, more.length);
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream errors = new PrintStream(err, true, StandardCharsets.UTF_8);
    assertThat(Main.run("slipway", arguments, errors, errors)).isEqualTo(status);
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void optionsThatMessagesNameExist() {
    String context = directory.toString();
    assertThat(build(2, "--allow", "network.host", context))
        .contains("--allow takes security.insecure or onbuild, not \"network.host\"");
    assertThat(build(2, "--ssh", "=/run/x", context))
        .contains("--ssh \"=/run/x\" names no agent; expected ID=SOCKET");
    assertThat(build(1, "--allow", "security.insecure", "--ssh", "default=/run/x", context))
        .contains("there is no " + directory.resolve("Dockerfile"));
  }

  @Test
  void theContainerfileMayBeNamedFromTheContextOn() throws Exception {
    Path context = Files.createDirectories(directory.resolve("context/sub"));
    Files.writeString(context.resolve("Other"), "FROM\n");
    assertThat(build(1, "-f", "sub/Other", context.getParent().toString()))
        .contains(context.resolve("Other") + ":1: FROM takes an image");
  }
}
