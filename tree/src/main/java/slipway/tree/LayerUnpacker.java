package slipway.tree;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.ImageTotals;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.linux.posix.Xattrs;

/**
 * Unpacks a layer's tar into a directory that overlayfs takes as a lower layer (Linux,
 * Documentation/filesystems/overlayfs.rst): whiteouts are character devices 0:0, opaque directories
 * have {@code trusted.overlay.opaque=y}, attributes {@code trusted.overlay.*} that the layer brings
 * are escaped. The layer means what {@link LayerReader} says it means, but a device 0:0 of its own
 * is nothing else than a whiteout here.
 *
 * <p>Files are written while the tar streams by. Everything else (links, devices, whiteouts,
 * metadata of directories) is made when the layer is known to its end, top down, by single names in
 * directories that this class made: a hostile layer cannot lead out of the target. Needs root.
 * Nothing is synced; after a failure the target is left half made, for the caller to remove.
 */
public final class LayerUnpacker {
  private static final OsPath OPAQUE = OsPath.of("trusted.overlay.opaque");
  private static final byte[] YES = {'y'};

  private final int root;
  private final UnpackStore store;
  private final @Nullable OverlayStack below;
  private final Map<Node, OsPath> first = new IdentityHashMap<>();

  private LayerUnpacker(OsPath target, int root, @Nullable OverlayStack below) {
    this.root = root;
    this.store = new UnpackStore(target, root);
    this.below = below;
  }

  /**
   * As {@link #unpack(InputStream, Path, List, ImageTotals)} without knowing what is below: all
   * whiteouts are made, directories without an entry are {@code root:root 0755}, and a hard link
   * into a lower layer is a Problem.
   */
  public static Layer unpack(InputStream tar, Path directory) throws IOException {
    return unpack(tar, directory, (OverlayStack) null, new ImageTotals("the layer"));
  }

  /**
   * Unpacks a layer; reads to the end of the stream.
   *
   * @param tar uncompressed
   * @param directory is made when missing; else must be empty
   * @param below all unpacked layers below, the topmost first: directories without an entry of
   *     their own take their metadata from there, hard links into lower layers their inode, and
   *     whiteouts of what is not there are left out, because a mount would list their names
   * @param image counts what the layers of one image cost together
   * @return the layer; the content of its files is in the directory
   * @throws Problem of kind CORRUPT for a damaged layer or a hard link to what no layer below holds
   */
  public static Layer unpack(InputStream tar, Path directory, List<Path> below, ImageTotals image)
      throws IOException {
    return unpack(
        tar,
        directory,
        new OverlayStack(below.stream().map(p -> OsPath.of(p.toAbsolutePath())).toList()),
        image);
  }

  private static Layer unpack(
      InputStream tar, Path directory, @Nullable OverlayStack stack, ImageTotals image)
      throws IOException {
    InodeWriter.requireRoot("unpacking a layer");
    int root = DirectoryWriter.openEmpty(directory);
    LayerUnpacker unpacker = new LayerUnpacker(OsPath.of(directory.toAbsolutePath()), root, stack);
    try {
      Layer layer = LayerReader.read(tar, unpacker.store, image);
      unpacker.finish(layer);
      return layer;
    } finally {
      unpacker.store.close();
      Posix.close(root);
    }
  }

  private void finish(Layer layer) throws IOException {
    store.settle(layer);
    fill(root, OsPath.of(""), layer.root(), false);
  }

  /**
   * @param covered whether a parent is opaque, so that nothing below shows through here
   */
  private void fill(int fd, OsPath path, Node.Directory directory, boolean covered)
      throws IOException {
    boolean coversChildren = covered || directory.opaque();
    for (var child : directory.children().entrySet()) {
      OsPath name = child.getKey();
      OsPath where = path.resolve(name);
      if (child.getValue() instanceof Node.Directory d) {
        if (!store.hasDirectory(where)) {
          Posix.mkdirat(fd, name, 0700);
        }
        int opened = InodeWriter.openDirectory(fd, name);
        try {
          fill(opened, where, d, coversChildren);
        } finally {
          Posix.close(opened);
        }
      } else if (!(child.getValue() instanceof Node.Whiteout)) {
        leaf(fd, name, where, child.getValue());
      } else if (!coversChildren && (below == null || below(where) != null)) {
        Posix.mknodat(fd, name, Stat.S_IFCHR, 0);
      }
    }
    if (path.isEmpty()) {
      store.finish();
    }
    if (directory.opaque()) {
      Xattrs.fsetxattr(fd, OPAQUE, YES);
    }
    store.inodes().apply(fd, covered ? directory.metadata() : metadata(path, directory));
  }

  private Metadata metadata(OsPath path, Node.Directory directory) throws IOException {
    if (directory.implied()) {
      OverlayStack.Found found = below(path);
      if (found != null && found.stat().isDirectory()) {
        return DirectoryReader.overlayMetadata(found.path(), found.stat());
      }
    }
    return directory.metadata();
  }

  private OverlayStack.@Nullable Found below(OsPath path) throws IOException {
    return below == null ? null : below.find(path.components());
  }

  private void leaf(int fd, OsPath name, OsPath where, Node node) throws IOException {
    switch (node) {
      case Node.LinkBelow l -> linkBelow(fd, name, l);
      case Node.File f when f.content() instanceof UnpackStore.Stored s ->
          store.place(fd, name, where, s);
      default -> {
        OsPath existing = first.putIfAbsent(node, where);
        if (existing != null) {
          Posix.linkat(root, existing, fd, name);
        } else {
          make(fd, name, node);
        }
      }
    }
  }

  private void make(int fd, OsPath name, Node node) throws IOException {
    switch (node) {
      case Node.File f -> {
        try (InputStream in = f.content().open()) {
          store.inodes().file(fd, name, f.metadata(), f.content().size(), in);
        }
      }
      case Node.Symlink s -> store.inodes().symlink(fd, name, s);
      case Node.Special s -> store.inodes().special(fd, name, s);
      case Node.Directory d -> throw new AssertionError();
      case Node.Whiteout w -> throw new AssertionError();
      case Node.LinkBelow l -> throw new AssertionError();
    }
  }

  /** Layers of one store share the inode; where they cannot, it is copied. */
  private void linkBelow(int fd, OsPath name, Node.LinkBelow link) throws IOException {
    OverlayStack.Found found = below(link.target());
    if (found == null || found.stat().isDirectory()) {
      throw Problem.corrupt(
          "a hard link leads to \"" + link.target() + "\", which is no file of a layer below");
    }
    try {
      Posix.linkat(Posix.AT_FDCWD, found.path(), fd, name);
    } catch (UnixException e) {
      if (e.errno() != UnixException.EXDEV && e.errno() != UnixException.EMLINK) {
        throw e;
      }
      make(fd, name, DirectoryReader.overlayLeaf(found.path(), found.stat()));
    }
  }
}
