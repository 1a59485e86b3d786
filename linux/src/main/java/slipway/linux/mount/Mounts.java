package slipway.linux.mount;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.linux.posix.Native;
import slipway.linux.posix.Native.Scratch;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.UnixException;

/** System calls on mounts (section 2 of the manual). {@link Mount} undoes what it does. */
public final class Mounts {
  public static final long MS_RDONLY = 1;
  public static final long MS_NOSUID = 2;
  public static final long MS_NODEV = 4;
  public static final long MS_NOEXEC = 8;
  public static final long MS_REMOUNT = 32;
  public static final long MS_BIND = 4096;
  public static final long MS_REC = 16384;
  public static final long MS_PRIVATE = 1L << 18;
  public static final long MS_SLAVE = 1L << 19;
  public static final int MNT_DETACH = 2;

  /** What a full file system has again when small files of a failed attempt were removed. */
  private static final long LITTLE_SPACE = 64 * 1024;

  private static final long FEW_INODES = 16;

  public static final int CLONE_NEWNS = 0x20000;

  private static final int STATVFS_BLOCK = 8;
  private static final int STATVFS_BLOCKS = 16;
  private static final int STATVFS_FREE_BLOCKS = 24;
  private static final int STATVFS_INODES = 40;
  private static final int STATVFS_FREE_INODES = 48;
  private static final int STATVFS_FLAGS = 72;
  private static final long ST_RDONLY = 1;

  private static final Native.Function MOUNT = new Native.Function("mount");
  private static final Native.Function UMOUNT2 = new Native.Function("umount2");
  private static final Native.Function UNSHARE = new Native.Function("unshare");
  private static final Native.Function STATVFS = new Native.Function("statvfs");

  private Mounts() {}

  /** mount(2); null for what a mount does not need. */
  public static void mount(
      @Nullable String source,
      OsPath target,
      @Nullable String type,
      long flags,
      @Nullable String data)
      throws UnixException {
    Scratch s = Native.scratch();
    int r =
        MOUNT.call(
            s, s.text(1, source), s.path(0, target), s.text(2, type), flags, s.text(3, data));
    if (r < 0) {
      throw Native.error("mount", target + (type == null ? "" : " (" + type + ")"), s.errno());
    }
  }

  /** umount2(2). */
  public static void umount(OsPath target, int flags) throws UnixException {
    Scratch s = Native.scratch();
    s.check("umount", target, UMOUNT2.call(s, s.path(0, target), flags));
  }

  /**
   * unshare(2): acts on the calling thread only, so use it before other threads exist or in a
   * thread that forks the work.
   */
  public static void unshare(int flags) throws UnixException {
    Scratch s = Native.scratch();
    int r = UNSHARE.call(s, flags);
    if (r < 0) {
      throw Native.error("unshare", "flags " + flags, s.errno());
    }
  }

  /**
   * statvfs(3): whether nothing can be written through this path, because its mount or the file
   * system itself is read-only. The JDK's FileStore goes by the device and so confuses two mounts
   * of one file system. Follows links.
   */
  public static boolean isReadOnly(OsPath path) throws UnixException {
    Scratch s = Native.scratch();
    s.check("statvfs", path, STATVFS.call(s, s.path(0, path), s.structAddress));
    return (s.struct.getLong(STATVFS_FLAGS) & ST_RDONLY) != 0;
  }

  /**
   * statvfs(3): whether the file system of a path has hardly any bytes or inodes left. One that
   * does not count its blocks or inodes is never full.
   */
  public static boolean isFull(OsPath path) throws UnixException {
    Scratch s = Native.scratch();
    s.check("statvfs", path, STATVFS.call(s, s.path(0, path), s.structAddress));
    long free = s.struct.getLong(STATVFS_FREE_BLOCKS) * s.struct.getLong(STATVFS_BLOCK);
    long inodes = s.struct.getLong(STATVFS_FREE_INODES);
    return (s.struct.getLong(STATVFS_BLOCKS) > 0 && free < LITTLE_SPACE)
        || (s.struct.getLong(STATVFS_INODES) > 0 && inodes < FEW_INODES);
  }

  /**
   * statvfs(3): whether the file system of a path has room for bytes and hardly any inodes, of
   * which each further file takes one. One that makes them as it needs them never lacks any.
   *
   * @param path that need not be there
   */
  public static boolean lacksInodes(Path path) throws UnixException {
    Path there = path.toAbsolutePath();
    while (there.getParent() != null && !Files.exists(there)) {
      there = there.getParent();
    }
    OsPath known = OsPath.of(there);
    Scratch s = Native.scratch();
    s.check("statvfs", known, STATVFS.call(s, s.path(0, known), s.structAddress));
    long free = s.struct.getLong(STATVFS_FREE_BLOCKS) * s.struct.getLong(STATVFS_BLOCK);
    return (s.struct.getLong(STATVFS_BLOCKS) == 0 || free >= LITTLE_SPACE)
        && s.struct.getLong(STATVFS_INODES) > 0
        && s.struct.getLong(STATVFS_FREE_INODES) < FEW_INODES;
  }

  /**
   * Whether an extended attribute could not be written for want of room. The kernel gives the same
   * error for one that is larger than the file system ever takes, such as a block of ext4.
   *
   * @param path on the file system
   */
  public static boolean isForWantOfRoom(UnixException failure, OsPath path) throws UnixException {
    return failure.errno() == UnixException.EDQUOT
        || (failure.errno() == UnixException.ENOSPC && isFull(path));
  }
}
