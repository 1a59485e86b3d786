package slipway.oci.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.oci.model.Digest;

class DiffIdsTest {
  /** What zstd needs lies outside the heap: nobody sees it grow, and no collection frees it. */
  @Test
  void theMemoryOfALayerIsFreedWhenItsDigestIsKnown() throws IOException {
    byte[] layer = zstdOfLargeWindow(new byte[512]);
    byte[] damaged = layer.clone();
    damaged[6] |= 6; // A kind of block that does not exist.
    long before = dataKib();
    for (int i = 0; i < 40; i++) {
      Digest.Algorithm sha256 = Digest.Algorithm.SHA256;
      assertThat(DiffIds.hash(new ByteArrayInputStream(layer), sha256, "layer").diffId())
          .isEqualTo(Digest.sha256(new byte[512]));
      assertThatThrownBy(() -> DiffIds.hash(new ByteArrayInputStream(damaged), sha256, "layer"))
          .isInstanceOf(Problem.class);
    }
    assertThat(dataKib() - before).isLessThan(2L << 20); // Else over 5 GiB.
  }

  /** RFC 8878, 3.1.1: a frame with a window of 128 MiB, of which one raw block is used. */
  private static byte[] zstdOfLargeWindow(byte[] content) {
    int block = content.length << 3 | 1;
    return ByteBuffer.allocate(9 + content.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(0xfd2fb528)
        .put((byte) 0)
        .put((byte) (17 << 3))
        .put((byte) block)
        .putShort((short) (block >> 8))
        .put(content)
        .array();
  }

  private static long dataKib() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmData:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .sum();
  }
}
