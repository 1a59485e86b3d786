package slipway.host.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** As {@code rpm-ostree status} of 2024 tells it. */
class RpmOstreeStatusTest {
  private static HostStatus.Entry entry(
      int serial, @Nullable String signature, @Nullable String version, boolean pinned) {
    HostStatus.ImageName name =
        new HostStatus.ImageName("quay.io/fedora/fedora-coreos:stable", "registry", signature);
    return new HostStatus.Entry(
        new HostStatus.Image(
            name, version, "2023-08-22T18:51:37.5Z", "sha256:" + "e6".repeat(32), "amd64"),
        null,
        false,
        pinned,
        false,
        false,
        "fedora-coreos",
        "26".repeat(32),
        serial,
        serial,
        List.of(),
        null);
  }

  private static HostStatus status(boolean rollbackQueued) {
    HostStatus.Entry ostree =
        new HostStatus.Entry(
            null,
            null,
            false,
            false,
            false,
            false,
            "other",
            "ab".repeat(32),
            2,
            2,
            List.of(),
            null);
    return new HostStatus(
        null,
        null,
        entry(0, "containerPolicy", "38.1", false),
        entry(1, null, null, true),
        List.of(ostree),
        rollbackQueued,
        new HostStatus.UsrOverlay(true, false),
        false,
        HostStatus.Notes.NONE);
  }

  @Test
  void textIsItsOwn() {
    assertThat(RpmOstreeStatus.text(status(false), false, true))
        .isEqualTo(
            """
            State: idle
            Deployments:
            ● ostree-image-signed:docker://quay.io/fedora/fedora-coreos:stable
                               Digest: sha256:%s
                              Version: 38.1 (2023-08-22T18:51:37Z)
                             Unlocked: development

              ostree-unverified-registry:quay.io/fedora/fedora-coreos:stable
                               Digest: sha256:%s
                            Timestamp: 2023-08-22T18:51:37Z
                               Pinned: yes

              %s
                               Commit: %s
            """
                .formatted("e6".repeat(32), "e6".repeat(32), "ab".repeat(32), "ab".repeat(32)));
    assertThat(RpmOstreeStatus.text(status(true).onlyBooted(), true, false))
        .startsWith("State: idle\nDeployments:\n* ostree-image-signed:")
        .contains("Commit: 2626", "StateRoot: fedora-coreos", "Staged: no")
        .doesNotContain("unverified");
  }

  @Test
  void whatScriptsReadIsThere() {
    JsonNode json = JsonMapper.shared().readTree(RpmOstreeStatus.json(status(true)));
    JsonNode deployments = json.path("deployments");
    assertThat(deployments).hasSize(3);
    assertThat(deployments.path(0).path("booted").asBoolean()).isFalse();
    JsonNode booted = deployments.path(1);
    assertThat(booted.path("booted").asBoolean()).isTrue();
    assertThat(booted.path("id").asString()).isEqualTo("fedora-coreos-" + "26".repeat(32) + ".0");
    assertThat(booted.path("checksum").asString()).isEqualTo("26".repeat(32));
    assertThat(booted.path("version").asString()).isEqualTo("38.1");
    assertThat(booted.path("timestamp").asLong()).isEqualTo(1_692_730_297);
    assertThat(booted.path("unlocked").asString()).isEqualTo("development");
    assertThat(booted.path("container-image-reference").asString())
        .isEqualTo("ostree-image-signed:docker://quay.io/fedora/fedora-coreos:stable");
    assertThat(booted.path("container-image-reference-digest").asString()).startsWith("sha256:e6");
    assertThat(booted.path("requested-packages")).isEmpty();
    assertThat(booted.path("requested-packages").isArray()).isTrue();
    assertThat(json.path("transaction").isNull()).isTrue();
    assertThat(deployments.path(2).has("container-image-reference")).isFalse();
  }

  @Test
  void whereNothingIsDeployedItFails() {
    assertThatThrownBy(() -> RpmOstreeStatus.json(HostStatus.none()))
        .isInstanceOf(Problem.class)
        .hasMessage("System is not deployed via bootc.");
  }
}
