package slipway.composefs;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import slipway.composefs.ErofsFormat.Compact;
import slipway.composefs.ErofsFormat.Dirent;
import slipway.composefs.ErofsFormat.Extended;
import slipway.composefs.ErofsFormat.Header;
import slipway.composefs.ErofsFormat.Inode;
import slipway.composefs.ErofsFormat.SuperBlock;
import slipway.composefs.ErofsFormat.XattrArea;
import slipway.composefs.ErofsFormat.XattrEntry;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;

/**
 * Writes a laid out image: composefs's header, the EROFS superblock, inodes, shared attributes,
 * data blocks.
 */
public final class ErofsWriter {
  private static final int BLOCK = ErofsFormat.BLOCK;

  private final ErofsLayout layout;
  private final int version;
  private final OutputStream out;
  private long written;

  private ErofsWriter(ErofsLayout layout, int version, OutputStream out) {
    this.layout = layout;
    this.version = version;
    this.out = out;
  }

  public static void write(ErofsLayout layout, int version, OutputStream out) throws IOException {
    ErofsWriter writer = new ErofsWriter(layout, version, out);
    writer.header();
    for (ErofsInode inode : layout.inodes) {
      writer.padTo(inode.position);
      writer.inode(inode);
    }
    writer.padTo(layout.inodesEnd);
    for (ErofsXattr x : layout.sharedOffsets.keySet()) {
      writer.put(xattr(x));
    }
    writer.padTo(layout.firstDataBlock * BLOCK);
    for (ErofsInode inode : layout.inodes) {
      writer.blocks(inode);
    }
  }

  private void put(byte[] bytes) throws IOException {
    out.write(bytes);
    written += bytes.length;
  }

  private void padTo(long position) throws IOException {
    put(new byte[Math.toIntExact(position - written)]);
  }

  private void header() throws IOException {
    ByteBuffer header = ErofsFormat.structure(Header.SIZE);
    Header.MAGIC.put(header, Header.MAGIC_VALUE);
    Header.VERSION.put(header, Header.VERSION_VALUE);
    Header.FLAGS.put(header, layout.acl ? Header.HAS_ACL : 0);
    Header.COMPOSEFS_VERSION.put(header, version);
    put(header.array());
    padTo(SuperBlock.START);
    ByteBuffer block = ErofsFormat.structure(SuperBlock.SIZE);
    SuperBlock.MAGIC.put(block, SuperBlock.MAGIC_VALUE);
    SuperBlock.COMPATIBLE_FEATURES.put(block, SuperBlock.MTIME | SuperBlock.XATTR_FILTER);
    SuperBlock.BLOCK_BITS.put(block, ErofsFormat.BLOCK_BITS);
    SuperBlock.ROOT.put(block, Math.toIntExact(layout.inodes.getFirst().nid()));
    SuperBlock.INODES.put(block, layout.inodes.size());
    SuperBlock.SECONDS.put(block, layout.minSeconds);
    SuperBlock.NANOS.put(block, layout.minNanos);
    SuperBlock.BLOCKS.put(block, Math.toIntExact(layout.totalBlocks));
    SuperBlock.XATTRS_BLOCK.put(block, Math.toIntExact(layout.inodesEnd / BLOCK));
    put(block.array());
  }

  private void inode(ErofsInode inode) throws IOException {
    ByteBuffer b = ErofsFormat.structure(inode.inodeSize());
    int format = inode.layout() << Inode.LAYOUT_SHIFT | (inode.extended ? Inode.EXTENDED : 0);
    Inode.FORMAT.put(b, format);
    Inode.XATTR_COUNT.put(b, ErofsFormat.xattrCount(inode.xattrSize()));
    Inode.MODE.put(b, inode.mode);
    if (inode.extended) {
      Extended.LENGTH.put(b, inode.size);
      Extended.POINTER.put(b, pointer(inode));
      Extended.NUMBER.put(b, inode.number);
      Extended.UID.put(b, inode.uid);
      Extended.GID.put(b, inode.gid);
      Extended.SECONDS.put(b, inode.mtimeSeconds);
      Extended.NANOS.put(b, inode.mtimeNanos);
      Extended.NLINK.put(b, inode.nlink);
    } else {
      Compact.NLINK.put(b, inode.nlink);
      Compact.LENGTH.put(b, inode.size);
      Compact.POINTER.put(b, pointer(inode));
      Compact.NUMBER.put(b, inode.number);
      Compact.UID.put(b, inode.uid);
      Compact.GID.put(b, inode.gid);
    }
    put(b.array());
    xattrs(inode);
    tail(inode);
  }

  /** i_u: where the data is, or what the device is. */
  private static int pointer(ErofsInode inode) {
    return switch (inode.kind) {
      case CHUNKED -> inode.chunkBits() - ErofsFormat.BLOCK_BITS;
      case BARE -> (int) inode.rdev;
      case DIRECTORY, SYMLINK, INLINED -> inode.blocks > 0 ? Math.toIntExact(inode.firstBlock) : 0;
    };
  }

  private void xattrs(ErofsInode inode) throws IOException {
    if (inode.xattrs.isEmpty()) {
      return;
    }
    int filter = -1;
    ByteBuffer b = ErofsFormat.structure(inode.xattrSize());
    XattrArea.SHARED.put(b, inode.shared.size());
    b.position(XattrArea.SIZE);
    for (ErofsXattr x : inode.shared) {
      filter &= ~(1 << x.filterBit());
      b.putInt(layout.sharedId(x));
    }
    for (ErofsXattr x : inode.unshared) {
      filter &= ~(1 << x.filterBit());
      b.put(xattr(x));
    }
    XattrArea.FILTER.put(b, filter);
    put(b.array());
  }

  private static byte[] xattr(ErofsXattr x) {
    byte[] rest = x.rest();
    ByteBuffer b = ErofsFormat.structure(x.paddedSize());
    XattrEntry.NAME_LENGTH.put(b, rest.length);
    XattrEntry.PREFIX.put(b, x.prefix());
    XattrEntry.VALUE_LENGTH.put(b, x.value().length);
    b.position(XattrEntry.SIZE).put(rest).put(x.value());
    return b.array();
  }

  private void tail(ErofsInode inode) throws IOException {
    if (inode.tail == 0) {
      return;
    }
    switch (inode.kind) {
      case DIRECTORY -> put(directoryBlocks(inode).getLast());
      case SYMLINK -> put(inode.data);
      case INLINED ->
          put(Arrays.copyOfRange(inode.data, inode.data.length - inode.tail, inode.data.length));
      case CHUNKED -> put(chunks(inode.tail));
      case BARE -> {}
    }
  }

  private static byte[] chunks(int size) {
    byte[] bytes = new byte[size];
    Arrays.fill(bytes, (byte) Inode.NO_CHUNK);
    return bytes;
  }

  private void blocks(ErofsInode inode) throws IOException {
    if (inode.blocks == 0) {
      return;
    }
    switch (inode.kind) {
      case DIRECTORY -> {
        List<byte[]> all = directoryBlocks(inode);
        for (int i = 0; i < inode.blocks; i++) {
          put(Arrays.copyOf(all.get(i), BLOCK));
        }
      }
      case SYMLINK, INLINED -> {
        byte[] whole = Arrays.copyOf(inode.data, inode.data.length - inode.tail);
        put(Arrays.copyOf(whole, inode.blocks * BLOCK));
      }
      case CHUNKED -> put(chunks(inode.blocks * BLOCK));
      case BARE -> {}
    }
  }

  /** The entries of a directory in blocks, each without what pads it. */
  private static List<byte[]> directoryBlocks(ErofsInode directory) {
    List<byte[]> blocks = new ArrayList<>();
    List<Map.Entry<OsPath, ErofsInode>> gathered = new ArrayList<>();
    int used = 0;
    for (Map.Entry<OsPath, ErofsInode> child : directory.children.entrySet()) {
      int length = Dirent.SIZE + child.getKey().length();
      if (used + length > BLOCK) {
        blocks.add(directoryBlock(gathered, used));
        gathered.clear();
        used = 0;
      }
      gathered.add(child);
      used += length;
    }
    blocks.add(directoryBlock(gathered, used));
    return blocks;
  }

  private static byte[] directoryBlock(List<Map.Entry<OsPath, ErofsInode>> entries, int size) {
    ByteBuffer b = ByteBuffer.allocate(size);
    int nameAt = entries.size() * Dirent.SIZE;
    for (Map.Entry<OsPath, ErofsInode> e : entries) {
      ByteBuffer entry = ErofsFormat.structure(Dirent.SIZE);
      Dirent.INODE.put(entry, e.getValue().nid());
      Dirent.NAME.put(entry, nameAt);
      Dirent.TYPE.put(entry, Stat.entryType(e.getValue().mode));
      b.put(entry);
      nameAt += e.getKey().length();
    }
    for (Map.Entry<OsPath, ErofsInode> e : entries) {
      b.put(e.getKey().bytes());
    }
    return b.array();
  }
}
