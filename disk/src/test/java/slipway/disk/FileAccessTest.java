package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;

class FileAccessTest {
  @Test
  void optionsAreRead() {
    assertThat(FileAccess.parse(null, null, 7)).isEqualTo(FileAccess.PRIVATE);
    assertThat(FileAccess.parse("0640", null, 7)).isEqualTo(new FileAccess(0640, -1, -1));
    assertThat(FileAccess.parse("644", "1000", 7)).isEqualTo(new FileAccess(0644, 1000, 7));
    assertThat(FileAccess.parse(null, "1000:100", 7)).isEqualTo(new FileAccess(0600, 1000, 100));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a", "1:", ":1", "1:2:3", "-1", "4294967295", "99999999999"})
  void whatIsNoOwnerIsRefused(String owner) {
    assertThatThrownBy(() -> FileAccess.parse(null, owner, 0)).isInstanceOf(Problem.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "4755", "9", "rw", "64"})
  void whatIsNoModeIsRefused(String mode) {
    assertThatThrownBy(() -> FileAccess.parse(mode, null, 0)).isInstanceOf(Problem.class);
  }
}
