package slipway.tree;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.TarHeaderWriter;
import slipway.archive.tar.TarOptions;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;

/**
 * Writes a tree or a layer as a tar: ustar headers, pax records only where a value does not fit,
 * {@code SCHILY.xattr} for attributes. The same tree gives the same bytes: parents come before
 * children, siblings in byte order, the first name of an inode is the file and the others are hard
 * links. The archive ends with two blocks of zeros and no further padding. Owners are numbers only.
 * Sockets are left out, since tar has none.
 */
public final class TarWriter {
  private static final OsPath EMPTY = OsPath.of("");
  private static final OsPath ROOT = OsPath.of("./");
  private static final OsPath SLASH = OsPath.of("/");
  private static final Metadata MARKER = Metadata.file(0600);

  private final OutputStream out;
  private final TarHeaderWriter headers;
  private final TarOptions options;
  private final Map<Node, OsPath> written = new IdentityHashMap<>();

  /** What was written before its time. */
  private final Set<OsPath> early = new HashSet<>();

  private final byte[] buffer = new byte[64 * 1024];

  private TarWriter(OutputStream out, TarOptions options) {
    this.out = new BufferedOutputStream(out, 64 * 1024);
    this.headers = new TarHeaderWriter(this.out);
    this.options = options;
  }

  /**
   * Writes all of a tree, the root as {@code ./}.
   *
   * @param out flushed, not closed
   * @throws Problem of kind INPUT for a name that would be read as a whiteout
   */
  public static void write(OutputStream out, FileTree tree, TarOptions options) throws IOException {
    TarWriter writer = new TarWriter(out, options);
    tree.walk(writer::add);
    writer.end();
  }

  /**
   * Writes the entries of a layer with its whiteouts; implied directories have no entry.
   *
   * @param out flushed, not closed
   * @throws Problem of kind INPUT for a name that would be read as a whiteout
   */
  public static void write(OutputStream out, Layer layer, TarOptions options) throws IOException {
    TarWriter writer = new TarWriter(out, options);
    new EarlyLinks(layer, writer::early).write();
    layer.walk(writer::add);
    writer.end();
  }

  /** Writes a link before its time, and before it the directories that it stands in. */
  private void early(Layer layer, OsPath path, Node.LinkBelow link) throws IOException {
    OsPath at = EMPTY;
    Node.Directory directory = layer.root();
    for (OsPath name : path.components()) {
      if (!directory.implied() && early.add(at)) {
        entry(at, directory);
      }
      at = at.resolve(name);
      if (directory.children().get(name) instanceof Node.Directory d) {
        directory = d;
      }
    }
    early.add(path);
    link(path, link);
  }

  private void add(OsPath path, Node node) throws IOException {
    if (path.name().startsWith(LayerReader.WHITEOUT)) {
      throw Problem.input(
          "\"" + path + "\" cannot be stored in a layer: names with .wh. in front are whiteouts");
    }
    if (node instanceof Node.Directory d) {
      directory(path, d);
    } else if (early.contains(path)) {
      return;
    } else if (node instanceof Node.Whiteout) {
      OsPath marker = LayerReader.WHITEOUT.concat(path.name());
      headers.write(sibling(path, marker), '0', MARKER, 0, EMPTY, 0);
    } else if (node instanceof Node.LinkBelow link) {
      link(path, link);
    } else {
      inode(path, node);
    }
  }

  private static OsPath sibling(OsPath path, OsPath name) {
    return path.parent().resolve(name);
  }

  private void directory(OsPath path, Node.Directory directory) throws IOException {
    if (!directory.implied() && !early.contains(path)) {
      entry(path, directory);
    }
    if (directory.opaque()) {
      headers.write(path.resolve(LayerReader.OPAQUE), '0', MARKER, 0, EMPTY, 0);
    }
  }

  private void entry(OsPath path, Node.Directory directory) throws IOException {
    OsPath name = path.isEmpty() ? ROOT : path.concat(SLASH);
    headers.write(name, '5', options.apply(directory.metadata()), 0, EMPTY, 0);
  }

  private void link(OsPath path, Node.LinkBelow link) throws IOException {
    headers.write(path, '1', options.apply(link.metadata()), 0, link.target(), 0);
  }

  private void inode(OsPath path, Node node) throws IOException {
    Metadata metadata = options.apply(node.metadata());
    if (metadata.type() == Stat.S_IFSOCK) {
      return;
    }
    OsPath first = written.putIfAbsent(node, path);
    if (first != null) {
      headers.write(path, '1', metadata, 0, first, 0);
      return;
    }
    switch (node) {
      case Node.File f -> file(path, metadata, f.content());
      case Node.Symlink s -> headers.write(path, '2', metadata, 0, s.target(), 0);
      case Node.Special s -> headers.write(path, type(metadata), metadata, 0, EMPTY, s.rdev());
      case Node.Directory d -> throw new AssertionError();
      case Node.Whiteout w -> throw new AssertionError();
      case Node.LinkBelow l -> throw new AssertionError();
    }
  }

  private static char type(Metadata metadata) {
    return switch (metadata.type()) {
      case Stat.S_IFCHR -> '3';
      case Stat.S_IFBLK -> '4';
      default -> '6';
    };
  }

  private void file(OsPath path, Metadata metadata, Content content) throws IOException {
    long size = content.size();
    headers.write(path, '0', metadata, size, EMPTY, 0);
    try (InputStream in = content.open()) {
      long left = size;
      while (left > 0) {
        int n = in.read(buffer, 0, (int) Math.min(left, buffer.length));
        if (n < 0) {
          throw new IOException("\"" + path + "\" became shorter while it was read");
        }
        out.write(buffer, 0, n);
        left -= n;
      }
      if (in.read() >= 0) {
        throw new IOException("\"" + path + "\" became longer while it was read");
      }
    }
    headers.pad(size);
  }

  private void end() throws IOException {
    headers.end();
    out.flush();
  }
}
