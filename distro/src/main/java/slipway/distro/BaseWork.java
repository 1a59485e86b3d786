package slipway.distro;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.lock.Flock;
import slipway.linux.mount.Mount;
import slipway.linux.mount.MountNamespace;
import slipway.linux.mount.MountTable;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

/**
 * Where the tree of an image is put together from packages: in a mount namespace of its own, in
 * memory where there is enough. One at a time works in a state folder; what a killed one left is
 * removed by the next.
 *
 * @param state see {@link BaseStorage#directory}
 */
record BaseWork(Path state, Progress progress) {
  /** The tree, package lists and downloads take a third of this. */
  private static final long WORK_SIZE = 3L << 30;

  private static final long MEMORY_WANTED = 6L << 30;

  /** What is done there. */
  @FunctionalInterface
  interface Making<T> {
    /**
     * @param root an empty folder, which is gone afterwards
     */
    T in(Path root) throws IOException;
  }

  /**
   * Makes something.
   *
   * @param what in a word or two, for messages
   */
  <T> T call(String what, Making<T> making) throws IOException {
    Path root = state.resolve("work");
    Files.createDirectories(state);
    try (Flock alone = lock()) {
      remove(root);
      try {
        return MountNamespace.call(what, () -> within(root, making));
      } finally {
        remove(root);
      }
    }
  }

  private static <T> T within(Path root, Making<T> making) throws IOException {
    Files.createDirectories(root);
    if (availableMemory() >= MEMORY_WANTED) {
      // Packages are unpacked and read once; on a disk their syncing takes most of the time.
      Mount.of("tmpfs", root, "tmpfs", 0, "mode=0755,size=" + WORK_SIZE);
    }
    return making.in(root);
  }

  private Flock lock() throws IOException {
    Path file = BaseStorage.lock(state);
    Flock free = Flock.tryFile(file, true);
    if (free != null) {
      return free;
    }
    progress.note("waiting for another build of a base image");
    try {
      return Flock.fileInterruptibly(file, true);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(
          Problem.Kind.ENVIRONMENT, "interrupted while another base image was being built", e);
    }
  }

  /** Bytes that the kernel thinks can be taken without swapping (proc_meminfo(5)). */
  private static long availableMemory() throws IOException {
    return Files.readAllLines(Path.of("/proc/meminfo")).stream()
        .filter(line -> line.startsWith("MemAvailable:"))
        .map(line -> line.replaceAll("\\D", ""))
        .mapToLong(kilobytes -> Long.parseLong(kilobytes) * 1024)
        .findFirst()
        .orElse(0);
  }

  /** Takes the work folder away, but never through a mount into the machine itself. */
  private static void remove(Path root) throws IOException {
    String prefix = root + "/";
    Optional<OsPath> mounted =
        MountTable.points().stream()
            .filter(target -> target.is(root.toString()) || target.startsWith(prefix))
            .findFirst();
    if (mounted.isPresent()) {
      throw Problem.environment(mounted.get() + " is mounted; unmount it and try again");
    }
    Posix.removeTree(OsPath.of(root));
  }
}
