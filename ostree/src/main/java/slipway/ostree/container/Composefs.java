package slipway.ostree.container;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.composefs.ErofsInode;
import slipway.composefs.ErofsLayout;
import slipway.composefs.ErofsWriter;
import slipway.composefs.FsVerity;
import slipway.composefs.OverlayXattrs;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.ostree.object.Objects;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Writes composefs images, byte for byte as mkcomposefs 1.0.8 does: an EROFS that holds a tree's
 * metadata and points at content in a lower layer of overlayfs (composefs's man page of
 * composefs-dump; Linux's Documentation/filesystems/overlayfs.rst, "Metadata only copy up" and
 * "Nesting overlayfs mounts").
 */
public final class Composefs {
  private static final int MAX_XATTR_NAME = 255;

  private Composefs() {}

  /** Where the content of a regular file is. */
  public sealed interface Data {
    /** In the image itself. */
    record Inline(byte[] bytes) implements Data {}

    /**
     * In a file of the lower layer.
     *
     * @param path below the object directory without a leading slash, or null
     * @param digest fs-verity, 32 bytes of sha256 or 64 of sha512, or null
     */
    record Backed(@Nullable String path, byte @Nullable [] digest) implements Data {}
  }

  /** Tells where content is; called once for every regular file that is not empty. */
  @FunctionalInterface
  public interface Backing {
    Data of(OsPath path, Node.File file) throws IOException;
  }

  /**
   * Writes an image as {@code mkcomposefs --from-file} does with the versions 0 to 1 allowed. The
   * same tree gives the same bytes. Names that share a node are hard links.
   */
  public static void write(FileTree tree, Backing backing, OutputStream out) throws IOException {
    write(tree, backing, 0, out);
  }

  /**
   * As {@link #write(FileTree, Backing, OutputStream)}, as {@code mkcomposefs --min-version} does.
   *
   * @param version 0 or 1
   */
  static void write(FileTree tree, Backing backing, int version, OutputStream out)
      throws IOException {
    write(tree, new Preparation(backing, false), version, out);
  }

  private static void write(FileTree tree, Preparation preparation, int version, OutputStream out)
      throws IOException {
    ErofsInode root = preparation.root(tree);
    ErofsWriter.write(new ErofsLayout(root), preparation.whiteouts ? 1 : version, out);
  }

  /**
   * Writes a deployment's {@code .ostree.cfs} as ostree does: content is in the repository's
   * objects, empty directories for the mounts of the running system are added, times are 0, no hard
   * links.
   *
   * @param tree as {@link Repository#readTree} gives it
   * @param digests whether each file carries the fs-verity digest of its object, so that the kernel
   *     checks it; ostree leaves them out unless its config or the commit asks for them
   */
  public static void writeDeployment(FileTree tree, boolean digests, OutputStream out)
      throws IOException {
    Backing objects =
        (path, file) -> {
          if (!(file.content() instanceof ObjectContent object)) {
            throw new IllegalArgumentException(path + " is not an object of a repository");
          }
          String hex = object.checksum().hex();
          return new Data.Backed(
              hex.substring(0, 2) + "/" + hex.substring(2) + ".file",
              digests ? object.verityDigest() : null);
        };
    write(withMountPoints(tree), new Preparation(objects, true), 0, out);
  }

  /**
   * The value of {@code ostree.composefs.digest.v0}: the fs-verity sha256 digest of a deployment's
   * image with all digests.
   *
   * @return 32 bytes
   */
  public static byte[] deploymentDigest(FileTree tree) throws IOException {
    FsVerity verity = new FsVerity(FsVerity.Algorithm.SHA256);
    writeDeployment(tree, true, into(verity));
    return verity.digest();
  }

  /** A stream that is only hashed. */
  static OutputStream into(FsVerity verity) {
    return new OutputStream() {
      @Override
      public void write(int b) {
        write(new byte[] {(byte) b}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) {
        verity.update(bytes, offset, length);
      }
    };
  }

  // ---- ostree's form of a tree ----

  private static FileTree withMountPoints(FileTree tree) {
    TreeMap<OsPath, Node> children = new TreeMap<>(tree.root().children());
    for (String name : new String[] {"boot", "etc", "sysroot", "usr", "var"}) {
      children.computeIfAbsent(
          OsPath.of(name), n -> new Node.Directory(Metadata.directory(0755), new TreeMap<>()));
    }
    return new FileTree(new Node.Directory(tree.root().metadata(), children));
  }

  // ---- from a tree to inodes ----

  /** Turns nodes into inodes with the attributes that overlayfs reads. */
  private static final class Preparation {
    private static final OsPath METACOPY = OsPath.of(OverlayXattrs.METACOPY);
    private static final OsPath REDIRECT = OsPath.of(OverlayXattrs.REDIRECT);
    private static final OsPath DOT = OsPath.of(".");
    private static final OsPath DOT_DOT = OsPath.of("..");

    private final Backing backing;
    private final boolean ofOstree;
    private final Map<Node, ErofsInode> links = new IdentityHashMap<>();
    private boolean whiteouts;

    /**
     * @param ofOstree whether each name is an inode of its own, with what ostree keeps of metadata
     */
    Preparation(Backing backing, boolean ofOstree) {
      this.backing = backing;
      this.ofOstree = ofOstree;
    }

    ErofsInode root(FileTree tree) throws IOException {
      ErofsInode root = directory(OsPath.of(""), tree.root());
      if (whiteouts) {
        markOpaque(root);
      }
      root.xattr(OverlayXattrs.OPAQUE, new byte[] {'y'});
      hideObjects(root);
      addDots(root, root);
      return root;
    }

    private ErofsInode directory(OsPath path, Node.Directory directory) throws IOException {
      ErofsInode inode = inode(ErofsInode.Kind.DIRECTORY, directory);
      inode.nlink = 2;
      for (Map.Entry<OsPath, Node> entry : directory.children().entrySet()) {
        OsPath name = Objects.name(entry.getKey());
        OsPath where = path.resolve(name);
        Node node = entry.getValue();
        ErofsInode child = ofOstree ? null : links.get(node);
        if (child == null) {
          child = node instanceof Node.Directory d ? directory(where, d) : leaf(where, node, inode);
          child.firstParent = inode;
          child.firstName = name;
          if (!ofOstree) {
            links.put(node, child);
          }
        }
        if (node instanceof Node.Directory) {
          inode.nlink++;
        } else {
          child.nlink++;
        }
        inode.children.put(name, child);
      }
      return inode;
    }

    private ErofsInode leaf(OsPath path, Node node, ErofsInode parent) throws IOException {
      return switch (node) {
        case Node.File f -> file(path, f);
        case Node.Symlink s -> {
          ErofsInode inode = inode(ErofsInode.Kind.SYMLINK, s);
          inode.data = s.target().bytes();
          if (inode.data.length == 0 || inode.data.length > ErofsInode.BLOCK - 1) {
            throw Problem.input(
                "the target of the link \"" + path + "\" has " + inode.data.length + " bytes");
          }
          yield inode;
        }
        case Node.Special s -> special(s, parent);
        case Node.Directory d -> throw new AssertionError("handled before");
        case Node.Whiteout w -> throw inLayerOnly(path);
        case Node.LinkBelow l -> throw inLayerOnly(path);
      };
    }

    private static IllegalArgumentException inLayerOnly(OsPath path) {
      return new IllegalArgumentException(path + " belongs in a layer, not in a merged tree");
    }

    private ErofsInode file(OsPath path, Node.File file) throws IOException {
      long size = file.content().size();
      if (size == 0) {
        return inode(ErofsInode.Kind.BARE, file);
      }
      return switch (backing.of(path, file)) {
        case Data.Inline inline -> {
          ErofsInode inode = inode(ErofsInode.Kind.INLINED, file);
          inode.data = inline.bytes();
          yield inode;
        }
        case Data.Backed backed -> {
          ErofsInode inode = inode(ErofsInode.Kind.CHUNKED, file);
          inode.size = size;
          inode.xattr(METACOPY, OverlayXattrs.metacopy(backed.digest()));
          if (backed.path() != null) {
            byte[] target = ("/" + backed.path()).getBytes(StandardCharsets.UTF_8);
            inode.xattr(REDIRECT, target);
          }
          yield inode;
        }
      };
    }

    private ErofsInode special(Node.Special special, ErofsInode parent) {
      ErofsInode inode = inode(ErofsInode.Kind.BARE, special);
      inode.rdev = special.rdev();
      if (special.metadata().type() == Stat.S_IFCHR && special.rdev() == 0) {
        // A whiteout below would vanish in overlayfs; escaped, the mounted tree shows one.
        inode.mode = Stat.S_IFREG | (inode.mode & 07777);
        inode.xattr(OverlayXattrs.ESCAPED_WHITEOUT, new byte[0]);
        inode.xattr(OverlayXattrs.USER_WHITEOUT, new byte[0]);
        parent.xattr(OverlayXattrs.ESCAPED_WHITEOUTS, new byte[0]);
        parent.xattr(OverlayXattrs.USER_WHITEOUTS, new byte[0]);
        parent.holdsWhiteouts = true;
        whiteouts = true;
      }
      return inode;
    }

    /** What format version 1 adds to directories with whiteouts. */
    private static void markOpaque(ErofsInode directory) {
      if (directory.holdsWhiteouts) {
        directory.xattr(OverlayXattrs.ESCAPED_OPAQUE, new byte[] {'x'});
        directory.xattr(OverlayXattrs.USER_OPAQUE, new byte[] {'x'});
      }
      for (ErofsInode child : directory.children.values()) {
        if (child.isDirectory()) {
          markOpaque(child);
        }
      }
    }

    private ErofsInode inode(ErofsInode.Kind kind, Node node) {
      Metadata metadata = ofOstree ? Objects.normalized(node.metadata()) : node.metadata();
      ErofsInode inode = new ErofsInode(kind, metadata);
      for (Metadata.Xattr x : metadata.xattrs()) {
        OsPath name = x.name();
        OsPath escaped = OverlayXattrs.escape(name);
        if (escaped.length() > MAX_XATTR_NAME || x.value().length > 0xffff) {
          throw Problem.input("the extended attribute " + name + " is too long for EROFS");
        }
        inode.xattrs.put(escaped, x.value());
      }
      return inode;
    }

    /** Names that cover the object directories of the lower layer. */
    private static void hideObjects(ErofsInode root) {
      byte[] label = root.xattrs.get(OsPath.of("security.selinux"));
      for (int i = 0; i < 256; i++) {
        OsPath name = OsPath.of(HexFormat.of().toHexDigits((byte) i));
        if (!root.children.containsKey(name)) {
          ErofsInode cover =
              new ErofsInode(
                  ErofsInode.Kind.BARE,
                  new Metadata(
                      Stat.S_IFCHR | 0644,
                      root.uid,
                      root.gid,
                      root.mtimeSeconds,
                      root.mtimeNanos,
                      java.util.List.of()));
          cover.rdev = Posix.makedev(0, 0);
          cover.nlink = 1;
          cover.firstParent = root;
          cover.firstName = name;
          if (label != null) {
            cover.xattr("security.selinux", label);
          }
          root.children.put(name, cover);
        }
      }
    }

    private static void addDots(ErofsInode directory, ErofsInode parent) {
      for (ErofsInode child : directory.children.values()) {
        if (child.isDirectory()) {
          addDots(child, directory);
        }
      }
      directory.children.put(DOT, directory);
      directory.children.put(DOT_DOT, parent);
    }
  }
}
