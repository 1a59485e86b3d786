package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
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
 * another one.
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
  void apply(Path directory, OsPath path) throws IOException {
    try {
      apply(OsPath.of(directory), path);
    } catch (UnixException e) {
      // A file system that takes no labels runs no system that has any.
      if (e.errno() != UnixException.EOPNOTSUPP) {
        throw e;
      }
    }
  }

  private void apply(OsPath file, OsPath path) throws IOException {
    Stat stat = Posix.lstat(file);
    Optional<Metadata.Xattr> label = labels.attribute(path, stat.mode() & Stat.S_IFMT);
    if (label.isPresent()) {
      byte[] value = label.get().value();
      if (!Arrays.equals(value, Xattrs.lgetxattr(file, FileLabels.ATTRIBUTE))) {
        Xattrs.lsetxattr(file, FileLabels.ATTRIBUTE, value);
      }
    }
    if (stat.isDirectory()) {
      for (OsPath name : Posix.list(file)) {
        apply(file.resolve(name), path.resolve(name));
      }
    }
  }
}
