package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.linux.posix.Xattrs;
import slipway.system.selinux.FileLabels;

/**
 * SELinux labels of what a change adds to a sysroot that has labels. Under a kernel with SELinux
 * each new file is labelled already. Without, as from a rescue system or after {@code selinux=0},
 * it would have none, and the next start with SELinux could not read it.
 */
public final class InheritedLabel {
  private InheritedLabel() {}

  /**
   * Gives a file, and all below a directory, the label of the directory that it lies in, as the
   * kernel would. What has a label keeps it. The other names of a file with several are objects of
   * the repository, whose labels are a part of what they are called by.
   */
  public static void give(Path path) throws IOException {
    OsPath file = OsPath.of(path.toAbsolutePath());
    give(file, label(file.parent()));
  }

  /** Gives a file the label of another one, if it has none. */
  static void give(Path path, Path model) throws IOException {
    set(OsPath.of(path), label(OsPath.of(model)));
  }

  private static void give(OsPath file, byte @Nullable [] inherited) throws IOException {
    Stat stat = Posix.lstat(file);
    if (stat.isRegular() && stat.nlink() > 1) {
      return;
    }
    set(file, inherited);
    if (stat.isDirectory()) {
      byte[] own = label(file);
      for (OsPath name : Posix.list(file)) {
        give(file.resolve(name), own);
      }
    }
  }

  private static void set(OsPath file, byte @Nullable [] wanted) throws IOException {
    if (wanted == null || label(file) != null) {
      return;
    }
    try {
      Xattrs.lsetxattr(file, FileLabels.ATTRIBUTE, wanted);
    } catch (UnixException e) {
      // A file system without labels, such as FAT below /boot.
      if (e.errno() != UnixException.EOPNOTSUPP) {
        throw e;
      }
    }
  }

  private static byte @Nullable [] label(OsPath file) throws IOException {
    return Xattrs.lgetxattr(file, FileLabels.ATTRIBUTE);
  }
}
