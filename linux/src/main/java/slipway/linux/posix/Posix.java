package slipway.linux.posix;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.List;
import slipway.linux.posix.Native.Scratch;

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
  public static final int O_NONBLOCK = 04000;
  public static final int O_DIRECTORY = 0200000;
  public static final int O_NOFOLLOW = 0400000;
  public static final int O_CLOEXEC = 02000000;
  public static final int O_PATH = 010000000;

  private static final int F_SETFL = 4;

  public static final int RENAME_NOREPLACE = 1;
  public static final int RENAME_EXCHANGE = 2;

  /** openat2(2): resolve every link and dot-dot inside the directory, as chroot would. */
  public static final long RESOLVE_IN_ROOT = 0x10;

  /** openat2(2): refuse to leave the directory. */
  public static final long RESOLVE_BENEATH = 0x08;

  public static final long RESOLVE_NO_SYMLINKS = 0x04;

  /** openat2(2): refuse to enter a mount, be it a bind mount of the same file system. */
  public static final long RESOLVE_NO_XDEV = 0x01;

  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;

  static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int UTIME_NOW = 0x3fffffff;
  private static final int AT_REMOVEDIR = 0x200;

  private static final long SYS_OPENAT2 = 437;

  /** How often openat2 is asked when something is renamed meanwhile. */
  private static final int RESOLUTIONS = 1000;

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
  private static final Native.Function FCNTL = new Native.Function("fcntl");
  private static final Native.Function LSEEK = new Native.Function("lseek");
  private static final Native.Function FALLOCATE = new Native.Function("fallocate");
  private static final Native.Function SYSCALL = new Native.Function("syscall");
  private static final Native.Function GETEUID = new Native.Function("geteuid");
  private static final Native.Function SETLOCALE = new Native.Function("setlocale");

  /** LC_MESSAGES of setlocale(3) on Linux. */
  private static final int MESSAGES = 5;

  private Posix() {}

  /** lchown(2). */
  public static void lchown(OsPath path, int uid, int gid) throws UnixException {
    lchownat(AT_FDCWD, path, uid, gid);
  }

  /** As {@link #lchown}, relative to an open directory. */
  public static void lchownat(int dir, OsPath path, int uid, int gid) throws UnixException {
    Pretence pretence = Pretence.over(dir, path);
    if (pretence != null) {
      pretence.chown(StatCall.find(dir, path, false), uid, gid);
      return;
    }
    Scratch s = Native.scratch();
    s.check("lchown", path, FCHOWNAT.call(s, dir, s.path(0, path), uid, gid, AT_SYMLINK_NOFOLLOW));
  }

  /** fchown(2). */
  public static void fchown(int fd, int uid, int gid) throws UnixException {
    Pretence pretence = Pretence.over(fd);
    if (pretence != null) {
      pretence.chown(StatCall.find(fd), uid, gid);
      return;
    }
    Scratch s = Native.scratch();
    s.check("fchown", fd, FCHOWN.call(s, fd, uid, gid));
  }

  /** chmod(2): follows a final link, as no other call can on Linux. */
  public static void chmod(OsPath path, int mode) throws UnixException {
    chmodat(AT_FDCWD, path, mode);
  }

  /** As {@link #chmod}, relative to an open directory. */
  public static void chmodat(int dir, OsPath path, int mode) throws UnixException {
    Pretence pretence = Pretence.over(dir, path);
    int real = pretence == null ? mode : pretence.chmod(StatCall.find(dir, path, true), mode);
    Scratch s = Native.scratch();
    s.check("chmod", path, FCHMODAT.call(s, dir, s.path(0, path), real & 07777, 0));
  }

  /** fchmod(2). */
  public static void fchmod(int fd, int mode) throws UnixException {
    Pretence pretence = Pretence.over(fd);
    int real = pretence == null ? mode : pretence.chmod(StatCall.find(fd), mode);
    Scratch s = Native.scratch();
    s.check("fchmod", fd, FCHMOD.call(s, fd, real & 07777));
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
    s.check(
        "utimensat",
        path,
        UTIMENSAT.call(s, dir, s.path(0, path), times(s, seconds, nanos), AT_SYMLINK_NOFOLLOW));
  }

  /** As {@link #lutimens} for an open file. */
  public static void futimens(int fd, long seconds, int nanos) throws UnixException {
    Scratch s = Native.scratch();
    s.check("futimens", fd, FUTIMENS.call(s, fd, times(s, seconds, nanos)));
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
    int type = mode & Stat.S_IFMT;
    boolean isDevice = type == Stat.S_IFCHR || type == Stat.S_IFBLK;
    Pretence pretence = isDevice ? Pretence.over(dir, path) : null;
    if (pretence != null) {
      int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, (mode & 0777) | 0600);
      try {
        pretence.mknod(StatCall.find(fd), mode, rdev);
      } finally {
        close(fd);
      }
      return;
    }
    Scratch s = Native.scratch();
    s.check("mknod", path, MKNODAT.call(s, dir, s.path(0, path), mode, rdev));
  }

  /** mkdir(2). */
  public static void mkdir(OsPath path, int mode) throws UnixException {
    mkdirat(AT_FDCWD, path, mode);
  }

  /** As {@link #mkdir}, relative to an open directory. */
  public static void mkdirat(int dir, OsPath path, int mode) throws UnixException {
    Scratch s = Native.scratch();
    s.check("mkdir", path, MKDIRAT.call(s, dir, s.path(0, path), mode));
    Pretence.begin(dir, path);
  }

  /**
   * link(2): a second name for {@code existing}, which is not followed when it is a symbolic link.
   */
  public static void link(OsPath existing, OsPath path) throws UnixException {
    Pretence.requireOneFileSystem("link", AT_FDCWD, existing, AT_FDCWD, path);
    Scratch s = Native.scratch();
    s.check(
        "link", path, LINKAT.call(s, AT_FDCWD, s.path(0, existing), AT_FDCWD, s.path(1, path), 0));
  }

  /** linkat(2) with both paths relative to open directories. */
  public static void linkat(int existingDir, OsPath existing, int dir, OsPath path)
      throws UnixException {
    Pretence.requireOneFileSystem("linkat", existingDir, existing, dir, path);
    Scratch s = Native.scratch();
    s.check(
        "linkat", path, LINKAT.call(s, existingDir, s.path(0, existing), dir, s.path(1, path), 0));
  }

  /** symlink(2). */
  public static void symlink(OsPath target, OsPath path) throws UnixException {
    symlinkat(target, AT_FDCWD, path);
  }

  /** As {@link #symlink}, {@code path} relative to an open directory. */
  public static void symlinkat(OsPath target, int dir, OsPath path) throws UnixException {
    Scratch s = Native.scratch();
    s.check("symlink", path, SYMLINKAT.call(s, s.path(0, target), dir, s.path(1, path)));
    Pretence.begin(dir, path);
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
    s.check(
        directory ? "rmdir" : "unlink",
        path,
        UNLINKAT.call(s, dir, s.path(0, path), directory ? AT_REMOVEDIR : 0));
  }

  /** renameat2(2) with RENAME_* flags; 0 replaces as rename(2) does. */
  public static void rename(OsPath from, OsPath to, int flags) throws UnixException {
    renameat(AT_FDCWD, from, AT_FDCWD, to, flags);
  }

  /** As {@link #rename}, relative to open directories. */
  public static void renameat(int fromDir, OsPath from, int toDir, OsPath to, int flags)
      throws UnixException {
    Pretence.requireOneFileSystem("rename", fromDir, from, toDir, to);
    Scratch s = Native.scratch();
    s.check("rename", to, RENAMEAT2.call(s, fromDir, s.path(0, from), toDir, s.path(1, to), flags));
  }

  /** readlink(2). */
  public static OsPath readlink(OsPath path) throws UnixException {
    Scratch s = Native.scratch();
    ByteBuffer buffer = s.transfer();
    int r =
        s.check(
            "readlink",
            path,
            READLINKAT.callLong(s, AT_FDCWD, s.path(0, path), Native.address(buffer), 4097));
    return OsPath.ofBytes(Native.bytes(buffer, 0, r));
  }

  /** open(2); always with O_CLOEXEC. The caller closes the descriptor. */
  public static int open(OsPath path, int flags, int mode) throws UnixException {
    return open("open", AT_FDCWD, path, flags, mode);
  }

  /** openat(2); always with O_CLOEXEC. */
  public static int openat(int dir, OsPath path, int flags, int mode) throws UnixException {
    return open("openat", dir, path, flags, mode);
  }

  private static int open(String call, int dir, OsPath path, int flags, int mode)
      throws UnixException {
    Scratch s = Native.scratch();
    int fd = OPENAT.call(s, dir, s.path(0, path), flags | O_CLOEXEC, mode);
    int errno = fd < 0 ? s.errno() : 0;
    Pretence pretence = errno == UnixException.EACCES ? Pretence.over(dir, path) : null;
    if (pretence != null) {
      int wanted = pretence.opened(StatCall.find(dir, path, true));
      s.check("chmod", path, FCHMODAT.call(s, dir, s.path(0, path), wanted, 0));
      fd = OPENAT.call(s, dir, s.path(0, path), flags | O_CLOEXEC, mode);
      errno = fd < 0 ? s.errno() : 0;
    }
    if (errno != 0) {
      throw Native.error(call, path, errno);
    }
    Pretence made = (flags & O_EXCL) == 0 ? null : Pretence.over(fd);
    if (made != null) {
      made.forget(StatCall.find(fd));
    }
    return fd;
  }

  /**
   * openat2(2): opens {@code path} relative to {@code dir} under RESOLVE_* rules, so that a hostile
   * link cannot lead outside.
   *
   * <p>The kernel gives EAGAIN when anything on the machine was renamed or mounted while it
   * resolved a dot-dot, because it cannot tell then that the path stayed inside. That passes, and
   * so it is tried again; a machine that renames without end gets the error at last.
   */
  public static int openat2(int dir, OsPath path, int flags, int mode, long resolve)
      throws UnixException {
    Scratch s = Native.scratch();
    s.struct.putLong(0, (flags | O_CLOEXEC) & 0xffffffffL);
    s.struct.putLong(8, mode);
    s.struct.putLong(16, resolve);
    for (int attempt = 1; ; attempt++) {
      try {
        return s.check(
            "openat2",
            path,
            SYSCALL.callLong(s, SYS_OPENAT2, dir, s.path(0, path), s.structAddress, 24L));
      } catch (UnixException e) {
        if (e.errno() != UnixException.EAGAIN || attempt == RESOLUTIONS) {
          throw e;
        }
        Thread.yield();
      }
    }
  }

  /** close(2). */
  public static void close(int fd) throws UnixException {
    Scratch s = Native.scratch();
    s.check("close", fd, CLOSE.call(s, fd));
  }

  /** fsync(2). */
  public static void fsync(int fd) throws UnixException {
    if (Pretence.over(fd) != null) {
      return;
    }
    Scratch s = Native.scratch();
    s.check("fsync", fd, FSYNC.call(s, fd));
  }

  /** fdatasync(2). */
  public static void fdatasync(int fd) throws UnixException {
    if (Pretence.over(fd) != null) {
      return;
    }
    Scratch s = Native.scratch();
    s.check("fdatasync", fd, FDATASYNC.call(s, fd));
  }

  /** fallocate(2); mode 0 reserves space and extends the file. */
  public static void fallocate(int fd, int mode, long offset, long length) throws UnixException {
    Scratch s = Native.scratch();
    s.check("fallocate", fd, FALLOCATE.call(s, fd, mode, offset, length));
  }

  /** ftruncate(2): cuts a file off or extends it by a hole. */
  public static void ftruncate(int fd, long size) throws UnixException {
    Scratch s = Native.scratch();
    s.check("ftruncate", fd, FTRUNCATE.call(s, fd, size));
  }

  /**
   * fcntl(2) with F_SETFL: an open file has these of the flags that can change, such as {@link
   * #O_NONBLOCK}, and no others of them.
   */
  public static void setStatusFlags(int fd, int flags) throws UnixException {
    Scratch s = Native.scratch();
    s.check("fcntl", fd, FCNTL.call(s, fd, F_SETFL, flags));
  }

  /** lseek(2) to an absolute position. */
  public static void seek(int fd, long position) throws UnixException {
    Scratch s = Native.scratch();
    s.check("lseek", fd, LSEEK.callLong(s, fd, position, 0));
  }

  /**
   * lseek(2) with SEEK_DATA: goes to the next byte that is not in a hole.
   *
   * @return where it is; -1 when only a hole is left
   */
  public static long seekData(int fd, long position) throws UnixException {
    Scratch s = Native.scratch();
    long r = LSEEK.callLong(s, fd, position, SEEK_DATA);
    if (r < 0 && s.errno() == UnixException.ENXIO) {
      return -1;
    }
    return offset(s, fd, r);
  }

  /** lseek(2) with SEEK_HOLE: goes to the next hole, or to the end of the file. */
  public static long seekHole(int fd, long position) throws UnixException {
    Scratch s = Native.scratch();
    return offset(s, fd, LSEEK.callLong(s, fd, position, SEEK_HOLE));
  }

  private static long offset(Scratch s, int fd, long result) throws UnixException {
    if (result < 0) {
      throw Native.error("lseek", "fd " + fd, s.errno());
    }
    return result;
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
    return s.check("read", fd, READ.callLong(s, fd, address, length));
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
        throw Native.error("write", fd, s.errno());
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
    if (Pretence.over(AT_FDCWD, path) != null) {
      return;
    }
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
    return StatCall.shown(AT_FDCWD, path, false);
  }

  /** stat(2), by statx(2): follows links. */
  public static Stat stat(OsPath path) throws UnixException {
    return StatCall.shown(AT_FDCWD, path, true);
  }

  /** fstat(2), by statx(2). */
  public static Stat fstat(int fd) throws UnixException {
    return StatCall.shown(fd);
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

  /** makedev(3), as glibc packs a device number. */
  public static long makedev(int major, int minor) {
    return (minor & 0xffL)
        | ((major & 0xfffL) << 8)
        | ((minor & 0xffffff00L) << 12)
        | ((major & 0xfffff000L) << 32);
  }

  /** The major number in what {@link #makedev} gives. */
  public static int major(long device) {
    return (int) ((device >>> 8 & 0xfff) | (device >>> 32 & ~0xfff));
  }

  /** The minor number in what {@link #makedev} gives. */
  public static int minor(long device) {
    return (int) ((device & 0xff) | (device >>> 12 & ~0xff));
  }

  /** The names in a directory without dot and dot-dot, in no order. */
  public static List<OsPath> list(OsPath directory) throws UnixException {
    int fd = open(directory, O_RDONLY | O_DIRECTORY, 0);
    try {
      return DirectoryNames.all(fd, directory);
    } finally {
      close(fd);
    }
  }

  /**
   * Removes a tree however deep it is, links not followed; a name that does not exist is fine.
   * Immutable flags must be gone. What is mounted in the tree or on it is never touched: it is
   * something else's.
   *
   * @throws UnixException for the first thing that cannot be removed; what came before it is gone
   */
  public static void removeTree(OsPath path) throws UnixException {
    TreeRemoval.remove(path);
  }

  /** Effective user id; 0 is root. */
  public static int geteuid() {
    return GETEUID.call(Native.scratch());
  }

  /**
   * Lets the system word its errors in English from now on, in this process, whatever the locale
   * is: the JDK hands on the words alone, and not all that can fail has an exception of its own.
   */
  public static void useEnglishErrors() {
    Scratch s = Native.scratch();
    SETLOCALE.callLong(s, MESSAGES, s.path(0, OsPath.of("C")));
  }
}
