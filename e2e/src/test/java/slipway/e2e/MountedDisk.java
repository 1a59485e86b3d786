package slipway.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.MountNamespace;

/** The file systems of a disk, mounted as a machine has them, at {@code root}. */
record MountedDisk(Path root) {
  /** What is done with it. */
  interface Look<T> {
    T at(MountedDisk sysroot) throws Exception;
  }

  /** As {@link Look} without an answer. */
  interface Action {
    void at(MountedDisk sysroot) throws Exception;
  }

  /** Mounts a disk below {@code dir}, where nobody else sees it. */
  static void look(Disk image, Path dir, long flags, Action action) throws IOException {
    ask(
        image,
        dir,
        flags,
        sysroot -> {
          action.at(sysroot);
          return true;
        });
  }

  /** As {@link #look}, with an answer. */
  static <T> T ask(Disk image, Path dir, long flags, Look<T> look) throws IOException {
    return MountNamespace.call(
        "look at the disk",
        () -> {
          Path at = Files.createTempDirectory(dir, "sysroot");
          try (LoopDevice root = image.attach("root");
              LoopDevice boot = image.attach("boot");
              Mount outer = Mount.of(root.device().toString(), at, Disk.type(root), flags, null);
              Mount inner =
                  Mount.of(
                      boot.device().toString(),
                      outer.target().resolve("boot"),
                      Disk.type(boot),
                      flags,
                      null)) {
            if (!Files.isSymbolicLink(inner.target().resolve("loader"))) {
              throw new AssertionError("/boot/loader is no symbolic link");
            }
            return look.at(new MountedDisk(at));
          }
        });
  }
}
