package slipway.container;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import slipway.base.Problem;
import slipway.linux.posix.InRoot;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.Xattrs;

/**
 * A layer between the image and a RUN's changes that holds the mount points which the image lacks.
 * The changes then hold only what the command did, and nothing of the builder's.
 */
public final class StubLayer {
  private static final int MAX_LINKS = 40;

  private final OsPath image;
  private final OsPath stub;

  /**
   * @param image the image's tree, mounted
   * @param directory a new empty directory for the layer
   */
  public StubLayer(OsPath image, Path directory) throws IOException {
    this.image = image;
    this.stub = OsPath.of(directory);
    copyMetadata(image, stub);
  }

  /** Makes sure that a path of the container can be mounted on. */
  public void add(String target, boolean directory) throws IOException {
    add(OsPath.of(InRoot.clean(target)), directory, 0);
  }

  private void add(OsPath target, boolean directory, int links) throws IOException {
    OsPath at = OsPath.of("");
    List<OsPath> names = target.components();
    for (int i = 0; i < names.size(); i++) {
      OsPath next = at.resolve(names.get(i));
      Optional<OsPath> real = InRoot.resolve(image, next);
      if (real.isPresent()) {
        at = inside(real.get());
        continue;
      }
      OsPath outside = image.resolve(next);
      if (Posix.exists(outside)) {
        if (links >= MAX_LINKS) {
          throw Problem.input("\"/" + target + "\" leads through too many symbolic links");
        }
        add(redirect(at, outside, names.subList(i + 1, names.size())), directory, links + 1);
        return;
      }
      OsPath missing = at;
      for (OsPath name : names.subList(i, names.size())) {
        missing = missing.resolve(name);
      }
      make(missing, directory);
      return;
    }
  }

  /** The path that a link without a target stands for, with the names after it. */
  private static OsPath redirect(OsPath parent, OsPath link, List<OsPath> rest) throws IOException {
    OsPath target = Posix.readlink(link);
    OsPath path = target.isAbsolute() ? target.substring(1) : parent.resolve(target);
    for (OsPath name : rest) {
      path = path.resolve(name);
    }
    return OsPath.of(InRoot.clean(path.toString()));
  }

  private OsPath inside(OsPath real) {
    return real.length() <= image.length() ? OsPath.of("") : real.substring(image.length() + 1);
  }

  /** Makes a path without links, of which some parents are in the image. */
  private void make(OsPath path, boolean directory) throws IOException {
    OsPath at = OsPath.of("");
    List<OsPath> names = path.components();
    for (int i = 0; i < names.size(); i++) {
      at = at.resolve(names.get(i));
      OsPath here = stub.resolve(at);
      if (Posix.exists(here)) {
        continue;
      }
      if (i == names.size() - 1 && !directory) {
        Posix.close(Posix.open(here, Posix.O_WRONLY | Posix.O_CREAT | Posix.O_EXCL, 0644));
        continue;
      }
      Posix.mkdir(here, 0755);
      OsPath original = image.resolve(at);
      if (Posix.exists(original)) {
        copyMetadata(original, here);
      }
    }
  }

  /** Gives one directory the mode, owner, attributes and time of another. */
  public static void copyMetadata(OsPath from, OsPath to) throws IOException {
    Stat stat = Posix.lstat(from);
    Posix.lchown(to, stat.uid(), stat.gid());
    Posix.chmod(to, stat.permissions());
    for (OsPath name : Xattrs.llistxattr(from)) {
      byte[] value = name.startsWith("trusted.overlay.") ? null : Xattrs.lgetxattr(from, name);
      if (value != null) {
        Xattrs.lsetxattr(to, name, value);
      }
    }
    Posix.lutimens(to, stat.mtimeSeconds(), stat.mtimeNanos());
  }
}
