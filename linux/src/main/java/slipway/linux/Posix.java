package slipway.linux;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.linux.Native.Scratch;

/**
 * System calls that the JDK does not offer, each named as in section 2 of the manual and failing
 * with a {@link UnixException} that carries errno. Paths are never followed through a final
 * symbolic link unless a method says so. Calls block: use platform threads for bulk work.
 */
public final class Posix {
  /** For the {@code *at} calls: relative to the working directory. */
  public static final int AT_FDCWD = -100;

  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 1;
  public static final int O_RDWR = 2;
  public static final int O_CREAT = 0100;
  public static final int O_EXCL = 0200;
  public static final int O_DIRECTORY = 0200000;
  public static final int O_NOFOLLOW = 0400000;
  public static final int O_CLOEXEC = 02000000;
  public static final int O_PATH = 010000000;

  public static final int RENAME_NOREPLACE = 1;
  public static final int RENAME_EXCHANGE = 2;

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

  public static final int CLONE_NEWNS = 0x20000;

  /** The inode flag of chattr +i. */
  public static final int FS_IMMUTABLE_FL = 0x10;

  /** openat2(2): resolve every link and dot-dot inside the directory, as chroot would. */
  public static final long RESOLVE_IN_ROOT = 0x10;

  /** openat2(2): refuse to leave the directory. */
  public static final long RESOLVE_BENEATH = 0x08;

  public static final long RESOLVE_NO_SYMLINKS = 0x04;

  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int STATVFS_FLAGS = 72;
  private static final long ST_RDONLY = 1;
  private static final int UTIME_NOW = 0x3fffffff;
  private static final int AT_REMOVEDIR = 0x200;
  private static final long FS_IOC_GETFLAGS = 0x80086601L;
  private static final long FS_IOC_SETFLAGS = 0x40086602L;
  private static final long FICLONE = 0x40049409L;
  private static final long LOOP_CTL_GET_FREE = 0x4c82;
  private static final long LOOP_CONFIGURE = 0x4c0a;
  private static final int LOOP_OFFSET = 32;
  private static final int LOOP_SIZE_LIMIT = 40;
  private static final int LOOP_FLAGS = 60;
  private static final int LO_FLAGS_AUTOCLEAR = 4;

  private static final long FIFREEZE = 0xC0045877L;
  private static final long FITHAW = 0xC0045878L;
  private static final long SYS_OPENAT2 = 437;

  /** Enough for nearly all; the kernel clears as much as it is asked for. */
  private static final int SMALL_XATTR = 1024;

  /** XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h. */
  private static final int XATTR_MAX = 65536;

  private static final int DIRENTS = 65536;

  private static final Native.Function LGETXATTR = new Native.Function("lgetxattr");
  private static final Native.Function LSETXATTR = new Native.Function("lsetxattr");
  private static final Native.Function LREMOVEXATTR = new Native.Function("lremovexattr");
  private static final Native.Function LLISTXATTR = new Native.Function("llistxattr");
  private static final Native.Function FSETXATTR = new Native.Function("fsetxattr");
  private static final Native.Function FCHOWNAT = new Native.Function("fchownat");
  private static final Native.Function FCHOWN = new Native.Function("fchown");
  private static final Native.Function FCHMODAT = new Native.Function("fchmodat");
  private static final Native.Function FCHMOD = new Native.Function("fchmod");
  private static final Native.Function UTIMENSAT = new Native.Function("utimensat");
  private static final Native.Function FUTIMENS = new Native.Function("futimens");
  private static final Native.Function MKNODAT = new Native.Function("mknodat");
  private static final Native.Function MKDIRAT = new Native.Function("mkdirat");
  private static final Native.Function LINKAT = new Native.Function("linkat");
  private static final Native.Function SYMLINKAT = new Native.Function("symlinkat");
  private static final Native.Function READLINKAT = new Native.Function("readlinkat");
  private static final Native.Function UNLINKAT = new Native.Function("unlinkat");
  private static final Native.Function RENAMEAT2 = new Native.Function("renameat2");
  private static final Native.Function OPENAT = new Native.Function("openat");
  private static final Native.Function CLOSE = new Native.Function("close");
  private static final Native.Function READ = new Native.Function("read");
  private static final Native.Function WRITE = new Native.Function("write");
  private static final Native.Function FSYNC = new Native.Function("fsync");
  private static final Native.Function FDATASYNC = new Native.Function("fdatasync");
  private static final Native.Function SYNCFS = new Native.Function("syncfs");
  private static final Native.Function FTRUNCATE = new Native.Function("ftruncate");
  private static final Native.Function LSEEK = new Native.Function("lseek");
  private static final Native.Function FALLOCATE = new Native.Function("fallocate");
  private static final Native.Function IOCTL = new Native.Function("ioctl");
  private static final Native.Function STATX = new Native.Function("statx");
  private static final Native.Function STATVFS = new Native.Function("statvfs");
  private static final Native.Function MOUNT = new Native.Function("mount");
  private static final Native.Function UMOUNT2 = new Native.Function("umount2");
  private static final Native.Function UNSHARE = new Native.Function("unshare");
  private static final Native.Function FLOCK = new Native.Function("flock");
  private static final Native.Function SYSCALL = new Native.Function("syscall");
  private static final Native.Function GETDENTS64 = new Native.Function("getdents64");
  private static final Native.Function GETEUID = new Native.Function("geteuid");

  private Posix() {}

  /** lchown(2). */
  public static void lchown(OsPath path, int uid, int gid) throws UnixException {
    lchownat(AT_FDCWD, path, uid, gid);
  }

  /** As {@link #lchown}, relative to an open directory. */
  public static void lchownat(int dir, OsPath path, int uid, int gid) throws UnixException {
    Scratch s = Native.scratch();
    int r = FCHOWNAT.call(s, dir, s.path(0, path), uid, gid, AT_SYMLINK_NOFOLLOW);
    if (r < 0) {
      throw Native.error("lchown", path, s.errno());
    }
  }

  /** fchown(2). */
  public static void fchown(int fd, int uid, int gid) throws UnixException {
    Scratch s = Native.scratch();
    int r = FCHOWN.call(s, fd, uid, gid);
    if (r < 0) {
      throw Native.error("fchown", "fd " + fd, s.errno());
    }
  }

  /** chmod(2): follows a final link, as no other call can on Linux. */
  public static void chmod(OsPath path, int mode) throws UnixException {
    chmodat(AT_FDCWD, path, mode);
  }

  /** As {@link #chmod}, relative to an open directory. */
  public static void chmodat(int dir, OsPath path, int mode) throws UnixException {
    Scratch s = Native.scratch();
    int r = FCHMODAT.call(s, dir, s.path(0, path), mode & 07777, 0);
    if (r < 0) {
      throw Native.error("chmod", path, s.errno());
    }
  }

  /** fchmod(2). */
  public static void fchmod(int fd, int mode) throws UnixException {
    Scratch s = Native.scratch();
    int r = FCHMOD.call(s, fd, mode & 07777);
    if (r < 0) {
      throw Native.error("fchmod", "fd " + fd, s.errno());
    }
  }

  /** Sets a file's times to now. */
  public static void touch(OsPath path) throws UnixException {
    lutimens(path, 0, UTIME_NOW);
  }

  /**
   * Sets the modification time, and the access time to the same, of the file itself (not of what a
   * link points to).
   */
  public static void lutimens(OsPath path, long seconds, int nanos) throws UnixException {
    lutimensat(AT_FDCWD, path, seconds, nanos);
  }

  /** As {@link #lutimens}, relative to an open directory. */
  public static void lutimensat(int dir, OsPath path, long seconds, int nanos)
      throws UnixException {
    Scratch s = Native.scratch();
    int r = UTIMENSAT.call(s, dir, s.path(0, path), times(s, seconds, nanos), AT_SYMLINK_NOFOLLOW);
    if (r < 0) {
      throw Native.error("utimensat", path, s.errno());
    }
  }

  /** As {@link #lutimens} for an open file. */
  public static void futimens(int fd, long seconds, int nanos) throws UnixException {
    Scratch s = Native.scratch();
    int r = FUTIMENS.call(s, fd, times(s, seconds, nanos));
    if (r < 0) {
      throw Native.error("futimens", "fd " + fd, s.errno());
    }
  }

  private static long times(Scratch s, long seconds, int nanos) {
    ByteBuffer t = s.struct;
    t.putLong(0, seconds);
    t.putLong(8, nanos);
    t.putLong(16, seconds);
    t.putLong(24, nanos);
    return s.structAddress;
  }

  /** mknod(2): {@code mode} holds the type; {@code rdev} as makedev(3) packs it. */
  public static void mknod(OsPath path, int mode, long rdev) throws UnixException {
    mknodat(AT_FDCWD, path, mode, rdev);
  }

  /** As {@link #mknod}, relative to an open directory. */
  public static void mknodat(int dir, OsPath path, int mode, long rdev) throws UnixException {
    Scratch s = Native.scratch();
    int r = MKNODAT.call(s, dir, s.path(0, path), mode, rdev);
    if (r < 0) {
      throw Native.error("mknod", path, s.errno());
    }
  }

  /** mkdir(2). */
  public static void mkdir(OsPath path, int mode) throws UnixException {
    mkdirat(AT_FDCWD, path, mode);
  }

  /** As {@link #mkdir}, relative to an open directory. */
  public static void mkdirat(int dir, OsPath path, int mode) throws UnixException {
    Scratch s = Native.scratch();
    int r = MKDIRAT.call(s, dir, s.path(0, path), mode);
    if (r < 0) {
      throw Native.error("mkdir", path, s.errno());
    }
  }

  /**
   * link(2): a second name for {@code existing}, which is not followed when it is a symbolic link.
   */
  public static void link(OsPath existing, OsPath path) throws UnixException {
    Scratch s = Native.scratch();
    int r = LINKAT.call(s, AT_FDCWD, s.path(0, existing), AT_FDCWD, s.path(1, path), 0);
    if (r < 0) {
      throw Native.error("link", path, s.errno());
    }
  }

  /** linkat(2) with both paths relative to open directories. */
  public static void linkat(int existingDir, OsPath existing, int dir, OsPath path)
      throws UnixException {
    Scratch s = Native.scratch();
    int r = LINKAT.call(s, existingDir, s.path(0, existing), dir, s.path(1, path), 0);
    if (r < 0) {
      throw Native.error("linkat", path, s.errno());
    }
  }

  /** symlink(2). */
  public static void symlink(OsPath target, OsPath path) throws UnixException {
    symlinkat(target, AT_FDCWD, path);
  }

  /** As {@link #symlink}, {@code path} relative to an open directory. */
  public static void symlinkat(OsPath target, int dir, OsPath path) throws UnixException {
    Scratch s = Native.scratch();
    int r = SYMLINKAT.call(s, s.path(0, target), dir, s.path(1, path));
    if (r < 0) {
      throw Native.error("symlink", path, s.errno());
    }
  }

  /** unlink(2). */
  public static void unlink(OsPath path) throws UnixException {
    unlinkat(AT_FDCWD, path, false);
  }

  /** rmdir(2). */
  public static void rmdir(OsPath path) throws UnixException {
    unlinkat(AT_FDCWD, path, true);
  }

  /** unlink(2), or rmdir(2) of a {@code directory}, relative to an open directory. */
  public static void unlinkat(int dir, OsPath path, boolean directory) throws UnixException {
    Scratch s = Native.scratch();
    int r = UNLINKAT.call(s, dir, s.path(0, path), directory ? AT_REMOVEDIR : 0);
    if (r < 0) {
      throw Native.error(directory ? "rmdir" : "unlink", path, s.errno());
    }
  }

  /** renameat2(2) with RENAME_* flags; 0 replaces as rename(2) does. */
  public static void rename(OsPath from, OsPath to, int flags) throws UnixException {
    renameat(AT_FDCWD, from, AT_FDCWD, to, flags);
  }

  /** As {@link #rename}, relative to open directories. */
  public static void renameat(int fromDir, OsPath from, int toDir, OsPath to, int flags)
      throws UnixException {
    Scratch s = Native.scratch();
    int r = RENAMEAT2.call(s, fromDir, s.path(0, from), toDir, s.path(1, to), flags);
    if (r < 0) {
      throw Native.error("rename", to, s.errno());
    }
  }

  /** readlink(2). */
  public static OsPath readlink(OsPath path) throws UnixException {
    Scratch s = Native.scratch();
    ByteBuffer buffer = s.transfer();
    long r = READLINKAT.callLong(s, AT_FDCWD, s.path(0, path), Native.address(buffer), 4097);
    if (r < 0) {
      throw Native.error("readlink", path, s.errno());
    }
    return OsPath.ofBytes(bytes(buffer, 0, r));
  }

  private static byte[] bytes(ByteBuffer buffer, int from, long length) {
    byte[] bytes = new byte[(int) length];
    buffer.get(from, bytes);
    return bytes;
  }

  /** open(2); always with O_CLOEXEC. The caller closes the descriptor. */
  public static int open(OsPath path, int flags, int mode) throws UnixException {
    Scratch s = Native.scratch();
    int r = OPENAT.call(s, AT_FDCWD, s.path(0, path), flags | O_CLOEXEC, mode);
    if (r < 0) {
      throw Native.error("open", path, s.errno());
    }
    return r;
  }

  /** openat(2); always with O_CLOEXEC. */
  public static int openat(int dir, OsPath path, int flags, int mode) throws UnixException {
    Scratch s = Native.scratch();
    int r = OPENAT.call(s, dir, s.path(0, path), flags | O_CLOEXEC, mode);
    if (r < 0) {
      throw Native.error("openat", path, s.errno());
    }
    return r;
  }

  /**
   * openat2(2): opens {@code path} relative to {@code dir} under RESOLVE_* rules, so that a hostile
   * link cannot lead outside.
   */
  public static int openat2(int dir, OsPath path, int flags, int mode, long resolve)
      throws UnixException {
    Scratch s = Native.scratch();
    s.struct.putLong(0, (flags | O_CLOEXEC) & 0xffffffffL);
    s.struct.putLong(8, mode);
    s.struct.putLong(16, resolve);
    long r = SYSCALL.callLong(s, SYS_OPENAT2, dir, s.path(0, path), s.structAddress, 24L);
    if (r < 0) {
      throw Native.error("openat2", path, s.errno());
    }
    return (int) r;
  }

  /** close(2). */
  public static void close(int fd) throws UnixException {
    Scratch s = Native.scratch();
    int r = CLOSE.call(s, fd);
    if (r < 0) {
      throw Native.error("close", "fd " + fd, s.errno());
    }
  }

  /** fsync(2). */
  public static void fsync(int fd) throws UnixException {
    Scratch s = Native.scratch();
    int r = FSYNC.call(s, fd);
    if (r < 0) {
      throw Native.error("fsync", "fd " + fd, s.errno());
    }
  }

  /** fdatasync(2). */
  public static void fdatasync(int fd) throws UnixException {
    Scratch s = Native.scratch();
    int r = FDATASYNC.call(s, fd);
    if (r < 0) {
      throw Native.error("fdatasync", "fd " + fd, s.errno());
    }
  }

  /** fallocate(2); mode 0 reserves space and extends the file. */
  public static void fallocate(int fd, int mode, long offset, long length) throws UnixException {
    Scratch s = Native.scratch();
    int r = FALLOCATE.call(s, fd, mode, offset, length);
    if (r < 0) {
      throw Native.error("fallocate", "fd " + fd, s.errno());
    }
  }

  /** ftruncate(2): cuts a file off or extends it by a hole. */
  public static void ftruncate(int fd, long size) throws UnixException {
    Scratch s = Native.scratch();
    int r = FTRUNCATE.call(s, fd, size);
    if (r < 0) {
      throw Native.error("ftruncate", "fd " + fd, s.errno());
    }
  }

  /** lseek(2) to an absolute position. */
  public static void seek(int fd, long position) throws UnixException {
    Scratch s = Native.scratch();
    long r = LSEEK.callLong(s, fd, position, 0);
    if (r < 0) {
      throw Native.error("lseek", "fd " + fd, s.errno());
    }
  }

  /** Reads up to {@code length} bytes into {@code buffer}; 0 at the end. */
  public static int read(int fd, MemorySegment buffer, long length) throws UnixException {
    try {
      return read(fd, nativeAddress(buffer, length), length);
    } finally {
      Reference.reachabilityFence(buffer);
    }
  }

  private static int read(int fd, long address, long length) throws UnixException {
    Scratch s = Native.scratch();
    long r = READ.callLong(s, fd, address, length);
    if (r < 0) {
      throw Native.error("read", "fd " + fd, s.errno());
    }
    return (int) r;
  }

  /** Where a segment begins that is as long as that, and not in the heap. */
  private static long nativeAddress(MemorySegment segment, long length) {
    if (!segment.isNative() || length < 0 || length > segment.byteSize()) {
      throw new IllegalArgumentException("not a native segment of " + length + " bytes");
    }
    return segment.address();
  }

  /** Writes all {@code length} bytes of {@code buffer}. */
  public static void write(int fd, MemorySegment buffer, long length) throws UnixException {
    try {
      write(fd, nativeAddress(buffer, length), length);
    } finally {
      Reference.reachabilityFence(buffer);
    }
  }

  private static void write(int fd, long address, long length) throws UnixException {
    Scratch s = Native.scratch();
    for (long done = 0; done < length; ) {
      long r = WRITE.callLong(s, fd, address + done, length - done);
      if (r < 0) {
        throw Native.error("write", "fd " + fd, s.errno());
      }
      done += r;
    }
  }

  /** Writes all {@code length} bytes of an array, through a buffer of the calling thread. */
  public static void write(int fd, byte[] bytes, int offset, int length) throws UnixException {
    ByteBuffer buffer = Native.scratch().transfer();
    for (int done = 0; done < length; ) {
      int part = Math.min(buffer.capacity(), length - done);
      buffer.put(0, bytes, offset + done, part);
      write(fd, Native.address(buffer), part);
      done += part;
    }
  }

  /**
   * Reads up to {@code length} bytes into an array, through a buffer of the calling thread; -1 at
   * the end.
   */
  public static int read(int fd, byte[] bytes, int offset, int length) throws UnixException {
    ByteBuffer buffer = Native.scratch().transfer();
    int n = read(fd, Native.address(buffer), Math.min(buffer.capacity(), length));
    buffer.get(0, bytes, offset, n);
    return n == 0 && length > 0 ? -1 : n;
  }

  /** Syncs the whole file system that holds {@code path}. */
  public static void syncfs(OsPath path) throws UnixException {
    int fd = open(path, O_RDONLY, 0);
    Scratch s = Native.scratch();
    int r = SYNCFS.call(s, fd);
    int errno = r < 0 ? s.errno() : 0;
    close(fd);
    if (r < 0) {
      throw Native.error("syncfs", path, errno);
    }
  }

  /** lstat(2), by statx(2). */
  public static Stat lstat(OsPath path) throws UnixException {
    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
  }

  /** stat(2), by statx(2): follows links. */
  public static Stat stat(OsPath path) throws UnixException {
    return statx(AT_FDCWD, path, 0);
  }

  /** fstat(2), by statx(2). */
  public static Stat fstat(int fd) throws UnixException {
    return statx(fd, OsPath.of(""), 0x1000 | AT_SYMLINK_NOFOLLOW);
  }

  /** Whether a name exists; a dangling link does. */
  public static boolean exists(OsPath path) {
    try {
      lstat(path);
      return true;
    } catch (UnixException e) {
      return false;
    }
  }

  private static Stat statx(int dir, OsPath path, int flags) throws UnixException {
    Scratch s = Native.scratch();
    ByteBuffer b = s.struct;
    int r = STATX.call(s, dir, s.path(0, path), flags, 0x7ff, s.structAddress);
    if (r < 0) {
      throw Native.error("stat", path, s.errno());
    }
    return new Stat(
        b.getShort(28) & 0xffff,
        b.getInt(20),
        b.getInt(24),
        b.getLong(40),
        b.getLong(112),
        b.getInt(120),
        b.getLong(32),
        makedev(b.getInt(136), b.getInt(140)),
        b.getInt(16) & 0xffffffffL,
        makedev(b.getInt(128), b.getInt(132)),
        b.getLong(48));
  }

  /**
   * statvfs(3): whether nothing can be written through this path, because its mount or the file
   * system itself is read-only. The JDK's FileStore goes by the device and so confuses two mounts
   * of one file system. Follows links.
   */
  public static boolean isReadOnly(OsPath path) throws UnixException {
    Scratch s = Native.scratch();
    int r = STATVFS.call(s, s.path(0, path), s.structAddress);
    if (r < 0) {
      throw Native.error("statvfs", path, s.errno());
    }
    return (s.struct.getLong(STATVFS_FLAGS) & ST_RDONLY) != 0;
  }

  /** makedev(3), as glibc packs a device number. */
  public static long makedev(int major, int minor) {
    return (minor & 0xffL)
        | ((major & 0xfffL) << 8)
        | ((minor & 0xffffff00L) << 12)
        | ((major & 0xfffff000L) << 32);
  }

  /** The value of an extended attribute, or null when the file has none of that name. */
  public static byte @Nullable [] lgetxattr(OsPath path, OsPath name) throws UnixException {
    Scratch s = Native.scratch();
    ByteBuffer buffer = s.transfer();
    long address = Native.address(buffer);
    for (int size = SMALL_XATTR; ; size = XATTR_MAX) {
      long r = LGETXATTR.callLong(s, s.path(0, path), s.path(1, name), address, size);
      if (r >= 0) {
        return bytes(buffer, 0, r);
      }
      int errno = s.errno();
      if (errno == UnixException.ENODATA || errno == UnixException.EOPNOTSUPP) {
        return null;
      }
      if (errno != UnixException.ERANGE || size == XATTR_MAX) {
        throw Native.error("lgetxattr", path + " " + name, errno);
      }
    }
  }

  /**
   * The names of all extended attributes, in the kernel's order; none where the file system has no
   * such thing.
   */
  public static List<OsPath> llistxattr(OsPath path) throws UnixException {
    Scratch s = Native.scratch();
    ByteBuffer buffer = s.transfer();
    long address = Native.address(buffer);
    for (int size = SMALL_XATTR; ; size = XATTR_MAX) {
      long r = LLISTXATTR.callLong(s, s.path(0, path), address, size);
      if (r >= 0) {
        return names(bytes(buffer, 0, r));
      }
      int errno = s.errno();
      if (errno == UnixException.EOPNOTSUPP) {
        return List.of();
      }
      if (errno != UnixException.ERANGE || size == XATTR_MAX) {
        throw Native.error("llistxattr", path, errno);
      }
    }
  }

  private static List<OsPath> names(byte[] zeroSeparated) {
    List<OsPath> names = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < zeroSeparated.length; i++) {
      if (zeroSeparated[i] == 0) {
        names.add(OsPath.ofBytes(java.util.Arrays.copyOfRange(zeroSeparated, start, i)));
        start = i + 1;
      }
    }
    return names;
  }

  /** lsetxattr(2): creates or replaces. */
  public static void lsetxattr(OsPath path, OsPath name, byte[] value) throws UnixException {
    Scratch s = Native.scratch();
    ByteBuffer buffer = s.transfer(value.length).put(0, value);
    int r =
        LSETXATTR.call(
            s, s.path(0, path), s.path(1, name), Native.address(buffer), value.length, 0);
    if (r < 0) {
      throw Native.error("lsetxattr", path + " " + name, s.errno());
    }
  }

  /** fsetxattr(2): creates or replaces. */
  public static void fsetxattr(int fd, OsPath name, byte[] value) throws UnixException {
    Scratch s = Native.scratch();
    ByteBuffer buffer = s.transfer(value.length).put(0, value);
    int r = FSETXATTR.call(s, fd, s.path(1, name), Native.address(buffer), value.length, 0);
    if (r < 0) {
      throw Native.error("fsetxattr", "fd " + fd + " " + name, s.errno());
    }
  }

  /** lremovexattr(2). */
  public static void lremovexattr(OsPath path, OsPath name) throws UnixException {
    Scratch s = Native.scratch();
    int r = LREMOVEXATTR.call(s, s.path(0, path), s.path(1, name));
    if (r < 0) {
      throw Native.error("lremovexattr", path + " " + name, s.errno());
    }
  }

  /** The names in a directory without dot and dot-dot, in no order. */
  public static List<OsPath> list(OsPath directory) throws UnixException {
    int fd = open(directory, O_RDONLY | O_DIRECTORY, 0);
    try {
      return list(fd, directory);
    } finally {
      close(fd);
    }
  }

  private static List<OsPath> list(int fd, OsPath directory) throws UnixException {
    Scratch s = Native.scratch();
    List<OsPath> names = new ArrayList<>();
    ByteBuffer buffer = s.transfer();
    while (true) {
      int r = (int) GETDENTS64.callLong(s, fd, Native.address(buffer), DIRENTS);
      if (r < 0) {
        throw Native.error("getdents64", directory, s.errno());
      }
      if (r == 0) {
        return names;
      }
      for (int at = 0; at < r; ) {
        int length = buffer.getShort(at + 16) & 0xffff;
        int end = at + 19;
        while (buffer.get(end) != 0) {
          end++;
        }
        OsPath name = OsPath.ofBytes(bytes(buffer, at + 19, end - at - 19));
        if (!name.is(".") && !name.is("..")) {
          names.add(name);
        }
        at += length;
      }
    }
  }

  /**
   * Removes a tree, links not followed; a name that does not exist is fine. Immutable flags must be
   * gone.
   */
  public static void removeTree(OsPath path) throws UnixException {
    Stat stat;
    try {
      stat = lstat(path);
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT) {
        return;
      }
      throw e;
    }
    if (!stat.isDirectory()) {
      unlink(path);
      return;
    }
    for (OsPath name : list(path)) {
      removeTree(path.resolve(name));
    }
    rmdir(path);
  }

  /** Reads the inode flags of chattr(1); 0 where the file system has none. */
  public static int inodeFlags(int fd) throws UnixException {
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
    int fd = open(path, O_RDONLY | O_NOFOLLOW, 0);
    try {
      int old = inodeFlags(fd);
      int flags = immutable ? old | FS_IMMUTABLE_FL : old & ~FS_IMMUTABLE_FL;
      if (flags == old) {
        return;
      }
      Scratch s = Native.scratch();
      s.struct.putLong(0, flags);
      int r = IOCTL.call(s, fd, FS_IOC_SETFLAGS, s.structAddress);
      if (r < 0 && s.errno() != UnixException.ENOTTY && s.errno() != UnixException.EOPNOTSUPP) {
        throw Native.error("FS_IOC_SETFLAGS", path, s.errno());
      }
    } finally {
      close(fd);
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

  /**
   * FIFREEZE or FITHAW on the file system that holds {@code path}; false where it cannot be frozen.
   */
  public static boolean freeze(OsPath path, boolean freeze) throws UnixException {
    int fd = open(path, O_RDONLY | O_DIRECTORY, 0);
    try {
      Scratch s = Native.scratch();
      int r = IOCTL.call(s, fd, freeze ? FIFREEZE : FITHAW, 0);
      return r >= 0;
    } finally {
      close(fd);
    }
  }

  /**
   * ioctl(LOOP_CTL_GET_FREE) on /dev/loop-control (linux/loop.h): the number of a loop device that
   * nothing is attached to, made when there is none. Somebody else may be faster to attach it.
   */
  static int freeLoopDevice(int control) throws UnixException {
    Scratch s = Native.scratch();
    int r = IOCTL.call(s, control, LOOP_CTL_GET_FREE, 0);
    if (r < 0) {
      throw Native.error("LOOP_CTL_GET_FREE", "/dev/loop-control", s.errno());
    }
    return r;
  }

  /**
   * ioctl(LOOP_CONFIGURE) with LO_FLAGS_AUTOCLEAR (linux/loop.h, Linux 5.8): attaches a file to a
   * loop device until the last descriptor and mount of the device is gone.
   *
   * @param size bytes from {@code offset} on; 0 to the end of the file
   * @return false when something else is attached to the device
   */
  static boolean configureLoopDevice(int device, int backing, long offset, long size)
      throws UnixException {
    Scratch s = Native.scratch();
    // struct loop_config: the file, the block size (0 is the default), struct loop_info64 from 8
    // on.
    s.struct.put(0, new byte[s.struct.capacity()]);
    s.struct.putInt(0, backing);
    s.struct.putLong(LOOP_OFFSET, offset);
    s.struct.putLong(LOOP_SIZE_LIMIT, size);
    s.struct.putInt(LOOP_FLAGS, LO_FLAGS_AUTOCLEAR);
    int r = IOCTL.call(s, device, LOOP_CONFIGURE, s.structAddress);
    if (r < 0 && s.errno() != UnixException.EBUSY) {
      throw Native.error("LOOP_CONFIGURE", "fd " + backing, s.errno());
    }
    return r >= 0;
  }

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
    int r = UMOUNT2.call(s, s.path(0, target), flags);
    if (r < 0) {
      throw Native.error("umount", target, s.errno());
    }
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
   * flock(2) on an open descriptor; blocks. Exclusive or shared; released by closing the
   * descriptor.
   */
  public static void flock(int fd, boolean exclusive) throws UnixException {
    lock(fd, exclusive ? 2 : 1);
  }

  /** As {@link #flock} but does not wait: false when somebody else holds it. */
  public static boolean tryFlock(int fd, boolean exclusive) throws UnixException {
    try {
      lock(fd, (exclusive ? 2 : 1) | 4);
      return true;
    } catch (UnixException e) {
      if (e.errno() == 11) {
        return false;
      }
      throw e;
    }
  }

  private static void lock(int fd, int operation) throws UnixException {
    Scratch s = Native.scratch();
    int r = FLOCK.call(s, fd, operation);
    if (r < 0) {
      throw Native.error("flock", "fd " + fd, s.errno());
    }
  }

  /** Effective user id; 0 is root. */
  public static int geteuid() {
    return GETEUID.call(Native.scratch());
  }
}
