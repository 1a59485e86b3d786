package slipway.ostree.repo;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import slipway.archive.tar.Metadata;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.linux.posix.Xattrs;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Lays a tree out as a directory, with hard links to objects, as ostree does for a deployment: a
 * file that stands for a whiteout becomes one.
 */
final class Checkout {
  private final Repository repository;
  private final OsPath target;
  private final BareFormat format = new BareFormat();

  /**
   * @param target the directory that is made
   */
  Checkout(Repository repository, OsPath target) {
    if (repository.mode() != Repository.Mode.BARE) {
      throw Problem.input(
          "a checkout needs a bare repository; " + repository.path() + " is " + repository.mode());
    }
    this.repository = repository;
    this.target = target;
  }

  void run(FileTree tree) throws IOException {
    try {
      directory(tree.root(), target);
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENAMETOOLONG) {
        throw new Problem(
            Problem.Kind.INPUT,
            "the image has a path that is too long to be checked out below "
                + target
                + ": Linux takes 4095 bytes for a whole path and 255 for a name",
            e);
      }
      throw e;
    }
  }

  private void directory(Node.Directory directory, OsPath path) throws IOException {
    Posix.mkdir(path, 0700);
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      OsPath file = path.resolve(Objects.name(child.getKey()));
      switch (child.getValue()) {
        case Node.Directory d -> directory(d, file);
        case Node.File f when file.name().startsWith(Objects.QUOTED_WHITEOUT) ->
            whiteout(f, file, directory);
        case Node.File f -> file(f, file);
        case Node.Symlink s -> symlink(s, file);
        case Node.Special s -> throw unsupported(file);
        case Node.Whiteout w -> throw unsupported(file);
        case Node.LinkBelow l -> throw unsupported(file);
      }
    }
    Metadata metadata = Objects.normalized(directory.metadata());
    Posix.lchown(path, metadata.uid(), metadata.gid());
    Posix.chmod(path, metadata.permissions());
    for (Metadata.Xattr x : metadata.xattrs()) {
      Xattrs.lsetxattr(path, x.name(), x.value());
    }
    Posix.lutimens(path, 0, 0);
  }

  private static IllegalArgumentException unsupported(OsPath path) {
    return new IllegalArgumentException(path + " is not what an ostree tree can hold");
  }

  private void file(Node.File file, OsPath path) throws IOException {
    boolean object =
        file.content() instanceof ObjectContent o && o.isObjectOf(repository, file.metadata());
    // ostree never links empty files: there are many, and a file system limits the links.
    if (object
        && file.content().size() > 0
        && link(((ObjectContent) file.content()).checksum(), path)) {
      return;
    }
    try (InputStream in = file.content().open();
        ContentFormat.Sink sink =
            format.create(path, Objects.normalized(file.metadata()), file.content().size())) {
      byte[] buffer = new byte[64 * 1024];
      for (int n; (n = in.read(buffer)) >= 0; ) {
        sink.write(buffer, 0, n);
      }
      sink.finish(false);
    }
  }

  /** What is in the file does not count, its owner, mode and attributes do. */
  private void whiteout(Node.File file, OsPath quoted, Node.Directory directory)
      throws IOException {
    OsPath name = quoted.name().substring(Objects.QUOTED_WHITEOUT.length());
    if (!name.isName() || directory.children().containsKey(name)) {
      throw Problem.input(
          "the image has a file "
              + Printable.text(quoted.substring(target.length()).toString())
              + (name.isName()
                  ? " and what it hides, beside it; remove one of them from the image"
                  : ", a whiteout of no name; remove it from the image"));
    }
    Metadata metadata = Objects.normalized(file.metadata());
    OsPath device = quoted.parent().resolve(name);
    Posix.mknod(device, Stat.S_IFCHR | metadata.permissions(), Posix.makedev(0, 0));
    Posix.lchown(device, metadata.uid(), metadata.gid());
    Posix.chmod(device, metadata.permissions());
    for (Metadata.Xattr x : metadata.xattrs()) {
      Xattrs.lsetxattr(device, x.name(), x.value());
    }
  }

  private void symlink(Node.Symlink link, OsPath path) throws IOException {
    Metadata metadata = Objects.normalized(link.metadata());
    if (!link(Objects.symlinkChecksum(metadata, link.target()), path)) {
      format.symlink(path, metadata, link.target());
    }
  }

  /** False when the object cannot be linked: it has too many links or is not there. */
  private boolean link(Checksum checksum, OsPath path) throws IOException {
    try {
      Posix.link(repository.objectFile(checksum, ObjectType.FILE), path);
      return true;
    } catch (UnixException e) {
      return switch (e.errno()) {
        case UnixException.EMLINK, UnixException.ENOENT, UnixException.EXDEV -> false;
        default -> throw e;
      };
    }
  }
}
