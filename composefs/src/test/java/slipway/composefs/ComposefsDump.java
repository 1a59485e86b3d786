package slipway.composefs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.composefs.ErofsImage.Data;
import slipway.composefs.ErofsImage.Inode;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;

/**
 * Tells what a composefs image was made of, a line for each name, as {@code composefs-info dump}
 * does and {@code mkcomposefs --from-file} takes it (composefs-dump(5)). What overlayfs keeps for
 * itself is left out, and what was escaped is whole again. Attributes are in the order of their
 * names.
 */
public final class ComposefsDump {
  private static final OsPath ROOT = OsPath.of("/");

  private final Appendable out;

  /** Where an inode was told first. */
  private final Map<Inode, OsPath> told = new IdentityHashMap<>();

  private ComposefsDump(Appendable out) {
    this.out = out;
  }

  /** Writes the lines, which are ASCII. */
  public static void write(ErofsImage image, Appendable out) throws IOException {
    new ComposefsDump(out).node(ROOT, image.root());
  }

  private void node(OsPath path, Inode inode) throws IOException {
    if (isWhiteout(inode)) {
      return; // It hides a directory of objects.
    }
    OsPath first = told.putIfAbsent(inode, path);
    Metadata m = inode.metadata();
    boolean escapedWhiteout = isEscapedWhiteout(m);
    int mode = escapedWhiteout ? m.permissions() | Stat.S_IFCHR : m.mode();
    escape(path.bytes(), false, false);
    out.append(' ').append(Long.toString(inode.size())).append(first == null ? " " : " @");
    out.append(Integer.toOctalString(mode));
    out.append(' ').append(Integer.toUnsignedString(inode.nlink()));
    out.append(' ').append(Integer.toUnsignedString(m.uid()));
    out.append(' ').append(Integer.toUnsignedString(m.gid()));
    out.append(' ').append(Long.toString(inode.data() instanceof Data.Device d ? d.rdev() : 0));
    out.append(' ').append(m.mtimeSeconds() + "." + m.mtimeNanos() + " ");
    optional(first == null ? payload(inode) : first.bytes());
    out.append(' ');
    optional(inode.data() instanceof Data.Inline i && i.bytes().length > 0 ? i.bytes() : null);
    byte[] digest = inode.data() instanceof Data.Backed backed ? backed.digest() : null;
    out.append(' ').append(digest == null ? "-" : HexFormat.of().formatHex(digest));
    xattrs(m, escapedWhiteout);
    out.append('\n');
    if (inode.data() instanceof Data.Directory directory) {
      for (Map.Entry<OsPath, Inode> child : directory.children().entrySet()) {
        node(path.resolve(child.getKey()), child.getValue());
      }
    }
  }

  private static boolean isWhiteout(Inode inode) {
    return inode.metadata().type() == Stat.S_IFCHR
        && inode.data() instanceof Data.Device device
        && device.rdev() == 0;
  }

  private static boolean isEscapedWhiteout(Metadata m) {
    return m.type() == Stat.S_IFREG && m.xattr(OverlayXattrs.ESCAPED_WHITEOUT).isPresent();
  }

  private static byte @Nullable [] payload(Inode inode) {
    return switch (inode.data()) {
      case Data.Symlink link -> link.target().bytes();
      case Data.Backed backed -> backed.path() == null ? null : backed.path().bytes();
      case Data.Directory d -> null;
      case Data.Inline i -> null;
      case Data.Device d -> null;
      case Data.None n -> null;
    };
  }

  private void xattrs(Metadata m, boolean escapedWhiteout) throws IOException {
    for (Metadata.Xattr x : m.xattrs()) {
      OsPath name = OverlayXattrs.shown(x.name());
      boolean mark =
          (escapedWhiteout && x.name().is(OverlayXattrs.ESCAPED_WHITEOUT))
              || x.name().is(OverlayXattrs.ESCAPED_WHITEOUTS)
              || x.name().is(OverlayXattrs.USER_WHITEOUT)
              || x.name().is(OverlayXattrs.USER_WHITEOUTS);
      if (name != null && !mark) {
        out.append(' ');
        escape(name.bytes(), true, false);
        out.append('=');
        escape(x.value(), true, false);
      }
    }
  }

  private void optional(byte @Nullable [] bytes) throws IOException {
    if (bytes == null) {
      out.append('-');
    } else {
      escape(bytes, false, true);
    }
  }

  /**
   * Writes bytes as the format has them.
   *
   * @param equals whether an equals sign is escaped
   * @param dash whether a dash that stands alone is
   */
  private void escape(byte[] bytes, boolean equals, boolean dash) throws IOException {
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    if (dash && text.equals("-")) {
      out.append("\\x2d");
      return;
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c <= ' ' || c >= 0x7f || (equals && c == '=')) {
            out.append("\\x").append(HexFormat.of().toHexDigits((byte) c));
          } else {
            out.append(c);
          }
        }
      }
    }
  }
}
