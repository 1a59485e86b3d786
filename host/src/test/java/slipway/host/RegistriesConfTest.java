package slipway.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.oci.Reference;

class RegistriesConfTest {
  private static final String TEXT =
      """
      unqualified-search-registries = ["docker.io"]
      [[registry]]
      location = "10.0.2.2:5000"
      insecure = true
      [[registry]]
      prefix = "quay.io/mine"
      location = "mirror.example:5000/theirs"
      [[registry]]
      prefix = "quay.io"
      blocked = true
      location = "quay.io"
      [[registry]]
      prefix = "*.internal.example"
      insecure = true
      """;

  private static RegistriesConf.Registry find(String image) {
    return RegistriesConf.parse(TEXT, "r.conf").find(Reference.parse(image));
  }

  @Test
  void decidesByTheLongestPrefix() {
    assertThat(find("10.0.2.2:5000/os:1").insecure()).isTrue();
    assertThat(find("10.0.2.2:5000/os:1").location()).hasToString("10.0.2.2:5000/os:1");
    assertThat(find("10.0.2.2:50001/os:1").insecure()).isFalse();
    assertThat(find("quay.io/mine/os:1").location()).hasToString("mirror.example:5000/theirs/os:1");
    assertThatThrownBy(() -> find("quay.io/other:1"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("blocks quay.io");
    assertThat(find("a.internal.example/x").insecure()).isTrue();
    assertThat(find("internal.example/x").insecure()).isFalse();
    assertThat(find("docker.io/x").insecure()).isFalse();
  }

  @Test
  void readsTheDirectoryInOrder(@TempDir Path root) throws IOException {
    assertThat(RegistriesConf.read(root).find(Reference.parse("a.example/b")).insecure()).isFalse();
    Path directory = Files.createDirectories(root.resolve("etc/containers/registries.conf.d"));
    Files.writeString(
        root.resolve("etc/containers/registries.conf"),
        "[[registry]]\nlocation = \"a.example\"\ninsecure = false\n");
    Files.writeString(
        directory.resolve("10.conf"), "[[registry]]\nlocation = \"a.example\"\ninsecure = true\n");
    Files.writeString(directory.resolve("notes.txt"), "not = [toml");
    assertThat(RegistriesConf.read(root).find(Reference.parse("a.example/b")).insecure()).isTrue();
    Files.writeString(directory.resolve("20.conf"), "[[registry]\n");
    assertThatThrownBy(() -> RegistriesConf.read(root))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("20.conf:2");
  }
}
