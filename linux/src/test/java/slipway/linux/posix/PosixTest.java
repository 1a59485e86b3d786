package slipway.linux.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.mount.Mount;
import slipway.linux.mount.MountNamespace;
import slipway.linux.mount.Mounts;
import slipway.linux.process.Command;

class PosixTest {
  @TempDir Path dir;

  private OsPath at(String name) {
    return OsPath.of(dir).resolve(name);
  }

  @Test
  void statTellsWhatFilesAre() throws Exception {
    Files.writeString(dir.resolve("f"), "hello");
    Posix.chmod(at("f"), 04755);
    Posix.lutimens(at("f"), 1234567, 89);
    Stat stat = Posix.lstat(at("f"));
    assertThat(stat.isRegular()).isTrue();
    assertThat(stat.permissions()).isEqualTo(04755);
    assertThat(stat.size()).isEqualTo(5);
    assertThat(stat.mtimeSeconds()).isEqualTo(1234567);
    assertThat(stat.mtimeNanos()).isEqualTo(89);
    assertThat(stat.nlink()).isEqualTo(1);
    assertThat(stat.inode()).isEqualTo(Files.getAttribute(dir.resolve("f"), "unix:ino"));
    assertThat(stat.device()).isEqualTo(Files.getAttribute(dir.resolve("f"), "unix:dev"));
  }

  @Test
  void namesNeedNotBeUtf8() throws Exception {
    OsPath odd = OsPath.of(dir).resolve(OsPath.ofBytes(new byte[] {(byte) 0xff, 'a', (byte) 0xfe}));
    Posix.mkdir(odd, 0700);
    Posix.symlink(OsPath.ofBytes(new byte[] {(byte) 0x80}), odd.resolve("l"));
    assertThat(Posix.list(OsPath.of(dir))).containsExactly(odd.name());
    assertThat(odd.name().isUtf8()).isFalse();
    assertThat(Posix.readlink(odd.resolve("l")).bytes()).containsExactly(0x80);
    Posix.removeTree(odd);
    assertThat(Posix.exists(odd)).isFalse();
  }

  private static int descriptors() throws Exception {
    try (var all = Files.list(Path.of("/proc/self/fd"))) {
      return (int) all.count();
    }
  }

  @Test
  void treesOfAnyDepthAndWidthAreRemoved() throws Exception {
    Path kept = Files.createDirectory(dir.resolve("kept"));
    Files.writeString(kept.resolve("file"), "stays");
    Posix.mkdir(at("tree"), 0700);
    // Some 12,000 bytes of path, where one call takes 4,096.
    String name = "d".repeat(60);
    int fd = Posix.open(at("tree"), Posix.O_RDONLY | Posix.O_DIRECTORY, 0);
    int opened = descriptors();
    for (int i = 0; i < 200; i++) {
      Posix.mkdirat(fd, OsPath.of(name), 0700);
      Posix.symlinkat(OsPath.of(kept), fd, OsPath.of("link"));
      int next = Posix.openat(fd, OsPath.of(name), Posix.O_RDONLY | Posix.O_DIRECTORY, 0);
      Posix.close(fd);
      fd = next;
    }
    Posix.close(fd);
    for (int i = 0; i < 1500; i++) {
      Posix.mkdir(at("tree/one-of-more-names-than-a-call-to-the-kernel-gives-" + i), 0700);
    }
    Posix.mkdir(at("tree/one-of-more-names-than-a-call-to-the-kernel-gives-7/more"), 0700);
    Posix.removeTree(at("tree"));
    assertThat(Posix.exists(at("tree"))).isFalse();
    assertThat(kept.resolve("file")).hasContent("stays");
    assertThat(descriptors()).isLessThan(opened);
    Posix.removeTree(at("none"));
    Posix.symlink(OsPath.of(kept), at("to-kept"));
    Posix.removeTree(at("to-kept"));
    assertThat(kept.resolve("file")).hasContent("stays");
  }

  /** Bind mounts of the same file system, which the numbers of devices do not tell. */
  @Test
  void whatIsMountedInATreeThatIsRemovedStays() throws Exception {
    Path kept = Files.createDirectory(dir.resolve("kept"));
    Files.writeString(kept.resolve("file"), "stays");
    Path point = Files.createDirectories(dir.resolve("tree/a/point"));
    Files.writeString(point.resolve("below"), "");
    MountNamespace.call(
        "removal",
        () -> {
          try (Mount mount = Mount.bind(kept, point, false)) {
            assertThatThrownBy(() -> Posix.removeTree(at("tree")))
                .isInstanceOf(UnixException.class)
                .hasMessageContaining(point.getParent() + "; if something is mounted there");
            assertThatThrownBy(() -> Posix.removeTree(OsPath.of(mount.target())))
                .isInstanceOf(UnixException.class);
          }
          return null;
        });
    assertThat(kept.resolve("file")).hasContent("stays");
    Posix.removeTree(at("tree"));
    assertThat(Posix.exists(at("tree"))).isFalse();
  }

  @Test
  void whatIsMountedWhileATreeIsRemovedStays() throws Exception {
    Path kept = Files.createDirectory(dir.resolve("kept"));
    Files.writeString(kept.resolve("file"), "stays");
    boolean inTime = false;
    for (int i = 0; i < 50 && !inTime; i++) {
      inTime = MountNamespace.call("removal", () -> mountsDuringRemoval(kept));
      assertThat(kept.resolve("file")).hasContent("stays");
      Posix.removeTree(at("tree"));
    }
    assertThat(inTime).isTrue();
  }

  /** Removes a tree of two halves and mounts on the one to which the removal has not come yet. */
  private boolean mountsDuringRemoval(Path kept) throws Exception {
    List<Path> halves = List.of(dir.resolve("tree/a"), dir.resolve("tree/b"));
    for (Path half : halves) {
      Files.createDirectories(half);
      for (int i = 0; i < 500; i++) {
        Posix.mknod(OsPath.of(half).resolve("f" + i), Stat.S_IFREG | 0600, 0);
      }
    }
    FutureTask<Void> removal =
        new FutureTask<>(
            () -> {
              Posix.removeTree(at("tree"));
              return null;
            });
    Thread.ofPlatform().start(removal);
    Path other = null;
    while (other == null) {
      for (Path half : halves) {
        if (!Files.exists(half.resolve("f0")) || !Files.exists(half.resolve("f499"))) {
          other = halves.get(1 - halves.indexOf(half));
        }
      }
    }
    Mount mount;
    try {
      mount = Mount.bind(kept, other, false);
    } catch (UnixException e) {
      removal.get(); // It was faster.
      return false;
    }
    try (mount) {
      assertThatThrownBy(removal::get).hasCauseInstanceOf(UnixException.class);
      assertThat(mount.target().resolve("file")).hasContent("stays");
    }
    return true;
  }

  @Test
  void extendedAttributesGoThereAndBack() throws Exception {
    Files.writeString(dir.resolve("f"), "");
    byte[] value = new byte[3000];
    value[7] = 9;
    Xattrs.lsetxattr(at("f"), OsPath.of("user.big"), value);
    Xattrs.lsetxattr(at("f"), OsPath.of("user.empty"), new byte[0]);
    assertThat(Xattrs.lgetxattr(at("f"), OsPath.of("user.big"))).isEqualTo(value);
    assertThat(Xattrs.lgetxattr(at("f"), OsPath.of("user.none"))).isNull();
    assertThat(Xattrs.llistxattr(at("f")))
        .containsExactlyInAnyOrder(OsPath.of("user.big"), OsPath.of("user.empty"));
  }

  @Test
  void exchangeSwapsTwoNames() throws Exception {
    Files.writeString(dir.resolve("a"), "1");
    Files.writeString(dir.resolve("b"), "2");
    Posix.rename(at("a"), at("b"), Posix.RENAME_EXCHANGE);
    assertThat(dir.resolve("a")).hasContent("2");
    assertThatThrownBy(() -> Posix.rename(at("a"), at("b"), Posix.RENAME_NOREPLACE))
        .isInstanceOf(UnixException.class)
        .hasMessageContaining("File exists");
  }

  @Test
  void openat2StaysInsideTheRoot() throws Exception {
    Files.createSymbolicLink(dir.resolve("out"), Path.of("/etc/passwd"));
    int root = Posix.open(OsPath.of(dir), Posix.O_RDONLY | Posix.O_DIRECTORY, 0);
    assertThatThrownBy(
            () -> Posix.openat2(root, OsPath.of("out"), Posix.O_RDONLY, 0, Posix.RESOLVE_IN_ROOT))
        .isInstanceOf(UnixException.class);
    assertThatThrownBy(
            () -> Posix.openat2(root, OsPath.of("../x"), Posix.O_RDONLY, 0, Posix.RESOLVE_BENEATH))
        .isInstanceOf(UnixException.class);
    Posix.close(root);
  }

  /** The kernel says "try again" for each dot-dot while anything anywhere is renamed. */
  @Test
  void openat2BearsWithRenamesElsewhere() throws Exception {
    Files.createDirectories(dir.resolve("a/b/c"));
    Path one = Files.createFile(dir.resolve("one"));
    Path two = dir.resolve("two");
    AtomicBoolean done = new AtomicBoolean();
    Thread renamer =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!done.get()) {
                    one.toFile().renameTo(two.toFile());
                    two.toFile().renameTo(one.toFile());
                  }
                });
    int root = Posix.open(OsPath.of(dir), Posix.O_RDONLY | Posix.O_DIRECTORY, 0);
    try {
      OsPath path = OsPath.of("a/../a/b/../b/c/../../b/c");
      for (int i = 0; i < 20_000; i++) {
        Posix.close(Posix.openat2(root, path, Posix.O_PATH, 0, Posix.RESOLVE_IN_ROOT));
      }
    } finally {
      done.set(true);
      renamer.join();
      Posix.close(root);
    }
  }

  @Test
  void aReadOnlyMountOfAWritableFileSystemIsReadOnly() throws Exception {
    Path source = Files.createDirectory(dir.resolve("source"));
    Path target = Files.createDirectory(dir.resolve("target"));
    MountNamespace.call(
        "read-only",
        () -> {
          try (Mount mount = Mount.bind(source, target, false)) {
            OsPath path = OsPath.of(mount.target());
            assertThat(Mounts.isReadOnly(path)).isFalse();
            Mounts.mount(
                null, path, null, Mounts.MS_REMOUNT | Mounts.MS_BIND | Mounts.MS_RDONLY, null);
            assertThat(Mounts.isReadOnly(path)).isTrue();
            assertThat(Mounts.isReadOnly(at("source"))).isFalse();
            assertThatThrownBy(() -> Posix.mkdir(path.resolve("d"), 0700))
                .hasMessageContaining("Read-only file system");
          }
          return null;
        });
    assertThatThrownBy(() -> Mounts.isReadOnly(at("none"))).hasMessageContaining("statvfs");
  }

  @Test
  void longPathsAndTextsReachTheKernelWhole() throws Exception {
    assertThatThrownBy(() -> Posix.lstat(OsPath.of("x/".repeat(3000))))
        .isInstanceOf(UnixException.class)
        .hasMessageEndingWith(": File name too long");
    assertThat(Posix.lstat(OsPath.of(dir)).isDirectory()).isTrue();
    Files.writeString(dir.resolve("f"), "");
    byte[] tooLong = new byte[300_000];
    assertThatThrownBy(() -> Xattrs.lsetxattr(at("f"), OsPath.of("user.a"), tooLong))
        .isInstanceOf(UnixException.class)
        .hasMessageEndingWith(": Argument list too long");
  }

  @Test
  void buffersOfTheHeapAreRefused() throws Exception {
    Files.writeString(dir.resolve("f"), "hello");
    int fd = Posix.open(at("f"), Posix.O_RDONLY, 0);
    try {
      MemorySegment heap = MemorySegment.ofArray(new byte[8]);
      assertThatThrownBy(() -> Posix.read(fd, heap, 5))
          .isInstanceOf(IllegalArgumentException.class);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment small = arena.allocate(4);
        assertThatThrownBy(() -> Posix.read(fd, small, 5))
            .isInstanceOf(IllegalArgumentException.class);
        assertThat(Posix.read(fd, small, 4)).isEqualTo(4);
      }
    } finally {
      Posix.close(fd);
    }
  }

  @Test
  void pathsAreComparedWithTheUtf8FormOfText() {
    OsPath path = OsPath.of("\u00e9t\u00e9");
    assertThat(path.is("\u00e9t\u00e9")).isTrue();
    assertThat(path.startsWith("\u00e9")).isTrue();
    assertThat(path.isUtf8()).isTrue();
    OsPath latin1 = OsPath.ofBytes(new byte[] {(byte) 0xe9});
    assertThat(latin1.is("\u00e9")).isFalse();
    assertThat(latin1.startsWith("\u00e9")).isFalse();
    assertThat(latin1.isUtf8()).isFalse();
    assertThat(OsPath.of("name").is("name")).isTrue();
    assertThat(OsPath.of("name").startsWith("na")).isTrue();
  }

  @Test
  void aFailingCommandTellsItsStderr() {
    assertThatThrownBy(() -> Command.of("sh", "-c", "echo broken >&2; exit 3").run())
        .hasMessage("sh failed with status 3: broken");
    assertThat(Command.of("cat").stdin("abc").output()).isEqualTo("abc");
    assertThatThrownBy(() -> Command.of("no-such-tool").run())
        .hasMessageContaining("cannot start no-such-tool");
  }
}
