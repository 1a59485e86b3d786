package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.TreeCopy;
import slipway.linux.posix.Xattrs;

/**
 * Takes local changes of {@code /etc} back: a path gets the image's version again. A copy stands
 * beside it, on disk, before one rename puts it in the place; no link is followed on the way.
 */
public final class EtcRestore {
  private static final OsPath LABEL = OsPath.of("security.selinux");

  private final OsPath defaults;
  private final OsPath live;
  private final List<EtcMerge.Change> changes;

  /**
   * @param deployment whose {@code /etc} it is
   */
  public EtcRestore(Path deployment) throws IOException {
    this.defaults = defaults(deployment);
    this.live = live(deployment);
    this.changes = DeploymentWriter.etcChanges(deployment).changes();
  }

  /**
   * Restores paths and all below them. What the administrator added below one stays.
   *
   * @param paths below {@code /etc}
   * @return what was restored; nothing for a path that is as in the image
   * @throws Problem before anything is written: of kind NOT_FOUND for a path that neither the image
   *     nor the machine has, of kind INPUT for one that the image does not have, whose directory is
   *     gone, or that is a directory with files where the image has something else
   */
  public List<EtcMerge.Change> restore(List<OsPath> paths) throws IOException {
    List<EtcMerge.Change> wanted = new ArrayList<>();
    for (OsPath path : paths) {
      requireRestorable(path);
      for (EtcMerge.Change change : changes) {
        if (covers(path, change.path())
            && change.kind() != EtcMerge.Kind.ADDED
            && !wanted.contains(change)) {
          requireNothingLost(change.path());
          wanted.add(change);
        }
      }
    }
    for (EtcMerge.Change change : wanted) {
      restore(change.path());
    }
    return wanted;
  }

  private void requireRestorable(OsPath path) throws IOException {
    boolean plain = !path.isEmpty() && !path.isAbsolute();
    if (!plain || path.components().stream().anyMatch(c -> c.is("..") || c.is("."))) {
      throw Problem.input("\"" + path + "\" is no path below /etc");
    }
    for (EtcMerge.Change change : changes) {
      if (change.path().equals(path) && change.kind() == EtcMerge.Kind.ADDED) {
        throw Problem.input(
            "/etc/" + path + " is not in the image; to be rid of it, remove it yourself");
      }
      if (covers(path, change.path())) {
        return;
      }
    }
    if (!has(live, path)) {
      requireKnown(defaults, live, path);
      throw Problem.input("the directory of /etc/" + path + " is gone; restore that one");
    }
  }

  private static OsPath defaults(Path deployment) {
    return OsPath.of(deployment.resolve("usr/etc").toAbsolutePath());
  }

  private static OsPath live(Path deployment) {
    return OsPath.of(deployment.resolve("etc").toAbsolutePath());
  }

  /**
   * Refuses a path that is nowhere.
   *
   * @param deployment whose {@code /etc} it is
   * @throws Problem of kind NOT_FOUND for one that neither the image nor the machine has
   */
  public static void requireKnown(Path deployment, OsPath path) throws IOException {
    requireKnown(defaults(deployment), live(deployment), path);
  }

  private static void requireKnown(OsPath defaults, OsPath live, OsPath path) throws IOException {
    if (!has(live, path) && !has(defaults, path)) {
      throw Problem.notFound(
          "neither the image nor this machine has /etc/" + Printable.text(path.toString()));
    }
  }

  private static boolean covers(OsPath path, OsPath changed) {
    return changed.equals(path) || changed.startsWith(path.concat(OsPath.of("/")));
  }

  private static boolean has(OsPath root, OsPath path) throws IOException {
    try (OpenDirectory directory = OpenDirectory.of(root)) {
      return directory.lstat(path).isPresent();
    }
  }

  /** A directory would go with all that is in it, of which the image knows nothing. */
  private void requireNothingLost(OsPath path) throws IOException {
    OsPath now = live.resolve(path);
    if (Posix.exists(now)
        && Posix.lstat(now).isDirectory()
        && !Posix.lstat(defaults.resolve(path)).isDirectory()
        && !Posix.list(now).isEmpty()) {
      throw Problem.input(
          "/etc/"
              + path
              + " is a directory with files of yours where the image has none; move it away first");
    }
  }

  private void restore(OsPath path) throws IOException {
    try (OpenDirectory from = open(defaults, path.parent());
        OpenDirectory to = open(live, path.parent())) {
      OsPath source = from.at(path.name());
      OsPath target = to.at(path.name());
      Stat image = Posix.lstat(source);
      boolean there = Posix.exists(target);
      if (there && image.isDirectory() && Posix.lstat(target).isDirectory()) {
        Posix.lchown(target, image.uid(), image.gid());
        Posix.chmod(target, image.permissions());
        TreeCopy.copyXattrs(source, target, false);
        return;
      }
      OsPath copy = to.at(temporary(path.name()));
      try {
        TreeCopy.copy(source, copy, TreeCopy.FAITHFUL, dropped -> {});
        if (there) {
          keepLabel(target, copy);
        }
        Posix.syncfs(to.self());
        if (there) {
          // Whatever is there, file or directory: one step, and nobody sees neither.
          Posix.rename(copy, target, Posix.RENAME_EXCHANGE);
        } else {
          Posix.rename(copy, target, Posix.RENAME_NOREPLACE);
        }
      } finally {
        if (Posix.exists(copy)) {
          Posix.removeTree(copy);
        }
      }
      Posix.syncfs(to.self());
    }
  }

  /** Labels of /usr/etc and /etc differ by design. */
  private static void keepLabel(OsPath from, OsPath to) throws IOException {
    byte[] label = Xattrs.lgetxattr(from, LABEL);
    if (label != null) {
      Xattrs.lsetxattr(to, LABEL, label);
    }
  }

  /** Opens a directory below another one, which no link is on the way to. */
  private static OpenDirectory open(OsPath root, OsPath inside) throws IOException {
    OpenDirectory directory = OpenDirectory.of(root);
    for (OsPath name : inside.components()) {
      try (OpenDirectory above = directory) {
        directory = above.child(name);
      }
    }
    return directory;
  }

  /** Begins with a dot, as names do that no program reads its settings from. */
  private static OsPath temporary(OsPath name) {
    String random = Long.toHexString(ThreadLocalRandom.current().nextLong());
    return OsPath.of(".").concat(name).concat(OsPath.of("." + random + ".tmp"));
  }
}
