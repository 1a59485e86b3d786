package slipway.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class FullDiskTest {
  @Test
  void aFullDiskIsFoundBelowOtherFailures() {
    IOException full = new IOException("write fd 39: No space left on device");
    assertThat(FullDisk.isCauseOf(new IllegalStateException("x", new IOException("y", full))))
        .isTrue();
    assertThat(FullDisk.isCauseOf(new IOException("Disk quota exceeded"))).isTrue();
    assertThat(FullDisk.isCauseOf(new IllegalStateException("No space left on device"))).isFalse();
    assertThat(FullDisk.tell(Path.of("/s"), full))
        .startsWith("no space is left on the file system of /s; make room there");
    assertThat(FullDisk.tell(Path.of("/s"), new IOException("other"))).isEqualTo("other");
  }
}
