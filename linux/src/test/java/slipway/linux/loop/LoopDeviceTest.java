package slipway.linux.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.mount.Mount;
import slipway.linux.mount.MountNamespace;
import slipway.linux.posix.UnixException;
import slipway.linux.process.Command;

class LoopDeviceTest {
  @TempDir Path directory;

  private Path file(int mebibytes) throws Exception {
    Path file = directory.resolve("disk-" + mebibytes);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength((long) mebibytes << 20);
    }
    return file;
  }

  /** What the kernel itself says is attached. */
  private static String backing(Path device) throws Exception {
    Path file = Path.of("/sys/block", device.getFileName().toString(), "loop/backing_file");
    return Files.exists(file) ? Files.readString(file).strip() : "";
  }

  /** The kernel takes the device away a moment after its last user. */
  private static void assertDetached(Path device, Path file) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (backing(device).equals(file.toString()) && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(20);
    }
    assertThat(backing(device)).isNotEqualTo(file.toString());
  }

  @Test
  void aPartOfAFileIsADevice() throws Exception {
    Path file = file(4);
    Path device;
    try (LoopDevice loop = LoopDevice.attach(file, 1 << 20, 2 << 20)) {
      device = loop.device();
      assertThat(backing(device)).isEqualTo(file.toString());
      assertThat(Command.of("blockdev", "--getsize64", device.toString()).output())
          .isEqualTo("2097152");
      Files.writeString(device, "hello");
      Command.of("blockdev", "--flushbufs", device.toString()).run();
    }
    assertDetached(device, file);
    byte[] bytes = Files.readAllBytes(file);
    assertThat(new String(bytes, 1 << 20, 5, java.nio.charset.StandardCharsets.US_ASCII))
        .isEqualTo("hello");
  }

  @Test
  void theDeviceLivesAsLongAsItsMount() throws Exception {
    Path file = file(8);
    Path target = Files.createDirectory(directory.resolve("target"));
    Path device;
    try (LoopDevice loop = LoopDevice.attach(file, 0, 0)) {
      device = loop.device();
      Command.of("mkfs.ext4", "-q", device.toString()).run();
      try (Mount mount = Mount.of(device.toString(), target, "ext4", 0, null)) {
        loop.close();
        assertThat(backing(device)).isEqualTo(file.toString());
        assertThat(mount.target().resolve("lost+found")).isDirectory();
      }
    }
    assertDetached(device, file);
  }

  @Test
  void manyAtOnceGetDevicesOfTheirOwn() throws Exception {
    Path file = file(1);
    List<Callable<LoopDevice>> work = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      work.add(() -> LoopDevice.attach(file, 0, 0));
    }
    List<LoopDevice> loops = new ArrayList<>();
    try (var threads = Executors.newFixedThreadPool(6)) {
      for (Future<LoopDevice> future : threads.invokeAll(work)) {
        loops.add(future.get());
      }
      assertThat(loops.stream().map(LoopDevice::device)).doesNotHaveDuplicates();
    } finally {
      for (LoopDevice loop : loops) {
        loop.close();
      }
    }
    for (LoopDevice loop : loops) {
      assertDetached(loop.device(), file);
    }
  }

  @Test
  void aMissingFileIsTold() {
    assertThatThrownBy(() -> LoopDevice.attach(directory.resolve("absent"), 0, 0))
        .isInstanceOf(UnixException.class)
        .hasMessageContaining("absent");
  }

  /** A container's /dev has no node of what the kernel makes later. */
  @Test
  void aDeviceWithoutANodeGetsOne() throws Exception {
    Path file = file(1);
    MountNamespace.call(
        "dev",
        () -> {
          Command.of("sh", "-euc")
              .with(
                  """
                  mkdir "$0" && mount -t tmpfs dev "$0" && cp -a /dev/null /dev/loop-control "$0"
                  mount --move "$0" /dev
                  """)
              .with(directory.resolve("dev").toString())
              .run();
          LoopDevice.require();
          try (LoopDevice loop = LoopDevice.attach(file, 0, 0)) {
            assertThat(backing(loop.device())).isEqualTo(file.toString());
            Files.writeString(loop.device(), "hello");
          }
          assertThat(Files.readString(file)).startsWith("hello");
          return true;
        });
  }
}
