package slipway.linux.posix;

import slipway.linux.posix.Native.Scratch;

/** ioctl(2) on files: inode flags, shared blocks, and the size of a terminal. */
public final class Ioctls {
  /** The inode flag of chattr +i. */
  private static final int FS_IMMUTABLE_FL = 0x10;

  /** The inode flag of chattr +a. */
  private static final int FS_APPEND_FL = 0x20;

  private static final long FS_IOC_GETFLAGS = 0x80086601L;
  private static final long FS_IOC_SETFLAGS = 0x40086602L;
  private static final long FICLONE = 0x40049409L;

  private static final long TIOCGWINSZ = 0x5413;

  private static final Native.Function IOCTL = new Native.Function("ioctl");

  private Ioctls() {}

  /** Reads the inode flags of chattr(1); 0 where the file system has none. */
  private static int inodeFlags(int fd) throws UnixException {
    Scratch s = Native.scratch();
    s.struct.putLong(0, 0);
    int r = IOCTL.call(s, fd, FS_IOC_GETFLAGS, s.structAddress);
    if (r < 0) {
      if (s.errno() == UnixException.ENOTTY || s.errno() == UnixException.EOPNOTSUPP) {
        return 0;
      }
      throw Native.error("FS_IOC_GETFLAGS", "fd " + fd, s.errno());
    }
    return s.struct.getInt(0);
  }

  /**
   * Sets or clears chattr +i on a directory or file; does nothing where the file system has no such
   * flag.
   */
  public static void setImmutable(OsPath path, boolean immutable) throws UnixException {
    Pretence pretence = Pretence.over(Posix.AT_FDCWD, path);
    if (pretence != null) {
      pretence.setImmutable(StatCall.find(Posix.AT_FDCWD, path, false), immutable);
      return;
    }
    changeFlags(path, FS_IMMUTABLE_FL, immutable ? FS_IMMUTABLE_FL : 0);
  }

  /**
   * Clears what keeps an open directory or file from being removed: chattr +i and +a. Does nothing
   * where the file system has no such flags.
   */
  static void clearProtection(int fd) throws UnixException {
    changeFlags(fd, FS_IMMUTABLE_FL | FS_APPEND_FL, 0);
  }

  private static void changeFlags(OsPath path, int mask, int wanted) throws UnixException {
    int fd = Posix.open(path, Posix.O_RDONLY | Posix.O_NOFOLLOW, 0);
    try {
      changeFlags(fd, mask, wanted);
    } finally {
      Posix.close(fd);
    }
  }

  private static void changeFlags(int fd, int mask, int wanted) throws UnixException {
    int old = inodeFlags(fd);
    int flags = (old & ~mask) | wanted;
    if (flags == old) {
      return;
    }
    Scratch s = Native.scratch();
    s.struct.putLong(0, flags);
    int r = IOCTL.call(s, fd, FS_IOC_SETFLAGS, s.structAddress);
    if (r < 0 && s.errno() != UnixException.ENOTTY && s.errno() != UnixException.EOPNOTSUPP) {
      throw Native.error("FS_IOC_SETFLAGS", "fd " + fd, s.errno());
    }
  }

  /**
   * ioctl(FICLONE): makes {@code target} share the blocks of {@code source}; false where the file
   * system cannot.
   */
  public static boolean reflink(int source, int target) throws UnixException {
    Scratch s = Native.scratch();
    int r = IOCTL.call(s, target, FICLONE, source);
    if (r < 0) {
      return switch (s.errno()) {
        case UnixException.EOPNOTSUPP,
            UnixException.EXDEV,
            UnixException.EINVAL,
            UnixException.ENOTTY ->
            false;
        default -> throw Native.error("FICLONE", "fd " + target, s.errno());
      };
    }
    return true;
  }

  /** ioctl(TIOCGWINSZ): the columns of a terminal; 0 where none is, or none that knows them. */
  public static int columns(int fd) {
    Scratch s = Native.scratch();
    s.struct.putLong(0, 0);
    // struct winsize (asm-generic/termios.h): rows, columns.
    return IOCTL.call(s, fd, TIOCGWINSZ, s.structAddress) < 0 ? 0 : s.struct.getShort(2) & 0xffff;
  }
}
