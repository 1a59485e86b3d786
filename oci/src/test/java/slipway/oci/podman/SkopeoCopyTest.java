package slipway.oci.podman;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SkopeoCopyTest {
  /** As skopeo 1.9 prints it: what it did before stands there, too. */
  @Test
  void theCauseIsToldAndNothingElse() {
    String log =
        """
        time="2026-11-29T17:05:47Z" level=info msg="[graphdriver] using prior storage driver: overlay"
        time="2026-11-29T17:05:47Z" level=fatal msg="initializing source: reference \\"x/y:1\\" is no image"
        """;
    assertThat(SkopeoCopy.cause(log))
        .isEqualTo("initializing source: reference \"x/y:1\" is no image");
    assertThat(SkopeoCopy.cause("time=\"t\" level=error msg=denied\n")).isEqualTo("denied");
    assertThat(SkopeoCopy.cause("something else\n")).isEqualTo("something else");
  }
}
