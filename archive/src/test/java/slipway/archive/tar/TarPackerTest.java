package slipway.archive.tar;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.junit.jupiter.api.Test;
import slipway.base.FullDisk;

/** Archives that cannot be written. */
class TarPackerTest {
  /** Layers are added by several threads: whichever is told of first, the reason is the same. */
  @Test
  void aFullDiskIsTheReasonOfAllThatFails() throws Exception {
    OutputStream full =
        new OutputStream() {
          @Override
          public void write(int one) throws IOException {
            throw new IOException("No space left on device");
          }
        };
    try (TarPacker tar = new TarPacker(full)) {
      byte[] blob = new byte[100_000];
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> tar.add("blob", blob.length, new ByteArrayInputStream(blob)))
            .isInstanceOf(IOException.class)
            .hasMessage("cannot write the archive: No space left on device")
            .matches(FullDisk::isCauseOf);
      }
    }
  }
}
