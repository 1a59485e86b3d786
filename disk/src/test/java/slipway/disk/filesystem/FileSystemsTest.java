package slipway.disk.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.process.Command;

/** On disks that loop devices play. */
class FileSystemsTest {
  private static final long GIB = 1L << 30;

  @TempDir Path dir;

  private Path file() throws IOException {
    Path file = dir.resolve("disk");
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(4 * GIB);
    }
    return file;
  }

  /** Bytes written to it, zeros that the kernel is asked for too (Documentation/block/stat.rst). */
  private static long written(LoopDevice disk) throws IOException {
    Path stat = Path.of("/sys/block/" + disk.device().getFileName() + "/stat");
    return 512 * Long.parseLong(Files.readString(stat).strip().split(" +")[6]);
  }

  @ParameterizedTest
  @EnumSource(RootFileSystem.class)
  void aDiskThatIsWrittenOverIsNotFilledWithZeros(RootFileSystem type) throws IOException {
    try (LoopDevice disk = LoopDevice.attach(file(), 0, 0);
        LoopDevice part = LoopDevice.attach(disk.device(), 1 << 20, 3 * GIB)) {
      long before = written(disk);
      FileSystems.make(
          part.device(), new FileSystems.Wanted(type, "root", UUID.randomUUID(), false, 512));
      Command.of("blockdev", "--flushbufs", disk.device().toString()).run();
      assertThat(written(disk) - before).isLessThan(GIB);
    }
  }

  @Test
  void aDiskIsToldThatNothingCounts() throws IOException {
    Path file = file();
    byte[] old = new byte[1 << 20];
    old[0] = 1;
    for (boolean isDevice : new boolean[] {false, true}) {
      try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
        out.write(old);
      }
      try (LoopDevice disk = LoopDevice.attach(file, 0, 0)) {
        FileSystems.discard(isDevice ? disk.device() : file);
      }
      try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
        assertThat(in.read()).isZero();
        assertThat(in.length()).isEqualTo(4 * GIB);
      }
    }
  }
}
