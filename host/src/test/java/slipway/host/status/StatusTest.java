package slipway.host.status;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

class StatusTest {
  private static final HostStatus.ImageName NAME =
      new HostStatus.ImageName("quay.io/example/someimage:latest", "registry", null);

  private static final HostStatus.Notes NONE = HostStatus.Notes.NONE;

  private static HostStatus.Entry entry(
      HostStatus.@Nullable Image image, HostStatus.@Nullable Image update, boolean pinned) {
    return entry(image, update, pinned, "default", 1);
  }

  /** The entry that boots next. */
  private static HostStatus.Entry first(HostStatus.Image image, String stateroot) {
    return entry(image, null, false, stateroot, 0);
  }

  private static HostStatus.Entry entry(
      HostStatus.@Nullable Image image,
      HostStatus.@Nullable Image update,
      boolean pinned,
      String stateroot,
      int index) {
    return new HostStatus.Entry(
        image,
        update,
        false,
        pinned,
        false,
        false,
        stateroot,
        "26".repeat(32),
        0,
        index,
        List.of(),
        null);
  }

  private static HostStatus.Image image(
      String digit, @Nullable String version, @Nullable String time) {
    return new HostStatus.Image(NAME, version, time, "sha256:" + digit.repeat(64), "arm64");
  }

  private static HostStatus status(
      HostStatus.@Nullable Entry staged,
      HostStatus.@Nullable Entry booted,
      HostStatus.@Nullable Entry rollback,
      HostStatus.Entry... others) {
    return new HostStatus(
        NAME, staged, booted, rollback, List.of(others), false, null, false, NONE);
  }

  @Test
  void showsStagedAndBooted() {
    HostStatus status =
        status(
            entry(image("1", "nightly", "2023-10-14T19:22:15.42Z"), null, false),
            entry(image("7", "nightly", "2023-09-30T19:22:16Z"), null, false),
            null);
    assertThat(StatusText.render(status, false, true))
        .isEqualTo(
            """
              Staged image: quay.io/example/someimage:latest
                    Digest: sha256:1111111111111111111111111111111111111111111111111111111111111111 (arm64)
                   Version: nightly (2023-10-14T19:22:15Z)

            ● Booted image: quay.io/example/someimage:latest
                    Digest: sha256:7777777777777777777777777777777777777777777777777777777777777777 (arm64)
                   Version: nightly (2023-09-30T19:22:16Z)
            """);
  }

  @Test
  void showsPinnedOthersAndUpdates() {
    HostStatus.Image booted = image("4", "stream9", null);
    HostStatus status =
        status(
            null,
            entry(booted, image("a", "stream10", "2024-09-01T12:00:00Z"), true),
            null,
            entry(image("5", null, "2024-09-01T12:00:00Z"), null, true));
    assertThat(StatusText.render(status, false, false))
        .isEqualTo(
            """
            * Booted image: quay.io/example/someimage:latest
                    Digest: sha256:4444444444444444444444444444444444444444444444444444444444444444 (arm64)
                   Version: stream9
                    Pinned: yes
             UpdateVersion: stream10 (2024-09-01T12:00:00Z)
              UpdateDigest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa

               Other image: quay.io/example/someimage:latest
                    Digest: sha256:5555555555555555555555555555555555555555555555555555555555555555 (arm64)
                 Timestamp: 2024-09-01T12:00:00Z
                    Pinned: yes
            """);
    HostStatus same = status(null, entry(booted, booted, false), null);
    assertThat(StatusText.render(same, false, true)).doesNotContain("Update");
    HostStatus nameless = status(null, entry(booted, image("b", null, null), false), null);
    assertThat(StatusText.render(nameless, false, true))
        .contains("        Update: Available\n  UpdateDigest: sha256:bbb");
  }

  /** A rollback changes no entry's place here, and a reset looks like an update. */
  @Test
  void showsWhatElseTheNextBootChanges() {
    HostStatus.Entry booted = entry(image("2", "2", null), null, false);
    HostStatus.Entry before = entry(image("1", "1", null), null, false);
    HostStatus.Entry first = first(image("1", "1", null), "default");
    HostStatus back = new HostStatus(NAME, null, booted, first, List.of(), true, null, false, NONE);
    assertThat(StatusText.render(back, false, true)).endsWith("\n       Next boot: yes\n");
    assertThat(StatusText.render(status(null, booted, before), false, true))
        .doesNotContain("Next boot")
        .doesNotContain("StateRoot");
    HostStatus.Entry reset = first(image("2", "2", null), "state-2026-0");
    assertThat(StatusText.render(status(reset, booted, null), false, true))
        .containsOnlyOnce("     StateRoot: state-2026-0, with /etc and /var of its own\n\n");
    assertThat(StatusText.render(status(reset, booted, null), true, true))
        .containsOnlyOnce("     StateRoot: state-2026-0\n");
  }

  @Test
  void showsPlainOstreeAndOverlayAndDetails() {
    HostStatus status =
        new HostStatus(
            null,
            entry(null, null, false),
            entry(null, null, false),
            null,
            List.of(),
            false,
            new HostStatus.UsrOverlay(true, false),
            false,
            NONE);
    String commit = "26".repeat(32);
    assertThat(StatusText.render(status, false, true))
        .isEqualTo(
            "  Staged ostree\n         Commit: "
                + commit
                + "\n\n● Booted ostree\n           Commit: "
                + commit
                + "\n     /usr overlay: transient, read/write\n");
    HostStatus image =
        status(
            entry(image("1", "1", null), null, false),
            entry(image("2", "2", null), null, false),
            null);
    assertThat(StatusText.render(image, true, true))
        .contains(
            "     StateRoot: default\n"
                + " Deploy serial: 0\n"
                + "         Index: 1\n"
                + "        Staged: yes\n"
                + "        Commit: "
                + commit
                + "\n   Soft-reboot: no\n Download-only: no\n");
  }

  @Test
  void saysWhenNothingIsDeployed() {
    assertThat(StatusText.render(HostStatus.none(), false, true))
        .isEqualTo("System is not deployed via bootc.\n");
    assertThat(StatusDocument.json(HostStatus.none()))
        .isEqualTo(
            "{\"apiVersion\":\"org.containers.bootc/v1\",\"kind\":\"BootcHost\","
                + "\"metadata\":{\"name\":\"host\"},"
                + "\"spec\":{\"bootOrder\":\"default\",\"image\":null},"
                + "\"status\":{\"booted\":null,\"readOnly\":false,\"rollback\":null,"
                + "\"rollbackQueued\":false,\"staged\":null,\"type\":null,\"usrOverlay\":null}}");
  }

  @Test
  void writesTheSameInJsonAndYaml() {
    HostStatus status =
        new HostStatus(
            new HostStatus.ImageName(
                "127.0.0.1:5000/os: \"odd\" name's", "oci", "ostreeRemote:fedora"),
            entry(image("1", "1.2", "2023-10-14T19:22:15Z"), image("2", "null", null), false),
            entry(image("7", "42\n", null), null, true),
            null,
            List.of(entry(null, null, false), entry(image("8", "1e5", null), null, false)),
            true,
            new HostStatus.UsrOverlay(false, true),
            true,
            new HostStatus.Notes(
                List.of("+a: b", "-c"),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of()));
    var json = JsonMapper.shared().readTree(StatusDocument.json(status));
    var yaml = YAMLMapper.shared().readTree(StatusDocument.yaml(status));
    assertThat(yaml).isEqualTo(json);
    assertThat(json.at("/metadata/annotations/slipway.kernel-arguments").asString())
        .isEqualTo("+a: b -c");
    assertThat(json.at("/spec/bootOrder").asString()).isEqualTo("rollback");
    assertThat(json.at("/spec/image/signature/ostreeRemote").asString()).isEqualTo("fedora");
    assertThat(json.at("/status/staged/image/version").asString()).isEqualTo("1.2");
    assertThat(json.at("/status/staged/ostree/deploySerial").isInt()).isTrue();
    assertThat(json.at("/status/type").asString()).isEqualTo("bootcHost");
    assertThat(json.at("/status/otherDeployments").size()).isEqualTo(2);
  }

  @Test
  void readsAnImagesConfiguration() {
    ImageFacts facts =
        ImageFacts.parse(
            "{\"created\":\"2024-01-01T00:00:00Z\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[\"x\"]},"
                + "\"config\":{\"Env\":[\"A=b\"],\"Labels\":{\"version\":\"7\",\"containers.bootc\":\"1\","
                + "\"org.opencontainers.image.version\":\"8\"}}}");
    assertThat(facts).isEqualTo(new ImageFacts("amd64", "8", "2024-01-01T00:00:00Z", "1"));
  }

  /** Readers of the status parse the time, so one that is none is not told. */
  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "2024-02-29T00:00:00Z, 2024-02-29T00:00:00Z",
        "2024-01-01T23:59:60.123456789+05:30, 2024-01-01T23:59:60.123456789+05:30",
        "'', -",
        "2024-01-01, -",
        "2023-02-29T00:00:00Z, -",
        "2024-13-01T00:00:00Z, -",
        "2024-01-01T24:00:00Z, -",
        "2024-01-01T00:00:00, -",
        "yesterday, -"
      })
  void aTimeThatIsNoneIsNotTold(String given, @Nullable String told) {
    String label = "{\"config\":{\"Labels\":{\"org.opencontainers.image.created\":\"%s\"}}}";
    assertThat(ImageFacts.parse(label.formatted(given)).created()).isEqualTo(told);
    assertThat(ImageFacts.parse("{\"created\":\"%s\"}".formatted(given)).created()).isEqualTo(told);
  }
}
