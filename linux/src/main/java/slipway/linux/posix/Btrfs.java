package slipway.linux.posix;

import slipway.linux.posix.Native.Scratch;

/** What btrfs alone has: subvolumes (linux/btrfs.h). Other file systems are left as they are. */
public final class Btrfs {
  /** The number of a subvolume's own directory (BTRFS_FIRST_FREE_OBJECTID). */
  private static final long SUBVOLUME = 256;

  private static final long BTRFS_IOC_DEFAULT_SUBVOL = 0x40089413L;
  private static final long BTRFS_IOC_SUBVOL_GETFLAGS = 0x80089419L;
  private static final long BTRFS_IOC_SUBVOL_SETFLAGS = 0x4008941aL;
  private static final long BTRFS_SUBVOL_RDONLY = 0x2;

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

  /** Gives false where the file system is another one. */
  private static boolean ioctl(Scratch s, int fd, long request, String name) throws UnixException {
    if (IOCTL.call(s, fd, request, s.structAddress) >= 0) {
      return true;
    }
    return switch (s.errno()) {
      case UnixException.ENOTTY, UnixException.EOPNOTSUPP, UnixException.EINVAL -> false;
      default -> throw Native.error(name, "fd " + fd, s.errno());
    };
  }
}
