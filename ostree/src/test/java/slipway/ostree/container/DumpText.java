package slipway.ostree.container;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.Map;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** Writes trees in the format of composefs-dump(5), which mkcomposefs reads. */
final class DumpText {
  private DumpText() {}

  /** The tree in the format of composefs-dump(5). */
  static byte[] of(FileTree tree, Composefs.Backing backing) throws IOException {
    StringBuilder text = new StringBuilder();
    Map<Node, OsPath> first = new IdentityHashMap<>();
    Map<Node, Integer> names = new IdentityHashMap<>();
    tree.walk((path, node) -> names.merge(node, 1, (a, b) -> a + b));
    tree.walk(
        (path, node) -> {
          Metadata m = node.metadata();
          OsPath linked = first.putIfAbsent(node, path);
          text.append(escape(("/" + latin1(path)).getBytes(StandardCharsets.ISO_8859_1)));
          if (linked != null) {
            text.append(" 0 @").append(Integer.toOctalString(m.mode()));
            text.append(" 0 0 0 0 0.0 ")
                .append(escape(("/" + latin1(linked)).getBytes(StandardCharsets.ISO_8859_1)));
            text.append(" - -\n");
            return;
          }
          text.append(fields(path, node, names.get(node), backing));
          for (Metadata.Xattr x : m.xattrs()) {
            text.append(' ').append(escape(x.name().bytes())).append('=').append(escape(x.value()));
          }
          text.append('\n');
        });
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static String fields(OsPath path, Node node, int names, Composefs.Backing backing)
      throws IOException {
    Metadata m = node.metadata();
    long size = 0;
    long rdev = 0;
    int nlink = names;
    String payload = "-";
    String content = "-";
    String digest = "-";
    switch (node) {
      case Node.File f -> {
        size = f.content().size();
        if (size > 0) {
          switch (backing.of(path, f)) {
            case Composefs.Data.Inline inline -> content = escape(inline.bytes());
            case Composefs.Data.Backed backed -> {
              payload = backed.path() == null ? "-" : backed.path();
              digest = backed.digest() == null ? "-" : HexFormat.of().formatHex(backed.digest());
            }
          }
        }
      }
      case Node.Symlink s -> {
        payload = escape(s.target().bytes());
        size = s.target().length();
      }
      case Node.Special s -> rdev = s.rdev();
      case Node.Directory d ->
          nlink =
              2
                  + (int)
                      d.children().values().stream()
                          .filter(c -> c instanceof Node.Directory)
                          .count();
      case Node.Whiteout w -> throw new AssertionError();
      case Node.LinkBelow l -> throw new AssertionError();
    }
    return " %d %o %d %s %s %d %d.%d %s %s %s"
        .formatted(
            size,
            m.mode(),
            nlink,
            Integer.toUnsignedString(m.uid()),
            Integer.toUnsignedString(m.gid()),
            rdev,
            m.mtimeSeconds(),
            m.mtimeNanos(),
            payload,
            content,
            digest);
  }

  static String latin1(OsPath path) {
    return new String(path.bytes(), StandardCharsets.ISO_8859_1);
  }

  static String escape(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte b : bytes) {
      boolean plain = b > 0x20 && b < 0x7f && b != '\\' && b != '=';
      if (plain && !(bytes.length == 1 && b == '-')) {
        text.append((char) b);
      } else {
        text.append("\\x%02x".formatted(b & 0xff));
      }
    }
    return text.toString();
  }
}
