package slipway.disk.ext4;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * Where the fields of ext4's structures lie (Linux's fs/ext4/ext4.h, ext4_extents.h, xattr.h), as
 * bytes from the structure's beginning. Their sizes are in the comments where they are not four.
 */
final class Format {
  static final int BLOCK_BITS = 12;
  static final int BLOCK = 1 << BLOCK_BITS;
  static final int PER_GROUP = BLOCK * 8;
  static final int SECTORS = BLOCK / 512;
  static final int FLEX_BITS = 4;
  static final int LINK_MAX = 65_000;
  static final int NAME_MAX = 255;

  private Format() {}

  /** The superblock. */
  static final class Super {
    static final int START = 1024;
    static final int SIZE = 1024;
    static final int INODES = 0;
    static final int BLOCKS = 4;
    static final int ROOTS_BLOCKS = 8;
    static final int FREE_BLOCKS = 0xc;
    static final int FREE_INODES = 0x10;
    static final int LOG_BLOCK = 0x18;
    static final int LOG_CLUSTER = 0x1c;
    static final int PER_GROUP_BLOCKS = 0x20;
    static final int PER_GROUP_CLUSTERS = 0x24;
    static final int PER_GROUP_INODES = 0x28;
    static final int WRITTEN = 0x30;
    static final int MAX_MOUNTS_2 = 0x36;
    static final int MAGIC_2 = 0x38;
    static final int MAGIC_VALUE = 0xef53;
    static final int STATE_2 = 0x3a;
    static final int ERRORS_2 = 0x3c;
    static final int CHECKED = 0x40;
    static final int REVISION = 0x4c;
    static final int FIRST_INODE = 0x54;
    static final int INODE_SIZE_2 = 0x58;
    static final int GROUP_2 = 0x5a;
    static final int COMPATIBLE = 0x5c;
    static final int INCOMPATIBLE = 0x60;
    static final int READ_ONLY_COMPATIBLE = 0x64;
    static final int UUID_16 = 0x68;
    static final int LABEL_16 = 0x78;
    static final int LABEL_SIZE = 16;
    static final int RESERVED_DESCRIPTORS_2 = 0xce;
    static final int JOURNAL = 0xe0;
    static final int HASH_SEED_16 = 0xec;
    static final int HASH_1 = 0xfc;
    static final int JOURNAL_COPY_1 = 0xfd;
    static final int DESCRIPTOR_SIZE_2 = 0xfe;
    static final int MOUNT_OPTIONS = 0x100;
    static final int MADE = 0x108;
    static final int JOURNAL_BLOCKS_68 = 0x10c;
    static final int BLOCKS_HIGH = 0x150;
    static final int ROOTS_BLOCKS_HIGH = 0x154;
    static final int FREE_BLOCKS_HIGH = 0x158;
    static final int MIN_EXTRA_2 = 0x15c;
    static final int WANT_EXTRA_2 = 0x15e;
    static final int FLAGS = 0x160;
    static final int LOG_FLEX_1 = 0x174;
    static final int CHECKSUM_TYPE_1 = 0x175;
    static final int CHECKSUM = 0x3fc;

    static final int HAS_JOURNAL = 4;
    static final int EXT_ATTR = 8;
    static final int RESIZE_INODE = 0x10;
    static final int DIR_INDEX = 0x20;

    /** filetype, extent, 64bit, flex_bg. */
    static final int INCOMPATIBLE_VALUE = 2 | 0x40 | 0x80 | 0x200;

    /** sparse_super, large_file, huge_file, dir_nlink, extra_isize, metadata_csum. */
    static final int READ_ONLY_VALUE = 1 | 2 | 8 | 0x20 | 0x40 | 0x400;

    static final int VERITY = 0x8000;
    static final int HALF_MD4 = 1;
    static final int SIGNED_HASH = 1;

    /** user_xattr, acl. */
    static final int MOUNT_OPTIONS_VALUE = 4 | 8;

    private Super() {}
  }

  /** A group descriptor. The high halves lie 0x20 behind the low ones. */
  static final class Group {
    static final int SIZE = 64;
    static final int HIGH = 0x20;
    static final int BLOCK_BITMAP = 0;
    static final int INODE_BITMAP = 4;
    static final int INODE_TABLE = 8;
    static final int FREE_BLOCKS_2 = 0xc;
    static final int FREE_INODES_2 = 0xe;
    static final int DIRECTORIES_2 = 0x10;
    static final int FLAGS_2 = 0x12;
    static final int BLOCK_BITMAP_CHECKSUM_2 = 0x18;
    static final int INODE_BITMAP_CHECKSUM_2 = 0x1a;
    static final int UNUSED_INODES_2 = 0x1c;
    static final int CHECKSUM_2 = 0x1e;
    static final int BLOCK_BITMAP_CHECKSUM_HIGH_2 = 0x38;
    static final int INODE_BITMAP_CHECKSUM_HIGH_2 = 0x3a;

    static final int INODES_UNINITIALIZED = 1;
    static final int BLOCKS_UNINITIALIZED = 2;
    static final int TABLE_ZEROED = 4;

    private Group() {}
  }

  /** An inode. */
  static final class Inode {
    static final int SIZE = 256;
    static final int PER_BLOCK = BLOCK / SIZE;
    static final int ROOT = 2;
    static final int RESIZE = 7;
    static final int JOURNAL = 8;
    static final int LOST_AND_FOUND = 11;

    static final int MODE_2 = 0;
    static final int UID_2 = 2;
    static final int LENGTH = 4;
    static final int ACCESSED = 8;
    static final int CHANGED = 0xc;
    static final int MODIFIED = 0x10;
    static final int GID_2 = 0x18;
    static final int LINKS_2 = 0x1a;
    static final int SECTORS = 0x1c;
    static final int FLAGS = 0x20;
    static final int BLOCKS_60 = 0x28;
    static final int BLOCKS_SIZE = 60;
    static final int XATTR_BLOCK = 0x68;
    static final int LENGTH_HIGH = 0x6c;
    static final int SECTORS_HIGH_2 = 0x74;
    static final int XATTR_BLOCK_HIGH_2 = 0x76;
    static final int UID_HIGH_2 = 0x78;
    static final int GID_HIGH_2 = 0x7a;
    static final int CHECKSUM_2 = 0x7c;
    static final int EXTRA_2 = 0x80;
    static final int CHECKSUM_HIGH_2 = 0x82;
    static final int CHANGED_EXTRA = 0x84;
    static final int MODIFIED_EXTRA = 0x88;
    static final int ACCESSED_EXTRA = 0x8c;
    static final int CREATED = 0x90;
    static final int CREATED_EXTRA = 0x94;
    static final int XATTRS = 160;
    static final int EXTRA_VALUE = 32;

    static final int IMMUTABLE = 0x10;
    static final int HAS_EXTENTS = 0x80000;
    static final int DOUBLE_INDIRECT = 13;

    private Inode() {}
  }

  /** Headers of 12 bytes and entries of 12 bytes, which make the tree of a file's extents. */
  static final class Extents {
    static final int MAGIC_VALUE = 0xf30a;
    static final int ENTRY = 12;
    static final int IN_INODE = 4;
    static final int IN_BLOCK = (BLOCK - ENTRY) / ENTRY;
    static final int LONGEST = 1 << 15;

    private Extents() {}
  }

  /** A directory's entry: inode (4), length (2), length of the name (1), type (1), name. */
  static final class Entry {
    static final int SIZE = 8;
    static final int TAIL = 12;
    static final int TAIL_TYPE = 0xde;

    private Entry() {}
  }

  /** Extended attributes. */
  static final class Attribute {
    static final int MAGIC_VALUE = 0xea020000;
    static final int HEADER = 32;
    static final int ENTRY = 16;
    static final int CHECKSUM = 16;

    private Attribute() {}
  }

  /** The journal's superblock; its numbers are big-endian. */
  static final class Journal {
    static final int MAGIC_VALUE = 0xc03b3998;
    static final int SUPERBLOCK = 4;
    static final int UUID_16 = 0x30;
    static final int USERS = 0x40;

    private Journal() {}
  }

  static ByteBuffer structure(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  static void put(ByteBuffer b, int at, UUID id) {
    ByteBuffer bytes = ByteBuffer.allocate(16);
    bytes.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
    b.put(at, bytes.array());
  }

  static int roundUp(int value, int unit) {
    return (value + unit - 1) / unit * unit;
  }

  static long blocks(long bytes) {
    return (bytes + BLOCK - 1) >>> BLOCK_BITS;
  }

  /** ext4 leaves out the complement at the end. */
  static int value(CRC32C crc) {
    return ~(int) crc.getValue();
  }
}
