package slipway.linux.posix;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import slipway.linux.posix.Native.Scratch;

/** What btrfs alone has: subvolumes (linux/btrfs.h). Other file systems are left as they are. */
public final class Btrfs {
  /** The number of a subvolume's own directory (BTRFS_FIRST_FREE_OBJECTID). */
  private static final long SUBVOLUME = 256;

  private static final long BTRFS_IOC_DEFAULT_SUBVOL = 0x40089413L;
  private static final long BTRFS_IOC_SUBVOL_GETFLAGS = 0x80089419L;
  private static final long BTRFS_IOC_SUBVOL_SETFLAGS = 0x4008941aL;
  private static final long BTRFS_SUBVOL_RDONLY = 0x2;

  private static final long BTRFS_IOC_TREE_SEARCH = 0xd0009411L;
  private static final long BTRFS_IOC_INO_LOOKUP = 0xd0009412L;

  /** Bytes of what the last two take and give (linux/btrfs.h). */
  private static final int SEARCH = 4096;

  /** In that: where the number of items is, where what was found begins, and its first item. */
  private static final int FOUND = 64;

  private static final int ITEM = 104 + 32;

  /** In an item of a directory (linux/btrfs_tree.h, btrfs_dir_item). */
  private static final int NAME_LENGTH = ITEM + 27;

  private static final int NAME = ITEM + 30;
  private static final byte[] DEFAULT = "default".getBytes(StandardCharsets.US_ASCII);

  private static final Native.Function IOCTL = new Native.Function("ioctl");

  private Btrfs() {}

  /** Whether it may be a subvolume; on other file systems it may be anything. */
  static boolean isSubvolume(Stat stat) {
    return stat.isDirectory() && stat.inode() == SUBVOLUME;
  }

  /** Makes a subvolume writable that is read-only, as snapshots often are. */
  static void makeWritable(int fd) throws UnixException {
    Scratch s = Native.scratch();
    s.struct.putLong(0, 0);
    if (ioctl(s, fd, BTRFS_IOC_SUBVOL_GETFLAGS, "BTRFS_IOC_SUBVOL_GETFLAGS")) {
      long flags = s.struct.getLong(0);
      if ((flags & BTRFS_SUBVOL_RDONLY) != 0) {
        s.struct.putLong(0, flags & ~BTRFS_SUBVOL_RDONLY);
        ioctl(s, fd, BTRFS_IOC_SUBVOL_SETFLAGS, "BTRFS_IOC_SUBVOL_SETFLAGS");
      }
    }
  }

  /**
   * Lets the top of a btrfs be what a mount shows that names no subvolume; the one that it was can
   * be removed then.
   *
   * @param path of any directory in it
   */
  public static void resetDefault(OsPath path) throws UnixException {
    int fd = Posix.open(path, Posix.O_RDONLY | Posix.O_DIRECTORY, 0);
    try {
      Scratch s = Native.scratch();
      // 0 stands for the top.
      s.struct.putLong(0, 0);
      ioctl(s, fd, BTRFS_IOC_DEFAULT_SUBVOL, "BTRFS_IOC_DEFAULT_SUBVOL");
    } finally {
      Posix.close(fd);
    }
  }

  /** Whether a directory is the subvolume that a mount shows that names none. */
  public static boolean isDefault(OsPath directory) throws UnixException {
    if (!isSubvolume(Posix.lstat(directory))) {
      return false;
    }
    int fd = Posix.open(directory, TreeRemoval.DIRECTORY, 0);
    try {
      ByteBuffer id = searched();
      // The subvolume that the open directory is in.
      id.putLong(8, SUBVOLUME);
      ByteBuffer found = searched();
      // In the tree of roots (1) an entry of its directory (6): a directory item (84).
      long[] key = {1, 6, 6, 0, -1, 0, -1};
      for (int i = 0; i < key.length; i++) {
        found.putLong(i * Long.BYTES, key[i]);
      }
      found.putInt(56, 84).putInt(60, 84).putInt(FOUND, 1);
      return ioctl(fd, BTRFS_IOC_INO_LOOKUP, id, "BTRFS_IOC_INO_LOOKUP")
          && ioctl(fd, BTRFS_IOC_TREE_SEARCH, found, "BTRFS_IOC_TREE_SEARCH")
          && isNamedDefault(found)
          && Long.reverseBytes(found.order(ByteOrder.BIG_ENDIAN).getLong(ITEM)) == id.getLong(0);
    } finally {
      Posix.close(fd);
    }
  }

  private static ByteBuffer searched() {
    return ByteBuffer.allocateDirect(SEARCH).order(ByteOrder.nativeOrder());
  }

  private static boolean isNamedDefault(ByteBuffer found) {
    byte[] name = new byte[DEFAULT.length];
    found.get(NAME, name);
    return found.getInt(FOUND) == 1
        && found.get(NAME_LENGTH) == DEFAULT.length
        && Arrays.equals(name, DEFAULT);
  }

  private static boolean ioctl(int fd, long request, ByteBuffer argument, String name)
      throws UnixException {
    return ioctl(Native.scratch(), fd, request, MemorySegment.ofBuffer(argument).address(), name);
  }

  private static boolean ioctl(Scratch s, int fd, long request, String name) throws UnixException {
    return ioctl(s, fd, request, s.structAddress, name);
  }

  /** Gives false where the file system is another one. */
  private static boolean ioctl(Scratch s, int fd, long request, long address, String name)
      throws UnixException {
    if (IOCTL.call(s, fd, request, address) >= 0) {
      return true;
    }
    return switch (s.errno()) {
      case UnixException.ENOTTY, UnixException.EOPNOTSUPP, UnixException.EINVAL -> false;
      default -> throw Native.error(name, "fd " + fd, s.errno());
    };
  }
}
