package slipway.linux.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;

/** Holes stay holes, and the content is the same whatever the pieces it comes in. */
@Timeout(60)
class SparseTest {
  private static final int NEW = Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL;

  @TempDir Path folder;

  private static long blocks(Path file) {
    return Long.parseLong(Command.of("stat", "-c", "%b", file.toString()).output());
  }

  /** Data and zeros by turns, of lengths that end anywhere. */
  private static byte[] content(Random random, int size) {
    byte[] bytes = new byte[size];
    for (int at = 0; at < size; ) {
      int n = Math.min(size - at, 1 + random.nextInt(400_000));
      if (random.nextBoolean()) {
        byte[] data = new byte[n];
        random.nextBytes(data);
        System.arraycopy(data, 0, bytes, at, n);
      }
      at += n;
    }
    return bytes;
  }

  @Test
  void writesWhatItIsGiven() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int round = 0; round < 20; round++) {
      byte[] bytes = content(random, 1 + random.nextInt(3 << 20));
      Path file = folder.resolve("f" + round);
      int fd = Posix.open(OsPath.of(file), NEW, 0600);
      SparseOutput out = new SparseOutput(fd, bytes.length);
      for (int at = 0; at < bytes.length; ) {
        int n = Math.min(bytes.length - at, 1 + random.nextInt(300_000));
        out.write(bytes, at, n);
        at += n;
      }
      out.finish();
      Posix.close(fd);
      assertThat(Files.readAllBytes(file)).as("seed " + seed).isEqualTo(bytes);
      Path copy = folder.resolve("c" + round);
      copy(file, copy);
      assertThat(Files.readAllBytes(copy)).as("seed " + seed).isEqualTo(bytes);
      try (FdInput in = FdInput.open(OsPath.of(copy))) {
        in.skipHoles();
        assertThat(in.readAllBytes()).as("seed " + seed).isEqualTo(bytes);
      }
    }
  }

  private static void copy(Path from, Path to) throws Exception {
    int in = Posix.open(OsPath.of(from), Posix.O_RDONLY, 0);
    int out = Posix.open(OsPath.of(to), NEW, 0600);
    try {
      SparseCopy.copy(in, out, new byte[64 * 1024]);
    } finally {
      Posix.close(in);
      Posix.close(out);
    }
  }

  @Test
  void threeGigabytesOfHoleTakeNoSpaceAndNoTime() throws Exception {
    Path file = folder.resolve("hole");
    Command.of("truncate", "-s", "3G", file.toString()).run();
    Files.write(file, new byte[] {1}, java.nio.file.StandardOpenOption.WRITE);
    Path copy = folder.resolve("copy");
    long start = System.nanoTime();
    copy(file, copy);
    assertThat((System.nanoTime() - start) / 1e9).isLessThan(5);
    assertThat(Files.size(copy)).isEqualTo(3L << 30);
    assertThat(blocks(copy)).isLessThan(2048);

    try (FdInput in = FdInput.open(OsPath.of(copy))) {
      in.skipHoles();
      assertThat(in.transferTo(java.io.OutputStream.nullOutputStream())).isEqualTo(3L << 30);
    }

    Path written = folder.resolve("written");
    int fd = Posix.open(OsPath.of(written), NEW, 0600);
    SparseOutput out = new SparseOutput(fd, 3L << 30);
    byte[] zeros = new byte[256 * 1024];
    for (long at = 0; at < 3L << 30; at += zeros.length) {
      out.write(zeros, 0, zeros.length);
    }
    out.finish();
    Posix.close(fd);
    assertThat(Files.size(written)).isEqualTo(3L << 30);
    assertThat(blocks(written)).isZero();
  }

  @Test
  void filesOfTheKernelAreCopiedToTheirEnd() throws Exception {
    copy(Path.of("/proc/self/status"), folder.resolve("status"));
    assertThat(Files.readString(folder.resolve("status"))).startsWith("Name:");
  }
}
