package slipway.linux.posix;

/**
 * What lstat(2) tells of an inode.
 *
 * @param mode type and permission bits, as st_mode
 * @param uid owner
 * @param gid group
 * @param size bytes
 * @param mtimeSeconds modification time, seconds since the epoch
 * @param mtimeNanos and its nanoseconds
 * @param inode inode number
 * @param device device number of the file system
 * @param nlink number of links
 * @param rdev device number that a device node stands for, as makedev(3) packs it
 * @param blocks blocks of 512 bytes in use
 */
public record Stat(
    int mode,
    int uid,
    int gid,
    long size,
    long mtimeSeconds,
    int mtimeNanos,
    long inode,
    long device,
    long nlink,
    long rdev,
    long blocks) {
  public static final int S_IFMT = 0170000;
  public static final int S_IFDIR = 0040000;
  public static final int S_IFREG = 0100000;
  public static final int S_IFLNK = 0120000;
  public static final int S_IFCHR = 0020000;
  public static final int S_IFBLK = 0060000;
  public static final int S_IFIFO = 0010000;
  public static final int S_IFSOCK = 0140000;

  public boolean isDirectory() {
    return (mode & S_IFMT) == S_IFDIR;
  }

  public boolean isRegular() {
    return (mode & S_IFMT) == S_IFREG;
  }

  public boolean isSymlink() {
    return (mode & S_IFMT) == S_IFLNK;
  }

  /** Permission bits with setuid, setgid and sticky. */
  public int permissions() {
    return mode & 07777;
  }

  /**
   * The type in a directory's entry on disk, by that in a mode, as ext4 and EROFS number them
   * (Linux, include/linux/fs_types.h, FT_*); 0 when there is no such type.
   */
  public static int entryType(int mode) {
    return switch (mode & S_IFMT) {
      case S_IFREG -> 1;
      case S_IFDIR -> 2;
      case S_IFCHR -> 3;
      case S_IFBLK -> 4;
      case S_IFIFO -> 5;
      case S_IFSOCK -> 6;
      case S_IFLNK -> 7;
      default -> 0;
    };
  }
}
