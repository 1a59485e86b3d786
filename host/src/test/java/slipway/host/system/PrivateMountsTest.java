package slipway.host.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;

/** With mounts as a machine without composefs has them: all of one file system. */
class PrivateMountsTest {
  @TempDir Path root;

  @Test
  void makesReadOnlyMountsOfAWritableFileSystemWritable() throws Exception {
    slipway.linux.mount.MountNamespace.call(
        "machine",
        () -> {
          try (Mount disk = Mount.of("tmpfs", root, "tmpfs", 0, null);
              Mount sysroot = readOnly(disk, "sysroot");
              Mount boot = readOnly(disk, "boot");
              Mount etc = readOnly(disk, "etc")) {
            int status =
                PrivateMounts.run(
                    environment(Map.of(PrivateMounts.MARK, "1")),
                    () -> {
                      Files.createFile(sysroot.target().resolve("file"));
                      Files.createFile(boot.target().resolve("file"));
                      return 7;
                    });
            assertThat(status).isEqualTo(7);
            assertThat(Mounts.isReadOnly(OsPath.of(etc.target()))).isTrue();
          }
          return null;
        });
  }

  @Test
  void tellsThatTheBootFileSystemIsNotMounted() throws Exception {
    slipway.linux.mount.MountNamespace.call(
        "machine",
        () -> {
          try (Mount disk = Mount.of("tmpfs", root, "tmpfs", 0, null)) {
            Files.createDirectory(root.resolve("boot"));
            Mounts.mount(
                null,
                OsPath.of(root),
                null,
                Mounts.MS_REMOUNT | Mounts.MS_BIND | Mounts.MS_RDONLY,
                null);
            assertThatThrownBy(
                    () -> PrivateMounts.run(environment(Map.of(PrivateMounts.MARK, "1")), () -> 0))
                .isInstanceOf(Problem.class)
                .hasMessage(
                    root.resolve("boot")
                        + " is read-only and nothing is mounted there: mount its file system first");
          }
          return null;
        });
  }

  @Test
  void tellsThatADiskIsWriteProtected() throws Exception {
    Path image = root.resolve("disk.img");
    Command.of("mke2fs", "-q", "-t", "ext4", image.toString(), "8M").run();
    Path sysroot = Files.createDirectory(root.resolve("sysroot"));
    slipway.linux.mount.MountNamespace.call(
        "machine",
        () -> {
          Command.of("mount", "-o", "loop,ro", image.toString(), sysroot.toString()).run();
          assertThatThrownBy(
                  () -> PrivateMounts.run(environment(Map.of(PrivateMounts.MARK, "1")), () -> 0))
              .isInstanceOf(Problem.class)
              .hasMessageStartingWith(
                  sysroot + " cannot be made writable: its disk is write-protected");
          return null;
        });
  }

  private static Mount readOnly(Mount disk, String name) throws Exception {
    Path path = Files.createDirectory(disk.target().resolve(name));
    Mount mount = Mount.bind(path, path, false);
    Mounts.mount(
        null, OsPath.of(path), null, Mounts.MS_REMOUNT | Mounts.MS_BIND | Mounts.MS_RDONLY, null);
    return mount;
  }

  private HostEnvironment environment(Map<String, String> variables) {
    return new HostEnvironment(
        root,
        root.resolve("run"),
        variables,
        line -> {},
        Progress.NONE,
        image -> {
          throw Problem.notFound("no image");
        },
        SystemActions.systemd(),
        InstantSource.system());
  }
}
