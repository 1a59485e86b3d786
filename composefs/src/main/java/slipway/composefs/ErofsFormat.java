package slipway.composefs;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The structures of a composefs image, field by field: what writer and reader know of the layout on
 * disk (Linux's fs/erofs/erofs_fs.h; composefs's libcomposefs/lcfs-erofs.h). All numbers are
 * little-endian. A field is read from, and put into, a buffer that begins where its structure does.
 */
final class ErofsFormat {
  static final int BLOCK_BITS = 12;
  static final int BLOCK = 1 << BLOCK_BITS;

  /** Inodes begin at multiples of it; their numbers count it. */
  static final int SLOT = 32;

  /** A name in a directory, as Linux bounds it. */
  static final int MAX_NAME = 255;

  private ErofsFormat() {}

  /** An empty structure. */
  static ByteBuffer structure(int size) {
    return littleEndian(ByteBuffer.allocate(size));
  }

  static ByteBuffer littleEndian(ByteBuffer bytes) {
    return bytes.order(ByteOrder.LITTLE_ENDIAN);
  }

  /** One byte without a sign. */
  record U8(int offset) {
    int get(ByteBuffer structure) {
      return structure.get(offset) & 0xff;
    }

    void put(ByteBuffer structure, int value) {
      structure.put(offset, (byte) value);
    }
  }

  /** Two bytes without a sign. */
  record U16(int offset) {
    int get(ByteBuffer structure) {
      return structure.getShort(offset) & 0xffff;
    }

    void put(ByteBuffer structure, int value) {
      structure.putShort(offset, (short) value);
    }
  }

  /** Four bytes without a sign. */
  record U32(int offset) {
    long get(ByteBuffer structure) {
      return structure.getInt(offset) & 0xffff_ffffL;
    }

    void put(ByteBuffer structure, long value) {
      structure.putInt(offset, (int) value);
    }
  }

  /** Eight bytes. */
  record U64(int offset) {
    long get(ByteBuffer structure) {
      return structure.getLong(offset);
    }

    void put(ByteBuffer structure, long value) {
      structure.putLong(offset, value);
    }
  }

  /** What composefs puts in front (struct lcfs_erofs_header_s). */
  static final class Header {
    static final int SIZE = 32;
    static final U32 MAGIC = new U32(0);
    static final U32 VERSION = new U32(4);
    static final U32 FLAGS = new U32(8);
    static final U32 COMPOSEFS_VERSION = new U32(12);

    static final long MAGIC_VALUE = 0xd078629aL;
    static final long VERSION_VALUE = 1;

    /** Of the flags: some inode has an access control list. */
    static final long HAS_ACL = 1;

    /** The newest composefs version that is known: composefs-rs's. */
    static final long MAX_COMPOSEFS_VERSION = 2;

    private Header() {}
  }

  /** struct erofs_super_block. */
  static final class SuperBlock {
    static final int START = 1024;
    static final int SIZE = 128;
    static final U32 MAGIC = new U32(0);
    static final U32 COMPATIBLE_FEATURES = new U32(8);
    static final U8 BLOCK_BITS = new U8(12);
    static final U16 ROOT = new U16(14);
    static final U64 INODES = new U64(16);

    /** The time of all compact inodes. */
    static final U64 SECONDS = new U64(24);

    static final U32 NANOS = new U32(32);
    static final U32 BLOCKS = new U32(36);

    /** The block from which inode numbers count. */
    static final U32 INODES_BLOCK = new U32(40);

    /** The block from which numbers of shared attributes count. */
    static final U32 XATTRS_BLOCK = new U32(44);

    static final U32 INCOMPATIBLE_FEATURES = new U32(80);

    static final long MAGIC_VALUE = 0xE0F5E1E2L;

    /** Of the compatible features: inodes have the time of the last modification. */
    static final long MTIME = 2;

    /** Of the compatible features: inodes have a filter of attributes' names. */
    static final long XATTR_FILTER = 4;

    /** Of the incompatible features: files of chunks; composefs has them without saying so. */
    static final long CHUNKED_FILE = 4;

    private SuperBlock() {}
  }

  /** The beginning that both kinds of inodes share; what {@code FORMAT} holds. */
  static final class Inode {
    static final U16 FORMAT = new U16(0);
    static final U16 XATTR_COUNT = new U16(2);
    static final U16 MODE = new U16(4);

    /** Of the format: it is an extended inode. */
    static final int EXTENDED = 1;

    /** Of the format: where the layout stands. */
    static final int LAYOUT_SHIFT = 1;

    static final int LAYOUT_MASK = 7;

    /** A layout: whole blocks. */
    static final int FLAT_PLAIN = 0;

    /** A layout: whole blocks, and what is left behind the inode. */
    static final int FLAT_INLINE = 2;

    /** A layout: a list of chunks. */
    static final int CHUNK_BASED = 4;

    /** A chunk that is not in the image. */
    static final int NO_CHUNK = -1;

    /** Bytes that name one chunk. */
    static final int CHUNK = 4;

    /** Of a chunked file's pointer: by how many bits a chunk is larger than a block. */
    static final int CHUNK_BITS_MASK = 0x1f;

    private Inode() {}
  }

  /** struct erofs_inode_compact. */
  static final class Compact {
    static final int SIZE = 32;
    static final U16 NLINK = new U16(6);
    static final U32 LENGTH = new U32(8);
    static final U32 POINTER = new U32(16);
    static final U32 NUMBER = new U32(20);
    static final U16 UID = new U16(24);
    static final U16 GID = new U16(26);

    private Compact() {}
  }

  /** struct erofs_inode_extended. */
  static final class Extended {
    static final int SIZE = 64;
    static final U64 LENGTH = new U64(8);
    static final U32 POINTER = new U32(16);
    static final U32 NUMBER = new U32(20);
    static final U32 UID = new U32(24);
    static final U32 GID = new U32(28);
    static final U64 SECONDS = new U64(32);
    static final U32 NANOS = new U32(40);
    static final U32 NLINK = new U32(44);

    private Extended() {}
  }

  /** struct erofs_xattr_ibody_header; numbers of shared attributes follow, then entries. */
  static final class XattrArea {
    static final int SIZE = 12;
    static final U32 FILTER = new U32(0);
    static final U8 SHARED = new U8(4);

    /** Bytes that name one shared attribute; it counts this unit itself. */
    static final int UNIT = 4;

    private XattrArea() {}
  }

  /** struct erofs_xattr_entry; the rest of the name and the value follow. */
  static final class XattrEntry {
    static final int SIZE = 4;
    static final U8 NAME_LENGTH = new U8(0);
    static final U8 PREFIX = new U8(1);
    static final U16 VALUE_LENGTH = new U16(2);

    private XattrEntry() {}
  }

  /** struct erofs_dirent; the names follow the last one of a block. */
  static final class Dirent {
    static final int SIZE = 12;
    static final U64 INODE = new U64(0);
    static final U16 NAME = new U16(8);
    static final U8 TYPE = new U8(10);

    private Dirent() {}
  }

  /** Bytes of an attribute area, by the number that its inode has for it. */
  static int xattrSize(int count) {
    return count == 0 ? 0 : XattrArea.SIZE + (count - 1) * XattrArea.UNIT;
  }

  /** The number that an inode has for an attribute area of so many bytes. */
  static int xattrCount(int size) {
    return size == 0 ? 0 : (size - XattrArea.SIZE) / XattrArea.UNIT + 1;
  }
}
