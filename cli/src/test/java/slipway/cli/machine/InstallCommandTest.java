package slipway.cli.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.disk.config.InstallConfig;

/** What {@code bootc install print-configuration} prints: the keys are those of bootc 1.16. */
class InstallCommandTest {
  @TempDir Path root;

  @Test
  void theConfigurationIsOneLineOfJson() throws Exception {
    assertThat(InstallJson.of(InstallConfig.ofSystem(root, "amd64"), true))
        .isEqualTo(
            """
            {"block":null,"boot-mount-spec":null,"bootloader":null,"bootupd":null,\
            "discoverable-partitions":null,"enforce-container-sigpolicy":null,"filesystem":null,\
            "match-architectures":null,"ostree":null,"root-fs-type":null,"root-mount-spec":null,\
            "stateroot":null}""");
    Path folder = Files.createDirectories(root.resolve("usr/lib/bootc/install"));
    Files.writeString(
        folder.resolve("1.toml"),
        "[install]\nroot-fs-type = \"xfs\"\nkargs = [\"a\"]\nkarg-deletes = [\"b\"]\n");
    InstallConfig config = InstallConfig.ofSystem(root, "amd64");
    assertThat(InstallJson.of(config, false))
        .contains("\"block\":[\"direct\"]", "\"filesystem\":{\"root\":{\"type\":\"xfs\"}}")
        .doesNotContain("karg");
    assertThat(InstallJson.of(config, true)).contains("\"karg-deletes\":[\"b\"],\"kargs\":[\"a\"]");
  }
}
