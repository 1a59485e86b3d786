package slipway.disk.ext4;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.zip.CRC32C;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.Metadata.Xattr;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** A tree as lines, which show all that ext4 keeps of it. */
final class Listing {
  private Listing() {}

  /** Names of the same inode show the first of them. */
  static List<String> of(FileTree tree) throws IOException {
    List<String> lines = new ArrayList<>();
    IdentityHashMap<Node, OsPath> first = new IdentityHashMap<>();
    tree.walk(
        (path, node) -> {
          OsPath same = first.putIfAbsent(node, path);
          String line = same == null ? line(node) : "as " + name(same);
          lines.add(name(path) + " " + line);
        });
    return lines;
  }

  private static String name(OsPath path) {
    return HexFormat.of().formatHex(path.bytes());
  }

  private static String line(Node node) throws IOException {
    Metadata m = node.metadata();
    StringBuilder line = new StringBuilder();
    line.append(Integer.toOctalString(m.mode())).append(' ').append(m.uid()).append(':');
    line.append(m.gid()).append(' ').append(m.mtimeSeconds()).append('.').append(m.mtimeNanos());
    for (Xattr xattr : m.xattrs()) {
      line.append(' ').append(xattr.name()).append('=');
      line.append(HexFormat.of().formatHex(xattr.value()));
    }
    switch (node) {
      case Node.File f -> {
        CRC32C crc = new CRC32C();
        crc.update(Ext4Reader.bytes(f.content()));
        line.append(' ').append(f.content().size()).append(' ').append(crc.getValue());
      }
      case Node.Symlink s -> line.append(" -> ").append(s.target());
      case Node.Special s -> {
        boolean device = m.type() == Stat.S_IFCHR || m.type() == Stat.S_IFBLK;
        line.append(' ').append(device ? s.rdev() : 0);
      }
      default -> {}
    }
    return line.toString();
  }
}
