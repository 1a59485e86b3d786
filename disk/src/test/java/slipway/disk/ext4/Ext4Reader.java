package slipway.disk.ext4;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.LongStream;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.Metadata.Xattr;
import slipway.disk.ext4.Format.Attribute;
import slipway.disk.ext4.Format.Entry;
import slipway.disk.ext4.Format.Extents;
import slipway.disk.ext4.Format.Group;
import slipway.disk.ext4.Format.Inode;
import slipway.disk.ext4.Format.Super;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** Reads what {@link Ext4Writer} writes, without a mount. Trusts it, but for the link counts. */
final class Ext4Reader {
  private static final Map<Integer, String> PREFIXES =
      Map.of(1, "user.", 4, "trusted.", 6, "security.");

  private final FileChannel file;
  private final long offset;
  private final int inodesPerGroup;
  private final Map<Integer, Node> known = new HashMap<>();
  private final Map<Integer, Integer> names = new HashMap<>();

  private Ext4Reader(FileChannel file, long offset) throws IOException {
    this.file = file;
    this.offset = offset;
    ByteBuffer block = read(Super.START, Super.SIZE);
    if ((block.getShort(Super.MAGIC_2) & 0xffff) != Super.MAGIC_VALUE) {
      throw new IOException("no ext4");
    }
    this.inodesPerGroup = block.getInt(Super.PER_GROUP_INODES);
  }

  /** Content stays in the file. */
  static FileTree read(Path path, long offset) throws IOException {
    FileChannel file = FileChannel.open(path, StandardOpenOption.READ);
    Ext4Reader reader = new Ext4Reader(file, offset);
    Node.Directory root = (Node.Directory) reader.node(Inode.ROOT);
    for (Map.Entry<Integer, Integer> each : reader.names.entrySet()) {
      int links = reader.inode(each.getKey()).getShort(Inode.LINKS_2) & 0xffff;
      if (!(reader.known.get(each.getKey()) instanceof Node.Directory)
          && links != each.getValue()) {
        throw new IOException("inode " + each.getKey() + " has " + links + " links");
      }
    }
    return new FileTree(root);
  }

  private ByteBuffer read(long at, int size) throws IOException {
    ByteBuffer b = Format.structure(size);
    while (b.hasRemaining() && file.read(b, offset + at + b.position()) >= 0) {}
    return b.flip();
  }

  private ByteBuffer block(long number) throws IOException {
    return read(number * Format.BLOCK, Format.BLOCK);
  }

  private ByteBuffer inode(int number) throws IOException {
    int group = (number - 1) / inodesPerGroup;
    ByteBuffer descriptor = read(Format.BLOCK + (long) group * Group.SIZE, Group.SIZE);
    long table = descriptor.getInt(Group.INODE_TABLE) & 0xffff_ffffL;
    long index = (number - 1L) % inodesPerGroup;
    return read(table * Format.BLOCK + index * Inode.SIZE, Inode.SIZE);
  }

  private Node node(int number) throws IOException {
    names.merge(number, 1, Integer::sum);
    Node node = known.get(number);
    if (node == null) {
      node = make(inode(number));
      known.put(number, node);
    }
    return node;
  }

  private Node make(ByteBuffer inode) throws IOException {
    Metadata metadata = metadata(inode);
    Content content = new Stored(inode);
    return switch (metadata.type()) {
      case Stat.S_IFREG -> new Node.File(metadata, content);
      case Stat.S_IFDIR -> new Node.Directory(metadata, children(content));
      case Stat.S_IFLNK -> new Node.Symlink(metadata, target(inode, content));
      default -> new Node.Special(metadata, device(inode));
    };
  }

  private NavigableMap<OsPath, Node> children(Content content) throws IOException {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    ByteBuffer b = littleEndian(content.open().readAllBytes());
    while (b.hasRemaining()) {
      int begin = b.position();
      int number = b.getInt();
      int length = b.getShort() & 0xffff;
      byte[] name = new byte[b.get() & 0xff];
      b.get();
      b.get(name);
      OsPath path = OsPath.ofBytes(name);
      if (number != 0 && path.isName()) {
        children.put(path, node(number));
      }
      b.position(begin + Math.max(length, Entry.SIZE));
    }
    return children;
  }

  private static OsPath target(ByteBuffer inode, Content content) throws IOException {
    int length = inode.getInt(Inode.LENGTH);
    byte[] inside = new byte[Math.min(length, Inode.BLOCKS_SIZE)];
    inode.get(Inode.BLOCKS_60, inside);
    return OsPath.ofBytes(length < Inode.BLOCKS_SIZE ? inside : content.open().readAllBytes());
  }

  private static long device(ByteBuffer inode) {
    int old = inode.getInt(Inode.BLOCKS_60);
    int wide = inode.getInt(Inode.BLOCKS_60 + 4);
    return old != 0
        ? Posix.makedev(old >>> 8, old & 0xff)
        : Posix.makedev((wide >>> 8) & 0xfff, (wide & 0xff) | ((wide >>> 12) & 0xfff00));
  }

  private Metadata metadata(ByteBuffer b) throws IOException {
    int extra = b.getInt(Inode.MODIFIED_EXTRA);
    return new Metadata(
        b.getShort(Inode.MODE_2) & 0xffff,
        (b.getShort(Inode.UID_2) & 0xffff) | (b.getShort(Inode.UID_HIGH_2) << 16),
        (b.getShort(Inode.GID_2) & 0xffff) | (b.getShort(Inode.GID_HIGH_2) << 16),
        b.getInt(Inode.MODIFIED) + ((long) (extra & 3) << 32),
        extra >>> 2,
        xattrs(b));
  }

  private List<Xattr> xattrs(ByteBuffer inode) throws IOException {
    List<Xattr> all = new ArrayList<>();
    ByteBuffer near = inode.slice(Inode.XATTRS, Inode.SIZE - Inode.XATTRS);
    near.order(ByteOrder.LITTLE_ENDIAN);
    if (near.getInt() == Attribute.MAGIC_VALUE) {
      xattrs(near, 4, all);
    }
    int block = inode.getInt(Inode.XATTR_BLOCK);
    if (block != 0) {
      xattrs(block(block & 0xffff_ffffL).position(Attribute.HEADER), 0, all);
    }
    return all;
  }

  private static void xattrs(ByteBuffer b, int from, List<Xattr> all) {
    while (b.getInt(b.position()) != 0) {
      byte[] name = new byte[b.get() & 0xff];
      int prefix = b.get();
      int at = b.getShort() & 0xffff;
      byte[] value = new byte[b.getInt(b.position() + 4)];
      b.position(b.position() + 12);
      b.get(name).position(Format.roundUp(b.position() - from, 4) + from);
      b.get(from + at, value);
      all.add(new Xattr(OsPath.of(PREFIXES.get(prefix)).concat(OsPath.ofBytes(name)), value));
    }
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Content by its extents. */
  private final class Stored implements Content {
    private final ByteBuffer inode;
    private final TreeMap<Long, Long> blocks = new TreeMap<>();

    Stored(ByteBuffer inode) throws IOException {
      this.inode = inode;
      if ((inode.getInt(Inode.FLAGS) & Inode.HAS_EXTENTS) != 0) {
        byte[] root = new byte[Inode.BLOCKS_SIZE];
        inode.get(Inode.BLOCKS_60, root);
        extents(littleEndian(root));
      }
    }

    private void extents(ByteBuffer b) throws IOException {
      int count = b.getShort(2);
      int depth = b.getShort(6);
      for (int at = Extents.ENTRY; at <= count * Extents.ENTRY; at += Extents.ENTRY) {
        if (depth > 0) {
          extents(block(b.getInt(at + 4) & 0xffff_ffffL));
          continue;
        }
        for (int i = 0; i < (b.getShort(at + 4) & 0xffff); i++) {
          blocks.put((b.getInt(at) & 0xffff_ffffL) + i, (b.getInt(at + 8) & 0xffff_ffffL) + i);
        }
      }
    }

    @Override
    public long size() {
      return (inode.getInt(Inode.LENGTH) & 0xffff_ffffL)
          | ((long) inode.getInt(Inode.LENGTH_HIGH) << 32);
    }

    @Override
    public InputStream open() {
      List<InputStream> pieces = new ArrayList<>();
      LongStream.range(0, Format.blocks(size())).forEach(i -> pieces.add(piece(i)));
      return new SequenceInputStream(Collections.enumeration(pieces));
    }

    private InputStream piece(long logical) {
      int size = (int) Math.min(Format.BLOCK, size() - logical * Format.BLOCK);
      return new InputStream() {
        private ByteBuffer b;

        @Override
        public int read() throws IOException {
          byte[] one = new byte[1];
          return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] to, int at, int length) throws IOException {
          if (b == null) {
            Long block = blocks.get(logical);
            b = (block == null ? ByteBuffer.allocate(Format.BLOCK) : block(block)).limit(size);
          }
          int n = Math.min(length, b.remaining());
          b.get(to, at, n);
          return n == 0 && length > 0 ? -1 : n;
        }
      };
    }
  }

  /** All bytes of a content. */
  static byte[] bytes(Content content) throws IOException {
    try (InputStream in = content.open()) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      in.transferTo(out);
      return out.toByteArray();
    }
  }
}
