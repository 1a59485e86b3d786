package slipway.sysroot.write;

import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Predicate;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.linux.posix.Xattrs;
import slipway.system.files.ImageFiles;
import slipway.system.selinux.FileLabels;
import slipway.tree.FileTree;

/**
 * Gives the copies that a deployment makes of the image's files the labels of the image's SELinux
 * policy, as ostree does: what is copied lies elsewhere than in the image, so its label may be
 * another one. A file system that takes no labels runs no system that has any, and is left alone.
 */
final class InstalledLabels {
  private final FileLabels labels;

  private InstalledLabels(FileLabels labels) {
    this.labels = labels;
  }

  /**
   * Those of an image.
   *
   * @return empty when SELinux is off there, or has no policy
   */
  static Optional<InstalledLabels> of(FileTree image) throws IOException {
    return FileLabels.of(new ImageFiles(image)).map(InstalledLabels::new);
  }

  /**
   * Labels a directory with all below it.
   *
   * @param directory as it lies on this machine; nobody else writes to it
   * @param path of it on the machine that runs the image, without a slash in front
   */
  void apply(OsPath directory, OsPath path) throws IOException {
    apply(directory, path, file -> true);
  }

  /**
   * Labels a file, and what is below a directory.
   *
   * @param taken which files; what is below one that is not is left alone, too
   */
  void apply(OsPath file, OsPath path, Predicate<Stat> taken) throws IOException {
    Stat stat = Posix.lstat(file);
    if (!taken.test(stat)) {
      return;
    }
    set(file, path, stat.mode());
    if (stat.isDirectory()) {
      for (OsPath name : Posix.list(file)) {
        apply(file.resolve(name), path.resolve(name), taken);
      }
    }
  }

  /**
   * Labels one file.
   *
   * @param path whose label it gets
   * @param mode type of the file that is there on the machine
   */
  void set(OsPath file, OsPath path, int mode) throws IOException {
    Optional<Metadata.Xattr> label = labels.attribute(path, mode & Stat.S_IFMT);
    if (label.isPresent()) {
      byte[] value = label.get().value();
      if (!Arrays.equals(value, Xattrs.lgetxattr(file, FileLabels.ATTRIBUTE))) {
        set(file, value);
      }
    }
  }

  private static void set(OsPath file, byte[] value) throws IOException {
    try {
      Xattrs.lsetxattr(file, FileLabels.ATTRIBUTE, value);
    } catch (UnixException e) {
      if (e.errno() != UnixException.EOPNOTSUPP) {
        throw e;
      }
    }
  }
}
