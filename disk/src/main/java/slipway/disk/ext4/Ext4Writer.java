package slipway.disk.ext4;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Cleanup;
import slipway.base.Problem;
import slipway.disk.ext4.Format.Inode;
import slipway.disk.ext4.Format.Journal;
import slipway.disk.ext4.Format.Super;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Writes a tree as an ext4 file system into a part of a file. Each content is read once, in the
 * order of the tree; blocks of zeros become holes.
 */
public final class Ext4Writer {
  private static final int CHUNK = 64 * Format.BLOCK;
  private static final byte[] ZEROS = new byte[Format.BLOCK];

  /** A group's parts may cut a file in two, and some of the pieces need a block to be listed in. */
  private static final int SPARE_PER_GROUP = 2;

  private final Census census;
  private final Geometry geometry;
  private final Ext4Options options;
  private final Volume volume;
  private final Checksums checksums;
  private final InodeTable inodes;
  private final byte[] chunk = new byte[CHUNK];

  private Ext4Writer(Census census, Geometry geometry, Ext4Options options, Volume volume) {
    this.census = census;
    this.geometry = geometry;
    this.options = options;
    this.volume = volume;
    this.checksums = new Checksums(options.id());
    long latest = options.settled() ? options.seconds() : Long.MAX_VALUE;
    this.inodes = new InodeTable(volume, geometry, checksums, options.seconds(), latest);
  }

  /**
   * Bytes that a file system with this tree has at least. What is sparse counts as if it were not.
   *
   * @throws Problem as {@link #write} does for what ext4 cannot keep
   */
  public static long minimum(FileTree tree, Ext4Options options) throws IOException {
    return minimum(new Census(tree, options.seconds())) << Format.BLOCK_BITS;
  }

  private static long minimum(Census census) {
    long blocks = census.blocks();
    while (true) {
      Optional<Geometry> geometry = Geometry.of(blocks, census.last());
      long lacking = geometry.map(g -> lacking(g, census)).orElse(64L);
      if (lacking <= 0) {
        return blocks;
      }
      blocks += lacking;
    }
  }

  private static long lacking(Geometry geometry, Census census) {
    long needed = 1 + census.blocks() + (long) SPARE_PER_GROUP * geometry.groups;
    return needed - geometry.room;
  }

  /**
   * Writes the file system. The region is new: it reads as zeros.
   *
   * @param file is there already
   * @param offset where the region begins
   * @param size its bytes, all of which the file system takes
   * @throws Problem before anything is written: of kind FULL when the tree has no room there, of
   *     kind INPUT or CORRUPT for what ext4 cannot keep
   */
  public static void write(FileTree tree, Path file, long offset, long size, Ext4Options options)
      throws IOException {
    if (options.label().getBytes(StandardCharsets.UTF_8).length > Super.LABEL_SIZE) {
      throw Problem.usage("the label \"" + options.label() + "\" has more than 16 bytes");
    }
    Census census = new Census(tree, options.seconds());
    Geometry geometry =
        Geometry.of(size >>> Format.BLOCK_BITS, census.last())
            .filter(g -> lacking(g, census) <= 0)
            .orElseThrow(() -> tooSmall(census, size));
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      new Ext4Writer(census, geometry, options, new Volume(channel, offset, geometry)).write();
    }
  }

  private static Problem tooSmall(Census census, long size) {
    return Problem.full(
        "an ext4 file system for this tree takes at least "
            + (minimum(census) << Format.BLOCK_BITS)
            + " bytes, and there are "
            + size
            + "; make it larger");
  }

  private void write() throws IOException {
    growth();
    ByteBuffer journal = geometry.journalBlocks > 0 ? journal() : null;
    directory(census.root, OsPath.of(""), Inode.ROOT);
    volume.flush();
    inodes.finish();
    GroupTable groups =
        new GroupTable(geometry, volume, checksums, inodes, census.last(), options.blank());
    byte[] descriptors = groups.write();
    SuperBlocks supers =
        new SuperBlocks(geometry, volume, options, groups.freeBlocks(), census.last());
    if (journal != null) {
      supers.journal(journal);
    }
    supers.write(descriptors);
  }

  private ByteBuffer own(int mode) {
    Metadata metadata = new Metadata(Stat.S_IFREG | mode, 0, 0, options.seconds(), 0, List.of());
    return inodes.inode(metadata, 1, Attributes.of(metadata, OsPath.of("")), 0);
  }

  /** The inode that owns the blocks into which descriptors of a larger file system will go. */
  private void growth() throws IOException {
    if (geometry.reservedBlocks == 0) {
      return;
    }
    int pointers = Format.BLOCK / 4;
    ByteBuffer names = Format.structure(Format.BLOCK);
    long blocks = 1;
    for (int i = 0; i < geometry.reservedBlocks; i++) {
      int at = geometry.descriptorBlocks + i;
      names.putInt(at % pointers * 4, 1 + at);
      ByteBuffer copies = Format.structure(Format.BLOCK);
      for (int g = 1; g < geometry.groups; g++) {
        if (Geometry.hasSuper(g)) {
          copies.putInt((int) (geometry.start(g) + 1 + at));
        }
      }
      blocks += 1 + copies.position() / 4;
      volume.put(1 + at, copies.array());
    }
    ByteBuffer root = Format.structure(Inode.BLOCKS_SIZE);
    root.putInt(Inode.DOUBLE_INDIRECT * 4, (int) volume.append(names.array(), 0));
    ByteBuffer inode = own(0600);
    long length = ((long) pointers * pointers + pointers + 12) << Format.BLOCK_BITS;
    InodeTable.content(inode, length, blocks, root.array());
    inodes.write(Inode.RESIZE, inode);
  }

  /** An empty journal; what follows its superblock is zero already. */
  private ByteBuffer journal() throws IOException {
    ByteBuffer b = ByteBuffer.allocate(Format.BLOCK).order(ByteOrder.BIG_ENDIAN);
    b.putInt(Journal.MAGIC_VALUE).putInt(Journal.SUPERBLOCK).putInt(0);
    b.putInt(Format.BLOCK).putInt(geometry.journalBlocks).putInt(1).putInt(1);
    Format.put(b, Journal.UUID_16, options.id());
    b.putInt(Journal.USERS, 1);
    ExtentTree extents = new ExtentTree(Inode.JOURNAL, volume, checksums);
    extents.add(0, volume.append(b.array(), 0));
    for (int i = 1; i < geometry.journalBlocks; i++) {
      extents.add(i, volume.take());
    }
    ByteBuffer inode = own(0600);
    long length = (long) geometry.journalBlocks << Format.BLOCK_BITS;
    withExtents(inode, length, extents, false);
    inodes.write(Inode.JOURNAL, inode);
    return inode;
  }

  private static void withExtents(
      ByteBuffer inode, long length, ExtentTree extents, boolean xattrBlock) throws IOException {
    byte[] root = extents.finish();
    inode.putInt(Inode.FLAGS, Inode.HAS_EXTENTS);
    InodeTable.content(inode, length, extents.blocks() + (xattrBlock ? 1 : 0), root);
  }

  private void directory(Node.Directory directory, OsPath path, long parent) throws IOException {
    int self = census.number(directory);
    node(directory, path, self, parent);
    for (var child : directory.children().entrySet()) {
      Cleanup.checkStopped();
      OsPath at = path.resolve(child.getKey());
      if (child.getValue() instanceof Node.Directory d) {
        directory(d, at, self);
      } else if (isNext(child.getValue())) {
        node(child.getValue(), at, census.number(child.getValue()), self);
      }
    }
  }

  private int done = Inode.LOST_AND_FOUND;

  /** Whether this is the first name of an inode: they have their numbers in this order. */
  private boolean isNext(Node node) {
    return census.number(node) > done;
  }

  private void node(Node node, OsPath path, int number, long parent) throws IOException {
    done = Math.max(done, number);
    Attributes attributes = Attributes.of(node.metadata(), path);
    long xattrBlock = xattrBlock(attributes.block());
    ByteBuffer inode = inodes.inode(node.metadata(), census.links(number), attributes, xattrBlock);
    boolean has = xattrBlock != 0;
    ExtentTree extents = new ExtentTree(number, volume, checksums);
    switch (node) {
      case Node.Directory d -> {
        long blocks = entries(d, number, parent, extents);
        withExtents(inode, blocks << Format.BLOCK_BITS, extents, has);
      }
      case Node.File f -> {
        content(f.content(), path, extents);
        withExtents(inode, f.content().size(), extents, has);
      }
      case Node.Symlink s -> symlink(inode, s.target(), extents, has);
      case Node.Special s -> InodeTable.content(inode, 0, has ? 1 : 0, device(s));
      default -> throw new IllegalArgumentException("no node of a merged tree: " + path);
    }
    if (options.immutable().contains(path)) {
      inode.putInt(Inode.FLAGS, inode.getInt(Inode.FLAGS) | Inode.IMMUTABLE);
    }
    inodes.write(number, inode);
  }

  private long xattrBlock(byte @Nullable [] block) throws IOException {
    if (block == null) {
      return 0;
    }
    // Its checksum names its place.
    long at = volume.take();
    checksums.sealAttributes(at, block);
    volume.fill(at, block, 0);
    return at;
  }

  private long entries(Node.Directory directory, int self, long parent, ExtentTree extents)
      throws IOException {
    long[] count = new long[1];
    DirectoryBlocks.Sink sink =
        block -> {
          int sum = checksums.ofBlock(self, block, DirectoryBlocks.CHECKED);
          ByteBuffer.wrap(block)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putInt(DirectoryBlocks.CHECKSUM, sum);
          extents.add(count[0]++, volume.append(block, 0));
        };
    DirectoryBlocks.make(directory, self, parent, census::number, sink);
    while (self == Inode.LOST_AND_FOUND && count[0] < Census.LOST_AND_FOUND_BLOCKS) {
      sink.block(DirectoryBlocks.empty());
    }
    return count[0];
  }

  private void content(Content content, OsPath path, ExtentTree extents) throws IOException {
    long size = content.size();
    if (size == 0) {
      return;
    }
    try (InputStream in = content.open()) {
      for (long at = 0; at < size; ) {
        int n = in.readNBytes(chunk, 0, (int) Math.min(size - at, chunk.length));
        if (n < Math.min(size - at, chunk.length)) {
          throw new IOException("\"" + path + "\" is shorter than the " + size + " bytes it has");
        }
        Arrays.fill(chunk, n, Format.roundUp(n, Format.BLOCK), (byte) 0);
        blocks(at >>> Format.BLOCK_BITS, n, extents);
        at += n;
      }
      if (in.read() >= 0) {
        throw new IOException("\"" + path + "\" is longer than the " + size + " bytes it has");
      }
    }
  }

  private void blocks(long logical, int length, ExtentTree extents) throws IOException {
    for (int at = 0; at < length; at += Format.BLOCK) {
      if (!Arrays.equals(chunk, at, at + Format.BLOCK, ZEROS, 0, Format.BLOCK)) {
        extents.add(logical + at / Format.BLOCK, volume.append(chunk, at));
      }
    }
  }

  /** A target of up to 59 bytes lies in the inode. */
  private void symlink(ByteBuffer inode, OsPath target, ExtentTree extents, boolean xattrBlock)
      throws IOException {
    byte[] bytes = target.bytes();
    if (bytes.length < Inode.BLOCKS_SIZE) {
      InodeTable.content(inode, bytes.length, xattrBlock ? 1 : 0, bytes);
      return;
    }
    extents.add(0, volume.append(Arrays.copyOf(bytes, Format.BLOCK), 0));
    withExtents(inode, bytes.length, extents, xattrBlock);
  }

  /** As new_encode_dev, or old_encode_dev where that is enough. */
  private static byte[] device(Node.Special special) {
    ByteBuffer b = Format.structure(Inode.BLOCKS_SIZE);
    int type = special.metadata().type();
    if (type != Stat.S_IFCHR && type != Stat.S_IFBLK) {
      return b.array();
    }
    int major = Posix.major(special.rdev());
    int minor = Posix.minor(special.rdev());
    if (major < 256 && minor < 256) {
      b.putInt(0, (major << 8) | minor);
    } else {
      b.putInt(4, (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12));
    }
    return b.array();
  }
}
