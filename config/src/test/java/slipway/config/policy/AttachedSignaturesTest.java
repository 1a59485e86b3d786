package slipway.config.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;

/** Where registries.d says that signatures are not attached to images, none there counts. */
class AttachedSignaturesTest extends PolicyCase {
  private static final String NO = "{use-sigstore-attachments: false}";
  private static final String YES = "{use-sigstore-attachments: true}";

  private void setting(String name, String text) throws IOException {
    Path file = dir.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @Test
  void theNarrowestScopeThatSaysAnythingCounts() throws IOException {
    sign("ours", payload(NAME.toString(), image.digest()));
    setting("etc/containers/registries.d/default.yaml", "default-docker: " + NO + "\n");
    refused(NAME, "its signature is not looked for, " + dir.resolve("etc/containers/registries.d"));
    String scopes = "docker:\n  registry.example: " + YES + "\n  registry.example/os/web: {}\n";
    setting("etc/containers/registries.d/os.yaml", scopes);
    assertThat(get(NAME)).isEqualTo(image);
    setting("etc/containers/registries.d/os.yaml", scopes + "  registry.example/os: " + NO + "\n");
    refused(NAME, "its signature is not looked for");
    setting("etc/containers/registries.d/os.yaml", "docker:\n  elsewhere.example: " + NO + "\n");
    setting(
        "etc/containers/registries.d/default.yaml", "default-docker:\n  lookaside: file:///x\n");
    assertThat(get(NAME)).isEqualTo(image);
  }

  @Test
  void aFileOfTheMachineStandsForTheVendors() throws IOException {
    sign("ours", payload(NAME.toString(), image.digest()));
    setting("usr/share/containers/registries.d/os.yaml", "default-docker: " + NO + "\n");
    refused(NAME, "its signature is not looked for");
    setting("etc/containers/registries.d/os.yaml", "");
    assertThat(get(NAME)).isEqualTo(image);
  }

  @Test
  void whatCannotBeReadIsTold() throws IOException {
    sign("ours", payload(NAME.toString(), image.digest()));
    String place = "etc/containers/registries.d/";
    for (String text :
        new String[] {
          "default-docker: [",
          "default-docker: {use-sigstore-attachments: maybe}",
          "docker: {a: " + NO + ", a: " + YES + "}"
        }) {
      setting(place + "a.yaml", text);
      assertThatThrownBy(() -> get(NAME))
          .as(text)
          .isInstanceOf(Problem.class)
          .hasMessageStartingWith(dir.resolve(place + "a.yaml") + ": ");
    }
    setting(place + "a.yaml", "default-docker: " + YES);
    setting(place + "b.yaml", "default-docker: " + YES);
    assertThatThrownBy(() -> get(NAME)).hasMessageContaining("default-docker stands in ");
  }
}
