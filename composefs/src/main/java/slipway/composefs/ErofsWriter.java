package slipway.composefs;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import slipway.linux.posix.OsPath;

/**
 * Writes a laid out image: composefs's header, the EROFS superblock, inodes, shared attributes,
 * data blocks (Linux's fs/erofs/erofs_fs.h; composefs's libcomposefs/lcfs-erofs.h). Little-endian.
 */
public final class ErofsWriter {
  /** Size of a directory entry without its name. */
  static final int DIRENT = 12;

  private static final int BLOCK = ErofsInode.BLOCK;
  private static final int COMPOSEFS_MAGIC = 0xd078629a;
  private static final int EROFS_MAGIC = 0xE0F5E1E2;
  private static final int FEATURE_MTIME = 2;
  private static final int FEATURE_XATTR_FILTER = 4;
  private static final int NO_CHUNK = -1;

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

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void header() throws IOException {
    boolean acl =
        layout.inodes.stream()
            .flatMap(i -> i.xattrs.entrySet().stream())
            .anyMatch(x -> new ErofsXattr(x.getKey(), x.getValue()).isAcl());
    ByteBuffer b = buffer(ErofsLayout.HEADER_END);
    b.putInt(COMPOSEFS_MAGIC).putInt(1).putInt(acl ? 1 : 0).putInt(version);
    b.position(1024);
    b.putInt(EROFS_MAGIC).putInt(0).putInt(FEATURE_MTIME | FEATURE_XATTR_FILTER);
    b.put((byte) 12).put((byte) 0);
    b.putShort((short) layout.inodes.getFirst().nid());
    b.putLong(layout.inodes.size());
    b.putLong(layout.minSeconds).putInt(layout.minNanos);
    b.putInt(Math.toIntExact(layout.totalBlocks));
    b.putInt(0).putInt(Math.toIntExact(layout.inodesEnd / BLOCK));
    put(b.array());
  }

  private void inode(ErofsInode inode) throws IOException {
    ByteBuffer b = buffer(inode.inodeSize());
    b.putShort((short) (inode.layout() << 1 | (inode.extended ? 1 : 0)));
    b.putShort((short) inode.xattrCount()).putShort((short) inode.mode);
    if (inode.extended) {
      b.putShort((short) 0).putLong(inode.size).putInt(pointer(inode)).putInt(inode.number);
      b.putInt(inode.uid).putInt(inode.gid);
      b.putLong(inode.mtimeSeconds).putInt(inode.mtimeNanos).putInt(inode.nlink);
    } else {
      b.putShort((short) inode.nlink).putInt((int) inode.size).putInt(0);
      b.putInt(pointer(inode)).putInt(inode.number);
      b.putShort((short) inode.uid).putShort((short) inode.gid);
    }
    put(b.array());
    xattrs(inode);
    tail(inode);
  }

  /** i_u: where the data is, or what the device is. */
  private static int pointer(ErofsInode inode) {
    return switch (inode.kind) {
      case CHUNKED -> inode.chunkBits() - 12;
      case BARE -> (int) inode.rdev;
      case DIRECTORY, SYMLINK, INLINED -> inode.blocks > 0 ? Math.toIntExact(inode.firstBlock) : 0;
    };
  }

  private void xattrs(ErofsInode inode) throws IOException {
    if (inode.xattrs.isEmpty()) {
      return;
    }
    int filter = -1;
    ByteBuffer b = buffer(inode.xattrSize());
    b.position(4);
    b.put((byte) inode.shared.size());
    b.position(12);
    for (ErofsXattr x : inode.shared) {
      filter &= ~(1 << x.filterBit());
      b.putInt(layout.sharedId(x));
    }
    for (ErofsXattr x : inode.unshared) {
      filter &= ~(1 << x.filterBit());
      b.put(xattr(x));
    }
    b.putInt(0, filter);
    put(b.array());
  }

  private static byte[] xattr(ErofsXattr x) {
    byte[] rest = x.rest();
    ByteBuffer b = buffer(x.paddedSize());
    b.put((byte) rest.length).put((byte) x.prefix()).putShort((short) x.value().length);
    b.put(rest).put(x.value());
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
    Arrays.fill(bytes, (byte) NO_CHUNK);
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
      int length = DIRENT + child.getKey().length();
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
    ByteBuffer b = buffer(size);
    int nameAt = entries.size() * DIRENT;
    for (Map.Entry<OsPath, ErofsInode> e : entries) {
      b.putLong(e.getValue().nid()).putShort((short) nameAt);
      b.put((byte) e.getValue().entryType()).put((byte) 0);
      nameAt += e.getKey().length();
    }
    for (Map.Entry<OsPath, ErofsInode> e : entries) {
      b.put(e.getKey().bytes());
    }
    return b.array();
  }
}
