package slipway.linux.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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

  /** Whoever comes second finds less than it looked for, and that is no fault. */
  @Test
  void whatSomebodyElseRemovesMeanwhileIsRemoved() throws Exception {
    for (int round = 0; round < 20; round++) {
      Path tree = Files.createDirectory(dir.resolve("tree" + round));
      for (int i = 0; i < 200; i++) {
        Files.createDirectories(tree.resolve("a" + i % 7).resolve("b" + i % 13).resolve("c" + i));
      }
      try (ExecutorService workers = Executors.newFixedThreadPool(3)) {
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
          all.add(
              workers.submit(
                  () -> {
                    Removal.tree(OsPath.of(tree));
                    return tree;
                  }));
        }
        for (Future<?> each : all) {
          each.get();
        }
      }
      assertThat(tree).doesNotExist();
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
      OsPath old = OsPath.of(system);
      assertThat(Btrfs.isDefault(old)).isFalse();
      btrfs("set-default", system.toString());
      assertThat(Btrfs.isDefault(old)).isTrue();
      assertThat(Btrfs.isDefault(old.resolve(OsPath.of("snapshots/1")))).isFalse();
      Btrfs.resetDefault(OsPath.of(mount.target()));
      Removal.tree(OsPath.of(system));
      assertThat(mount.target()).isEmptyDirectory();
    }
  }

  private static void btrfs(String... arguments) {
    Command.of("btrfs", "subvolume").with(arguments).run();
  }
}
