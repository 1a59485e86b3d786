package slipway.host.install;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import slipway.base.FileReason;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Removal;

/**
 * What is left of a system that {@code bootc install to-existing-root --cleanup} replaced. Its
 * programs, packages and containers go. What people may have put there stays below /sysroot: /etc,
 * /home, /opt, /root, /srv, /usr/local, the volumes of containers, and /var but for caches.
 */
public final class OldSystem {
  private static final String STAMP = "etc/bootc-destructive-cleanup";

  /** What goes, but for the names in it that stay; links on the way are not followed. */
  private record Rubbish(String folder, Set<String> kept) {}

  private static final List<Rubbish> RUBBISH =
      Stream.concat(
              Stream.of(
                  new Rubbish("usr", Set.of("local")),
                  new Rubbish("var/lib/containers/storage", Set.of("volumes", "secrets"))),
              Stream.of(
                      ("bin sbin lib lib32 lib64 libx32 dev proc sys run tmp vmlinuz vmlinuz.old"
                              + " initrd.img initrd.img.old var/cache var/tmp var/lib/dpkg"
                              + " var/lib/apt var/lib/rpm var/lib/dnf ostree/repo.old"
                              + " ostree/bootc.old")
                          .split(" "))
                  .map(name -> new Rubbish(name, Set.of())))
          .toList();

  private OldSystem() {}

  /**
   * Removes it, unless that was done.
   *
   * @param sysroot the root of the machine's root file system, writable
   * @throws Problem of kind ENVIRONMENT for what cannot be removed; all else is gone
   */
  public static void remove(Path sysroot) throws IOException {
    Path stamp = sysroot.resolve(STAMP);
    if (!isFolder(sysroot, "etc") || !Files.exists(stamp, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!isFolder(sysroot, "ostree")) {
      throw Problem.environment(sysroot + " holds no deployments, so nothing in it is removed");
    }
    List<String> failures = new ArrayList<>();
    for (Rubbish each : RUBBISH) {
      try {
        remove(sysroot, each);
      } catch (IOException e) {
        failures.add(FileReason.of(e));
      }
    }
    Files.delete(stamp);
    if (!failures.isEmpty()) {
      throw Problem.environment(
          "not all of the old system could be removed: " + String.join("; ", failures));
    }
  }

  private static void remove(Path sysroot, Rubbish rubbish) throws IOException {
    Path path = sysroot.resolve(rubbish.folder());
    Path parent = path.getParent();
    if (parent == null || !isFolder(sysroot, sysroot.relativize(parent).toString())) {
      return;
    }
    if (rubbish.kept().isEmpty() || !isFolder(sysroot, rubbish.folder())) {
      Removal.tree(OsPath.of(path));
      return;
    }
    List<Path> children;
    try (Stream<Path> all = Files.list(path)) {
      children = all.toList();
    }
    for (Path child : children) {
      if (!rubbish.kept().contains(String.valueOf(child.getFileName()))) {
        Removal.tree(OsPath.of(child));
      }
    }
  }

  /** Whether a path leads to a folder, without a link anywhere on it. */
  private static boolean isFolder(Path sysroot, String inside) {
    Path at = sysroot;
    for (Path name : Path.of(inside)) {
      at = at.resolve(name);
      if (!Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
        return false;
      }
    }
    return true;
  }
}
