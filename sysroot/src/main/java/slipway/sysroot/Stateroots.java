package slipway.sysroot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import slipway.base.FileReason;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Removal;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.SysrootState;
import slipway.sysroot.write.InheritedLabel;
import slipway.sysroot.write.SysrootSweep;

/**
 * The folders of stateroots, {@code ostree/deploy/NAME}: deployments and a /var that they share.
 *
 * @param root of the sysroot
 */
record Stateroots(Path root) {
  /** In the order of their names. */
  List<String> names() throws IOException {
    Path all = root.resolve("ostree/deploy");
    if (!Files.isDirectory(all)) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(all)) {
      return folders
          .filter(folder -> Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS))
          .map(folder -> String.valueOf(folder.getFileName()))
          .filter(SysrootState::isName)
          .sorted()
          .toList();
    }
  }

  private Path path(String name) {
    return root.resolve("ostree/deploy").resolve(name);
  }

  /**
   * Whether there is one that anything could have started from. What lost its power before that is
   * as good as none, and so is what is only staged: systemd would have left a mark in its /var.
   *
   * @param deployments all of them, a staged one too
   */
  boolean isTaken(String name, List<Deployment> deployments) throws IOException {
    Path folder = path(name);
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    return !Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
        || deployments.stream().anyMatch(d -> d.stateroot().equals(name) && !d.staged())
        || isMarked(folder.resolve("var"))
        || !(Files.exists(folder.resolve(SysrootSweep.UNSTARTED), LinkOption.NOFOLLOW_LINKS)
            || Posix.list(OsPath.of(folder)).isEmpty());
  }

  /** Whether systemd has left its mark of a start in a directory. */
  static boolean isMarked(Path directory) {
    return Files.exists(directory.resolve(".updated"), LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * Makes one, with a mark that goes when the boot menu leads into it.
   *
   * @param deployments all of them, none of which is staged in it
   * @throws Problem of kind INPUT when it is taken
   */
  void make(String name, List<Deployment> deployments) throws IOException {
    if (isTaken(name, deployments)) {
      throw Problem.input("there is a stateroot " + name + " already; give another name");
    }
    Path folder = path(name);
    if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      remove(name);
    }
    Files.createDirectories(folder);
    Files.createFile(folder.resolve(SysrootSweep.UNSTARTED));
    Files.createDirectory(folder.resolve("var"));
    Files.createDirectory(folder.resolve("deploy"));
    InheritedLabel.give(folder);
  }

  /**
   * Refuses what must stay.
   *
   * @param deployments all of them, a staged one too
   */
  void requireRemovable(String name, List<Deployment> deployments) throws IOException {
    if (!names().contains(name)) {
      throw Problem.notFound(
          "there is no stateroot "
              + Printable.text(name)
              + (names().size() == 1 ? "; there is only " : "; there are ")
              + String.join(", ", names()));
    }
    for (Deployment d : deployments) {
      if (d.stateroot().equals(name)) {
        String reason =
            d.booted()
                ? "it runs"
                : d.staged()
                    ? "a deployment of it is staged: delete that first (bootc delete --staged)"
                    : d.pinned() ? "its deployment " + d.id() + " is pinned: unpin it first" : "";
        if (!reason.isEmpty()) {
          throw Problem.input("the stateroot " + name + " cannot be removed: " + reason);
        }
      }
    }
  }

  /** Removes one with all that it holds; the boot menu leads to nothing of it. */
  void remove(String name) throws IOException {
    try {
      Removal.tree(OsPath.of(path(name)));
    } catch (IOException e) {
      throw new Problem(
              Problem.Kind.ENVIRONMENT,
              "not all of the stateroot "
                  + name
                  + " could be removed: "
                  + FileReason.advised(e)
                  + "; run the command again",
              e)
          .afterChange();
    }
  }
}
