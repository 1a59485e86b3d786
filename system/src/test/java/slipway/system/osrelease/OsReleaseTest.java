package slipway.system.osrelease;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class OsReleaseTest {
  @Test
  void readsOsRelease() {
    assertThat(OsRelease.parse("A=b\nPRETTY_NAME=\"x \\\"y\\\" \\$z\"\n#C=d\nE='q w'\n"))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("A", "b", "PRETTY_NAME", "x \"y\" $z", "E", "q w"));
  }
}
