package slipway.linux.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.process.Command;

/** chattr, lsattr and btrfs make and judge what is protected. */
class RemovalTest {
  @TempDir Path dir;

  private static String attributes(Path file) {
    return Command.of("lsattr", "-d", file.toString()).output();
  }

  /** What is mounted there is somebody else's, and keeps its protection. */
  @Test
  void protectedFilesGoAndThoseOfMountsStayAsTheyAre() throws Exception {
    Path kept = Files.createDirectory(dir.resolve("kept"));
    Path file = Files.writeString(kept.resolve("file"), "stays");
    Path tree = Files.createDirectories(dir.resolve("tree"));
    Path own = Files.writeString(Files.createDirectory(tree.resolve("a")).resolve("own"), "");
    Path point = Files.createDirectory(tree.resolve("point"));
    Command.of("chattr", "+i", file.toString(), own.toString()).run();
    try {
      try (Mount mount = Mount.bind(kept, point, false)) {
        assertThatThrownBy(() -> Removal.tree(OsPath.of(tree))).isInstanceOf(UnixException.class);
        assertThatThrownBy(() -> Removal.tree(OsPath.of(tree))).isInstanceOf(UnixException.class);
        assertThat(mount.target().resolve("file")).hasContent("stays");
      }
      assertThat(attributes(file)).startsWith("----i");
      Removal.tree(OsPath.of(tree));
      assertThat(tree).doesNotExist();
    } finally {
      Command.of("chattr", "-i", file.toString()).run();
    }
  }

  @Test
  void readOnlySubvolumesGo() throws Exception {
    Path disk = dir.resolve("disk");
    try (RandomAccessFile out = new RandomAccessFile(disk.toFile(), "rw")) {
      out.setLength(256L << 20);
    }
    Command.of("mkfs.btrfs", "-q", disk.toString()).run();
    Path at = Files.createDirectory(dir.resolve("mnt"));
    try (LoopDevice loop = LoopDevice.attach(disk, 0, 0);
        Mount mount = Mount.of(loop.device().toString(), at, "btrfs", 0, null)) {
      Path system = mount.target().resolve("old");
      Path snapshots = system.resolve("snapshots");
      btrfs("create", system.toString());
      Files.writeString(Files.createDirectories(system.resolve("etc")).resolve("fstab"), "");
      Files.createDirectory(snapshots);
      btrfs("snapshot", "-r", system.toString(), snapshots.resolve("1").toString());
      btrfs("set-default", system.toString());
      Btrfs.resetDefault(OsPath.of(mount.target()));
      Removal.tree(OsPath.of(system));
      assertThat(mount.target()).isEmptyDirectory();
    }
  }

  private static void btrfs(String... arguments) {
    Command.of("btrfs", "subvolume").with(arguments).run();
  }
}
