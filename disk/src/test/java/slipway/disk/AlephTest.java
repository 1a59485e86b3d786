package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** The fields and their order are those of bootc 1.16. */
class AlephTest {
  @Test
  void itSaysWhatAMachineWasInstalledFrom() {
    Aleph aleph =
        new Aleph(
            "quay.io/x/y@sha256:ab",
            "sha256:ab",
            "quay.io/x/y:1",
            Map.of(
                "org.opencontainers.image.version", "1.2",
                "org.opencontainers.image.created", "2026-01-02T04:04:05+01:00",
                "containers.bootc", "1"),
            false);
    assertThat(aleph.json("6.1.0"))
        .isEqualTo(
            """
            {"digest":"sha256:ab","image":"quay.io/x/y@sha256:ab","kernel":"6.1.0","labels":{\
            "containers.bootc":"1","org.opencontainers.image.created":"2026-01-02T04:04:05+01:00",\
            "org.opencontainers.image.version":"1.2"},"selinux":"disabled",\
            "target-image":"quay.io/x/y:1","timestamp":"2026-01-02T03:04:05Z","version":"1.2"}""");
    assertThat(new Aleph(null, "d", "t", Map.of("version", "3"), true).json("k"))
        .contains("\"selinux\":\"", "\"timestamp\":null", "\"version\":\"3\"")
        .doesNotContain("\"image\"", "\"selinux\":\"disabled\"");
  }
}
