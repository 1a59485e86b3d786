package slipway.distro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;

class BaseAgentTest {
  @TempDir Path product;

  private void host(String list) throws IOException {
    try (OutputStream out = Files.newOutputStream(product.resolve("slipway-host-1.0.jar"));
        JarOutputStream jar = new JarOutputStream(out)) {
      jar.putNextEntry(new ZipEntry("slipway/host/jars.txt"));
      jar.write(list.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** The second compiler takes more of an upgrade than it gives back, but for the digests. */
  @Test
  void theSecondCompilerLooksAtDigestsOnly() {
    assertThat(BaseAgent.runOptions().lines())
        .contains("-XX:CompilerDirectivesFile=/usr/lib/slipway/compiler-directives.json");
    assertThat(new String(BaseImage.resource("compiler-directives.json"), StandardCharsets.UTF_8))
        .contains("{ \"match\": [\"sun/security/provider/*.*\"], \"c2\": { \"Exclude\": false } }")
        .contains("{ \"match\": [\"*.*\"], \"c2\": { \"Exclude\": true } }");
  }

  /** The list as Maven writes it. */
  @Test
  void theAgentIsWhatTheHostNeeds() throws IOException {
    for (String name :
        new String[] {
          "slipway-cli-1.0",
          "slipway-startup-1.0",
          "picocli-4.7",
          "x-y-1.2",
          "z-3",
          "slipway-registry-1.0"
        }) {
      Files.createFile(product.resolve(name + ".jar"));
    }
    host(
        """

        The following files have been resolved:
           org.example:x-y:jar:1.2:compile -- module x.y (auto)
           org.example:z:jar:3:runtime
           org.example:judge:jar:4:test

        """);
    assertThat(BaseAgent.hostJars(product).stream().map(p -> p.getFileName().toString()))
        .containsExactly(
            "picocli-4.7.jar",
            "slipway-cli-1.0.jar",
            "slipway-host-1.0.jar",
            "slipway-startup-1.0.jar",
            "x-y-1.2.jar",
            "z-3.jar");
    Files.delete(product.resolve("x-y-1.2.jar"));
    assertThatThrownBy(() -> BaseAgent.hostJars(product))
        .isInstanceOf(Problem.class)
        .hasMessage(product + " has no jar x-y-1.2; it is not the product's folder of jars");
  }
}
