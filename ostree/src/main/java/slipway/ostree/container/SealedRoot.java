package slipway.ostree.container;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.composefs.FsVerity;
import slipway.linux.posix.OsPath;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * The composefs image that bootc's own backend boots a root with, and whose digest a sealed kernel
 * carries ({@code composefs=} on its command line): version 1 of the format, sha512 everywhere,
 * files of at most 64 bytes inside (composefs-rs, transform_for_oci and transform_for_boot).
 *
 * <p>What differs between a mounted container and its layers does not count: the root takes after
 * {@code /usr}, {@code /run} is empty, and of attributes only capabilities stay. {@code /boot},
 * which has the kernel, and {@code /sysroot} are empty.
 */
public final class SealedRoot {
  private static final OsPath CAPABILITY = OsPath.of("security.capability");
  private static final int INLINE = 64;
  private static final int VERSION = 1;

  private SealedRoot() {}

  /**
   * The fs-verity sha512 digest of the image.
   *
   * @param root of an operating system
   * @return 128 hexadecimal digits
   * @throws Problem of kind INPUT when it lacks a folder that it must have, or brings a policy for
   *     SELinux, whose labels nobody makes here
   */
  public static String digest(FileTree root) throws IOException {
    FsVerity verity = new FsVerity(FsVerity.Algorithm.SHA512);
    write(root, Composefs.into(verity));
    return HexFormat.of().formatHex(verity.digest());
  }

  /** Writes the image. */
  static void write(FileTree root, OutputStream out) throws IOException {
    Composefs.write(prepared(root), (path, file) -> data(file), VERSION, out);
  }

  private static Composefs.Data data(Node.File file) throws IOException {
    try (InputStream in = file.content().open()) {
      if (file.content().size() <= INLINE) {
        return new Composefs.Data.Inline(in.readNBytes(INLINE));
      }
      FsVerity verity = new FsVerity(FsVerity.Algorithm.SHA512);
      in.transferTo(Composefs.into(verity));
      byte[] digest = verity.digest();
      String hex = HexFormat.of().formatHex(digest);
      return new Composefs.Data.Backed(hex.substring(0, 2) + "/" + hex.substring(2), digest);
    }
  }

  private static FileTree prepared(FileTree tree) {
    Node.Directory root = tree.root();
    if (!(root.children().get(OsPath.of("usr")) instanceof Node.Directory usr)) {
      throw Problem.input("the root has no folder usr");
    }
    if (tree.find("etc/selinux/config").isPresent()) {
      throw Problem.input(
          "the root brings a policy for SELinux (/etc/selinux/config), whose labels are a part of"
              + " the digest and cannot be made here");
    }
    TreeMap<OsPath, Node> children = new TreeMap<>(root.children());
    for (String name : List.of("boot", "sysroot", "run")) {
      Node there = children.get(OsPath.of(name));
      if (there instanceof Node.Directory d) {
        children.put(OsPath.of(name), emptied(d.metadata(), usr.metadata()));
      } else if (!name.equals("run") || there != null) {
        throw Problem.input("the root has no folder " + name);
      }
    }
    return new FileTree(new Node.Directory(usr.metadata(), children))
        .withXattrs(CAPABILITY::equals);
  }

  private static Node emptied(Metadata own, Metadata usr) {
    return new Node.Directory(own.withMtime(usr.mtimeSeconds(), usr.mtimeNanos()), new TreeMap<>());
  }
}
