package slipway.linux;

import static slipway.linux.Native.INT;
import static slipway.linux.Native.LONG;
import static slipway.linux.Native.PTR;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
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
  private static final long STATVFS_FLAGS = 72;
  private static final long ST_RDONLY = 1;
  private static final int UTIME_NOW = 0x3fffffff;
  private static final int AT_REMOVEDIR = 0x200;
  private static final long FS_IOC_GETFLAGS = 0x80086601L;
  private static final long FS_IOC_SETFLAGS = 0x40086602L;
  private static final long FICLONE = 0x40049409L;
  private static final long LOOP_CTL_GET_FREE = 0x4c82;
  private static final long LOOP_CONFIGURE = 0x4c0a;
  private static final long LOOP_OFFSET = 32;
  private static final long LOOP_SIZE_LIMIT = 40;
  private static final long LOOP_FLAGS = 60;
  private static final int LO_FLAGS_AUTOCLEAR = 4;

  private static final long FIFREEZE = 0xC0045877L;
  private static final long FITHAW = 0xC0045878L;
  private static final long SYS_OPENAT2 = 437;

  private Posix() {}

  private static final class Getxattr {
    static final MethodHandle CALL =
        Native.bind("lgetxattr", FunctionDescriptor.of(LONG, PTR, PTR, PTR, LONG));
  }

  private static final class Setxattr {
    static final MethodHandle CALL =
        Native.bind("lsetxattr", FunctionDescriptor.of(INT, PTR, PTR, PTR, LONG, INT));
  }

  private static final class Removexattr {
    static final MethodHandle CALL =
        Native.bind("lremovexattr", FunctionDescriptor.of(INT, PTR, PTR));
  }

  private static final class Listxattr {
    static final MethodHandle CALL =
        Native.bind("llistxattr", FunctionDescriptor.of(LONG, PTR, PTR, LONG));
  }

  private static final class FsetXattr {
    static final MethodHandle CALL =
        Native.bind("fsetxattr", FunctionDescriptor.of(INT, INT, PTR, PTR, LONG, INT));
  }

  private static final class Chown {
    static final MethodHandle CALL =
        Native.bind("fchownat", FunctionDescriptor.of(INT, INT, PTR, INT, INT, INT));
  }

  private static final class Fchown {
    static final MethodHandle CALL =
        Native.bind("fchown", FunctionDescriptor.of(INT, INT, INT, INT));
  }

  private static final class Chmod {
    static final MethodHandle CALL =
        Native.bind("fchmodat", FunctionDescriptor.of(INT, INT, PTR, INT, INT));
  }

  private static final class Fchmod {
    static final MethodHandle CALL = Native.bind("fchmod", FunctionDescriptor.of(INT, INT, INT));
  }

  private static final class Utimens {
    static final MethodHandle CALL =
        Native.bind("utimensat", FunctionDescriptor.of(INT, INT, PTR, PTR, INT));
  }

  private static final class Futimens {
    static final MethodHandle CALL = Native.bind("futimens", FunctionDescriptor.of(INT, INT, PTR));
  }

  private static final class Mknod {
    static final MethodHandle CALL =
        Native.bind("mknodat", FunctionDescriptor.of(INT, INT, PTR, INT, LONG));
  }

  private static final class Mkdir {
    static final MethodHandle CALL =
        Native.bind("mkdirat", FunctionDescriptor.of(INT, INT, PTR, INT));
  }

  private static final class Link {
    static final MethodHandle CALL =
        Native.bind("linkat", FunctionDescriptor.of(INT, INT, PTR, INT, PTR, INT));
  }

  private static final class Symlink {
    static final MethodHandle CALL =
        Native.bind("symlinkat", FunctionDescriptor.of(INT, PTR, INT, PTR));
  }

  private static final class Readlink {
    static final MethodHandle CALL =
        Native.bind("readlinkat", FunctionDescriptor.of(LONG, INT, PTR, PTR, LONG));
  }

  private static final class Unlink {
    static final MethodHandle CALL =
        Native.bind("unlinkat", FunctionDescriptor.of(INT, INT, PTR, INT));
  }

  private static final class Rename {
    static final MethodHandle CALL =
        Native.bind("renameat2", FunctionDescriptor.of(INT, INT, PTR, INT, PTR, INT));
  }

  private static final class Open {
    static final MethodHandle CALL =
        Native.bind("openat", FunctionDescriptor.of(INT, INT, PTR, INT, INT), Native.variadic(3));
  }

  private static final class Close {
    static final MethodHandle CALL = Native.bind("close", FunctionDescriptor.of(INT, INT));
  }

  private static final class Read {
    static final MethodHandle CALL =
        Native.bind("read", FunctionDescriptor.of(LONG, INT, PTR, LONG));
  }

  private static final class Write {
    static final MethodHandle CALL =
        Native.bind("write", FunctionDescriptor.of(LONG, INT, PTR, LONG));
  }

  private static final class Fsync {
    static final MethodHandle CALL = Native.bind("fsync", FunctionDescriptor.of(INT, INT));
  }

  private static final class Fdatasync {
    static final MethodHandle CALL = Native.bind("fdatasync", FunctionDescriptor.of(INT, INT));
  }

  private static final class Syncfs {
    static final MethodHandle CALL = Native.bind("syncfs", FunctionDescriptor.of(INT, INT));
  }

  private static final class Ftruncate {
    static final MethodHandle CALL =
        Native.bind("ftruncate", FunctionDescriptor.of(INT, INT, LONG));
  }

  private static final class Lseek {
    static final MethodHandle CALL =
        Native.bind("lseek", FunctionDescriptor.of(LONG, INT, LONG, INT));
  }

  private static final class Fallocate {
    static final MethodHandle CALL =
        Native.bind("fallocate", FunctionDescriptor.of(INT, INT, INT, LONG, LONG));
  }

  private static final class Ioctl {
    static final MethodHandle CALL =
        Native.bind("ioctl", FunctionDescriptor.of(INT, INT, LONG, PTR), Native.variadic(2));
  }

  private static final class IoctlInt {
    static final MethodHandle CALL =
        Native.bind("ioctl", FunctionDescriptor.of(INT, INT, LONG, INT), Native.variadic(2));
  }

  private static final class Statx {
    static final MethodHandle CALL =
        Native.bind("statx", FunctionDescriptor.of(INT, INT, PTR, INT, INT, PTR));
  }

  private static final class Statvfs {
    static final MethodHandle CALL = Native.bind("statvfs", FunctionDescriptor.of(INT, PTR, PTR));
  }

  private static final class MountCall {
    static final MethodHandle CALL =
        Native.bind("mount", FunctionDescriptor.of(INT, PTR, PTR, PTR, LONG, PTR));
  }

  private static final class Umount {
    static final MethodHandle CALL = Native.bind("umount2", FunctionDescriptor.of(INT, PTR, INT));
  }

  private static final class Unshare {
    static final MethodHandle CALL = Native.bind("unshare", FunctionDescriptor.of(INT, INT));
  }

  private static final class Flock {
    static final MethodHandle CALL = Native.bind("flock", FunctionDescriptor.of(INT, INT, INT));
  }

  private static final class Syscall {
    static final MethodHandle CALL =
        Native.bind(
            "syscall", FunctionDescriptor.of(LONG, LONG, INT, PTR, PTR, LONG), Native.variadic(1));
  }

  private static final class Getdents {
    static final MethodHandle CALL =
        Native.bind("getdents64", FunctionDescriptor.of(LONG, INT, PTR, LONG));
  }

  private static final class Geteuid {
    static final MethodHandle CALL = Native.bind("geteuid", FunctionDescriptor.of(INT));
  }

  private static RuntimeException broken(Throwable e) {
    return e instanceof RuntimeException r ? r : new IllegalStateException(e);
  }

  /** lchown(2). */
  public static void lchown(OsPath path, int uid, int gid) throws UnixException {
    lchownat(AT_FDCWD, path, uid, gid);
  }

  /** As {@link #lchown}, relative to an open directory. */
  public static void lchownat(int dir, OsPath path, int uid, int gid) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r =
          (int)
              Chown.CALL.invokeExact(s.errno, dir, s.path(0, path), uid, gid, AT_SYMLINK_NOFOLLOW);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("lchown", path, s.errno());
    }
  }

  /** fchown(2). */
  public static void fchown(int fd, int uid, int gid) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Fchown.CALL.invokeExact(s.errno, fd, uid, gid);
    } catch (Throwable e) {
      throw broken(e);
    }
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
    int r;
    try {
      r = (int) Chmod.CALL.invokeExact(s.errno, dir, s.path(0, path), mode & 07777, 0);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("chmod", path, s.errno());
    }
  }

  /** fchmod(2). */
  public static void fchmod(int fd, int mode) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Fchmod.CALL.invokeExact(s.errno, fd, mode & 07777);
    } catch (Throwable e) {
      throw broken(e);
    }
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
    int r;
    try {
      r =
          (int)
              Utimens.CALL.invokeExact(
                  s.errno, dir, s.path(0, path), times(s, seconds, nanos), AT_SYMLINK_NOFOLLOW);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("utimensat", path, s.errno());
    }
  }

  /** As {@link #lutimens} for an open file. */
  public static void futimens(int fd, long seconds, int nanos) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Futimens.CALL.invokeExact(s.errno, fd, times(s, seconds, nanos));
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("futimens", "fd " + fd, s.errno());
    }
  }

  private static MemorySegment times(Scratch s, long seconds, int nanos) {
    MemorySegment t = s.struct;
    t.set(LONG, 0, seconds);
    t.set(LONG, 8, nanos);
    t.set(LONG, 16, seconds);
    t.set(LONG, 24, nanos);
    return t;
  }

  /** mknod(2): {@code mode} holds the type; {@code rdev} as makedev(3) packs it. */
  public static void mknod(OsPath path, int mode, long rdev) throws UnixException {
    mknodat(AT_FDCWD, path, mode, rdev);
  }

  /** As {@link #mknod}, relative to an open directory. */
  public static void mknodat(int dir, OsPath path, int mode, long rdev) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Mknod.CALL.invokeExact(s.errno, dir, s.path(0, path), mode, rdev);
    } catch (Throwable e) {
      throw broken(e);
    }
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
    int r;
    try {
      r = (int) Mkdir.CALL.invokeExact(s.errno, dir, s.path(0, path), mode);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("mkdir", path, s.errno());
    }
  }

  /**
   * link(2): a second name for {@code existing}, which is not followed when it is a symbolic link.
   */
  public static void link(OsPath existing, OsPath path) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r =
          (int)
              Link.CALL.invokeExact(
                  s.errno, AT_FDCWD, s.path(0, existing), AT_FDCWD, s.path(1, path), 0);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("link", path, s.errno());
    }
  }

  /** linkat(2) with both paths relative to open directories. */
  public static void linkat(int existingDir, OsPath existing, int dir, OsPath path)
      throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r =
          (int)
              Link.CALL.invokeExact(
                  s.errno, existingDir, s.path(0, existing), dir, s.path(1, path), 0);
    } catch (Throwable e) {
      throw broken(e);
    }
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
    int r;
    try {
      r = (int) Symlink.CALL.invokeExact(s.errno, s.path(0, target), dir, s.path(1, path));
    } catch (Throwable e) {
      throw broken(e);
    }
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
    int r;
    try {
      r =
          (int)
              Unlink.CALL.invokeExact(s.errno, dir, s.path(0, path), directory ? AT_REMOVEDIR : 0);
    } catch (Throwable e) {
      throw broken(e);
    }
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
    int r;
    try {
      r =
          (int)
              Rename.CALL.invokeExact(
                  s.errno, fromDir, s.path(0, from), toDir, s.path(1, to), flags);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("rename", to, s.errno());
    }
  }

  /** readlink(2). */
  public static OsPath readlink(OsPath path) throws UnixException {
    Scratch s = Native.scratch();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(4097);
      long r;
      try {
        r = (long) Readlink.CALL.invokeExact(s.errno, AT_FDCWD, s.path(0, path), buffer, 4097L);
      } catch (Throwable e) {
        throw broken(e);
      }
      if (r < 0) {
        throw Native.error("readlink", path, s.errno());
      }
      return OsPath.ofBytes(buffer.asSlice(0, r).toArray(ValueLayout.JAVA_BYTE));
    }
  }

  /** open(2); always with O_CLOEXEC. The caller closes the descriptor. */
  public static int open(OsPath path, int flags, int mode) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Open.CALL.invokeExact(s.errno, AT_FDCWD, s.path(0, path), flags | O_CLOEXEC, mode);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("open", path, s.errno());
    }
    return r;
  }

  /** openat(2); always with O_CLOEXEC. */
  public static int openat(int dir, OsPath path, int flags, int mode) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Open.CALL.invokeExact(s.errno, dir, s.path(0, path), flags | O_CLOEXEC, mode);
    } catch (Throwable e) {
      throw broken(e);
    }
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
    s.struct.set(LONG, 0, (flags | O_CLOEXEC) & 0xffffffffL);
    s.struct.set(LONG, 8, mode);
    s.struct.set(LONG, 16, resolve);
    long r;
    try {
      r =
          (long)
              Syscall.CALL.invokeExact(s.errno, SYS_OPENAT2, dir, s.path(0, path), s.struct, 24L);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("openat2", path, s.errno());
    }
    return (int) r;
  }

  /** close(2). */
  public static void close(int fd) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Close.CALL.invokeExact(s.errno, fd);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("close", "fd " + fd, s.errno());
    }
  }

  /** fsync(2). */
  public static void fsync(int fd) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Fsync.CALL.invokeExact(s.errno, fd);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("fsync", "fd " + fd, s.errno());
    }
  }

  /** fdatasync(2). */
  public static void fdatasync(int fd) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Fdatasync.CALL.invokeExact(s.errno, fd);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("fdatasync", "fd " + fd, s.errno());
    }
  }

  /** fallocate(2); mode 0 reserves space and extends the file. */
  public static void fallocate(int fd, int mode, long offset, long length) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Fallocate.CALL.invokeExact(s.errno, fd, mode, offset, length);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("fallocate", "fd " + fd, s.errno());
    }
  }

  /** ftruncate(2): cuts a file off or extends it by a hole. */
  public static void ftruncate(int fd, long size) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Ftruncate.CALL.invokeExact(s.errno, fd, size);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("ftruncate", "fd " + fd, s.errno());
    }
  }

  /** lseek(2) to an absolute position. */
  public static void seek(int fd, long position) throws UnixException {
    Scratch s = Native.scratch();
    long r;
    try {
      r = (long) Lseek.CALL.invokeExact(s.errno, fd, position, 0);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("lseek", "fd " + fd, s.errno());
    }
  }

  /** Reads up to {@code length} bytes into {@code buffer}; 0 at the end. */
  public static int read(int fd, MemorySegment buffer, long length) throws UnixException {
    Scratch s = Native.scratch();
    long r;
    try {
      r = (long) Read.CALL.invokeExact(s.errno, fd, buffer, length);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("read", "fd " + fd, s.errno());
    }
    return (int) r;
  }

  /** Writes all {@code length} bytes of {@code buffer}. */
  public static void write(int fd, MemorySegment buffer, long length) throws UnixException {
    Scratch s = Native.scratch();
    for (long done = 0; done < length; ) {
      long r;
      try {
        r = (long) Write.CALL.invokeExact(s.errno, fd, buffer.asSlice(done), length - done);
      } catch (Throwable e) {
        throw broken(e);
      }
      if (r < 0) {
        throw Native.error("write", "fd " + fd, s.errno());
      }
      done += r;
    }
  }

  /** Writes all {@code length} bytes of an array, through a buffer of the calling thread. */
  public static void write(int fd, byte[] bytes, int offset, int length) throws UnixException {
    MemorySegment buffer = Native.scratch().transfer();
    for (int done = 0; done < length; ) {
      int part = (int) Math.min(buffer.byteSize(), length - done);
      MemorySegment.copy(bytes, offset + done, buffer, ValueLayout.JAVA_BYTE, 0, part);
      write(fd, buffer, part);
      done += part;
    }
  }

  /**
   * Reads up to {@code length} bytes into an array, through a buffer of the calling thread; -1 at
   * the end.
   */
  public static int read(int fd, byte[] bytes, int offset, int length) throws UnixException {
    MemorySegment buffer = Native.scratch().transfer();
    int n = read(fd, buffer, Math.min(buffer.byteSize(), length));
    MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, bytes, offset, n);
    return n == 0 && length > 0 ? -1 : n;
  }

  /** Syncs the whole file system that holds {@code path}. */
  public static void syncfs(OsPath path) throws UnixException {
    int fd = open(path, O_RDONLY, 0);
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Syncfs.CALL.invokeExact(s.errno, fd);
    } catch (Throwable e) {
      throw broken(e);
    }
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
    MemorySegment b = s.struct;
    int r;
    try {
      r = (int) Statx.CALL.invokeExact(s.errno, dir, s.path(0, path), flags, 0x7ff, b);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("stat", path, s.errno());
    }
    return new Stat(
        b.get(ValueLayout.JAVA_SHORT, 28) & 0xffff,
        b.get(INT, 20),
        b.get(INT, 24),
        b.get(LONG, 40),
        b.get(LONG, 112),
        b.get(INT, 120),
        b.get(LONG, 32),
        makedev(b.get(INT, 136), b.get(INT, 140)),
        b.get(INT, 16) & 0xffffffffL,
        makedev(b.get(INT, 128), b.get(INT, 132)),
        b.get(LONG, 48));
  }

  /**
   * statvfs(3): whether nothing can be written through this path, because its mount or the file
   * system itself is read-only. The JDK's FileStore goes by the device and so confuses two mounts
   * of one file system. Follows links.
   */
  public static boolean isReadOnly(OsPath path) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Statvfs.CALL.invokeExact(s.errno, s.path(0, path), s.struct);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("statvfs", path, s.errno());
    }
    return (s.struct.get(LONG, STATVFS_FLAGS) & ST_RDONLY) != 0;
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
    try (Arena arena = Arena.ofConfined()) {
      long size = 1024;
      while (true) {
        MemorySegment buffer = arena.allocate(size);
        long r;
        try {
          r =
              (long)
                  Getxattr.CALL.invokeExact(
                      s.errno, s.path(0, path), s.path(1, name), buffer, size);
        } catch (Throwable e) {
          throw broken(e);
        }
        if (r >= 0) {
          return buffer.asSlice(0, r).toArray(ValueLayout.JAVA_BYTE);
        }
        switch (s.errno()) {
          case UnixException.ENODATA, UnixException.EOPNOTSUPP -> {
            return null;
          }
          case UnixException.ERANGE -> size = 65536;
          default -> throw Native.error("lgetxattr", path + " " + name, s.errno());
        }
      }
    }
  }

  /**
   * The names of all extended attributes, in the kernel's order; none where the file system has no
   * such thing.
   */
  public static List<OsPath> llistxattr(OsPath path) throws UnixException {
    Scratch s = Native.scratch();
    try (Arena arena = Arena.ofConfined()) {
      long size = 1024;
      while (true) {
        MemorySegment buffer = arena.allocate(size);
        long r;
        try {
          r = (long) Listxattr.CALL.invokeExact(s.errno, s.path(0, path), buffer, size);
        } catch (Throwable e) {
          throw broken(e);
        }
        if (r >= 0) {
          return names(buffer.asSlice(0, r).toArray(ValueLayout.JAVA_BYTE));
        }
        switch (s.errno()) {
          case UnixException.EOPNOTSUPP -> {
            return List.of();
          }
          case UnixException.ERANGE -> size = 65536;
          default -> throw Native.error("llistxattr", path, s.errno());
        }
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
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocateFrom(ValueLayout.JAVA_BYTE, value);
      int r;
      try {
        r =
            (int)
                Setxattr.CALL.invokeExact(
                    s.errno, s.path(0, path), s.path(1, name), buffer, (long) value.length, 0);
      } catch (Throwable e) {
        throw broken(e);
      }
      if (r < 0) {
        throw Native.error("lsetxattr", path + " " + name, s.errno());
      }
    }
  }

  /** fsetxattr(2): creates or replaces. */
  public static void fsetxattr(int fd, OsPath name, byte[] value) throws UnixException {
    Scratch s = Native.scratch();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocateFrom(ValueLayout.JAVA_BYTE, value);
      int r;
      try {
        r =
            (int)
                FsetXattr.CALL.invokeExact(
                    s.errno, fd, s.path(1, name), buffer, (long) value.length, 0);
      } catch (Throwable e) {
        throw broken(e);
      }
      if (r < 0) {
        throw Native.error("fsetxattr", "fd " + fd + " " + name, s.errno());
      }
    }
  }

  /** lremovexattr(2). */
  public static void lremovexattr(OsPath path, OsPath name) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Removexattr.CALL.invokeExact(s.errno, s.path(0, path), s.path(1, name));
    } catch (Throwable e) {
      throw broken(e);
    }
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
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(65536, 8);
      while (true) {
        long r;
        try {
          r = (long) Getdents.CALL.invokeExact(s.errno, fd, buffer, 65536L);
        } catch (Throwable e) {
          throw broken(e);
        }
        if (r < 0) {
          throw Native.error("getdents64", directory, s.errno());
        }
        if (r == 0) {
          return names;
        }
        for (long at = 0; at < r; ) {
          int length = buffer.get(ValueLayout.JAVA_SHORT, at + 16) & 0xffff;
          long end = at + 19;
          while (buffer.get(ValueLayout.JAVA_BYTE, end) != 0) {
            end++;
          }
          OsPath name =
              OsPath.ofBytes(buffer.asSlice(at + 19, end - at - 19).toArray(ValueLayout.JAVA_BYTE));
          if (!name.is(".") && !name.is("..")) {
            names.add(name);
          }
          at += length;
        }
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
    s.struct.set(LONG, 0, 0);
    int r;
    try {
      r = (int) Ioctl.CALL.invokeExact(s.errno, fd, FS_IOC_GETFLAGS, s.struct);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      if (s.errno() == UnixException.ENOTTY || s.errno() == UnixException.EOPNOTSUPP) {
        return 0;
      }
      throw Native.error("FS_IOC_GETFLAGS", "fd " + fd, s.errno());
    }
    return s.struct.get(INT, 0);
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
      s.struct.set(LONG, 0, flags);
      int r;
      try {
        r = (int) Ioctl.CALL.invokeExact(s.errno, fd, FS_IOC_SETFLAGS, s.struct);
      } catch (Throwable e) {
        throw broken(e);
      }
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
    int r;
    try {
      r = (int) IoctlInt.CALL.invokeExact(s.errno, target, FICLONE, source);
    } catch (Throwable e) {
      throw broken(e);
    }
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
      int r;
      try {
        r = (int) IoctlInt.CALL.invokeExact(s.errno, fd, freeze ? FIFREEZE : FITHAW, 0);
      } catch (Throwable e) {
        throw broken(e);
      }
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
    int r;
    try {
      r = (int) IoctlInt.CALL.invokeExact(s.errno, control, LOOP_CTL_GET_FREE, 0);
    } catch (Throwable e) {
      throw broken(e);
    }
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
    s.struct.fill((byte) 0);
    s.struct.set(INT, 0, backing);
    s.struct.set(LONG, LOOP_OFFSET, offset);
    s.struct.set(LONG, LOOP_SIZE_LIMIT, size);
    s.struct.set(INT, LOOP_FLAGS, LO_FLAGS_AUTOCLEAR);
    int r;
    try {
      r = (int) Ioctl.CALL.invokeExact(s.errno, device, LOOP_CONFIGURE, s.struct);
    } catch (Throwable e) {
      throw broken(e);
    }
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
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment from = source == null ? MemorySegment.NULL : arena.allocateFrom(source);
      MemorySegment kind = type == null ? MemorySegment.NULL : arena.allocateFrom(type);
      MemorySegment options = data == null ? MemorySegment.NULL : arena.allocateFrom(data);
      int r;
      try {
        r =
            (int)
                MountCall.CALL.invokeExact(s.errno, from, s.path(0, target), kind, flags, options);
      } catch (Throwable e) {
        throw broken(e);
      }
      if (r < 0) {
        throw Native.error("mount", target + (type == null ? "" : " (" + type + ")"), s.errno());
      }
    }
  }

  /** umount2(2). */
  public static void umount(OsPath target, int flags) throws UnixException {
    Scratch s = Native.scratch();
    int r;
    try {
      r = (int) Umount.CALL.invokeExact(s.errno, s.path(0, target), flags);
    } catch (Throwable e) {
      throw broken(e);
    }
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
    int r;
    try {
      r = (int) Unshare.CALL.invokeExact(s.errno, flags);
    } catch (Throwable e) {
      throw broken(e);
    }
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
    int r;
    try {
      r = (int) Flock.CALL.invokeExact(s.errno, fd, operation);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (r < 0) {
      throw Native.error("flock", "fd " + fd, s.errno());
    }
  }

  /** Effective user id; 0 is root. */
  public static int geteuid() {
    try {
      return (int) Geteuid.CALL.invokeExact(Native.scratch().errno);
    } catch (Throwable e) {
      throw broken(e);
    }
  }
}
