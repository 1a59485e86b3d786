package slipway.disk.customize;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;

/** Files and folders of a machine that does not run, with owner and mode; links are refused. */
final class OwnedFiles {
  private OwnedFiles() {}

  static boolean isDirectory(Path path) {
    return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
  }

  static boolean exists(Path path) {
    return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
  }

  /** Makes a folder that does not exist. */
  static void folder(Path path, int mode, int uid, int gid) throws IOException {
    OsPath p = OsPath.of(path);
    Posix.mkdir(p, mode);
    Posix.chmod(p, mode);
    Posix.lchown(p, uid, gid);
  }

  /** Makes what is missing of the folders between two, as root's, 0755. */
  static void parents(Path base, Path path) throws IOException {
    Path at = base;
    for (Path name : base.relativize(Objects.requireNonNull(path.getParent()))) {
      if (name.toString().isEmpty()) {
        continue;
      }
      at = at.resolve(name);
      if (!exists(at)) {
        folder(at, at.endsWith("roothome") ? 0700 : 0755, 0, 0);
      }
      requireDirectory(at);
    }
  }

  static void requireDirectory(Path path) {
    if (!isDirectory(path)) {
      throw Problem.input(
          "the image's " + path.getFileName() + " is a link or a file where a folder must be");
    }
  }

  /**
   * Writes a file whole or not at all.
   *
   * @throws Problem when a folder is there
   */
  static void put(Path path, byte[] content, int mode, int uid, int gid) throws IOException {
    if (isDirectory(path)) {
      throw Problem.input(
          "cannot write the file "
              + path.getFileName()
              + " in "
              + Objects.requireNonNull(path.getParent()).getFileName()
              + ": the image has a folder of that name there");
    }
    try (AtomicFile file =
        AtomicFile.create(path, PosixFilePermissions.toString(permissions(mode)))) {
      file.out().write(content);
      Posix.lchown(OsPath.of(file.temporary()), uid, gid);
      file.commit();
    }
  }

  /**
   * A file of the image as text; empty when it does not exist.
   *
   * @param etc its /etc
   * @param path from its root
   */
  static Optional<String> text(Path etc, String path, RootedFile.Links links) throws IOException {
    return RootedFile.read(
            OsPath.of(etc.resolve("..")), OsPath.of(path), links, "the image's /" + path)
        .map(RawText::decode);
  }

  /** Whether the image has a file of that path from its root. */
  static boolean has(Path etc, String path) throws IOException {
    try (FdInput in =
        RootedFile.open(
                OsPath.of(etc.resolve("..")),
                OsPath.of(path),
                RootedFile.Links.IN_ROOT,
                "the image's /" + path)
            .orElse(null)) {
      return in != null;
    } catch (Problem e) {
      // A folder, or something else that is no file.
      return false;
    }
  }

  /** Writes a file of root's that all may read, with the folders that it lacks below /etc. */
  static void write(Path etc, String path, String content) throws IOException {
    Path file = etc.resolve(path);
    parents(etc, file);
    put(file, RawText.encode(content), 0644, 0, 0);
  }

  private static Set<PosixFilePermission> permissions(int mode) {
    Set<PosixFilePermission> set = EnumSet.noneOf(PosixFilePermission.class);
    PosixFilePermission[] all = PosixFilePermission.values();
    for (int i = 0; i < all.length; i++) {
      if ((mode & (0400 >> i)) != 0) {
        set.add(all[i]);
      }
    }
    return set;
  }
}
