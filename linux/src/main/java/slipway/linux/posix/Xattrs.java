package slipway.linux.posix;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.linux.posix.Native.Scratch;

/**
 * Extended attributes (xattr(7)) of any name space, as the system calls of section 2 of the manual.
 * A final symbolic link is not followed.
 */
public final class Xattrs {
  /** Enough for nearly all; the kernel clears as much as it is asked for. */
  private static final int SMALL_XATTR = 1024;

  /** XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h. */
  private static final int XATTR_MAX = 65536;

  private static final Native.Function LGETXATTR = new Native.Function("lgetxattr");
  private static final Native.Function LSETXATTR = new Native.Function("lsetxattr");
  private static final Native.Function LREMOVEXATTR = new Native.Function("lremovexattr");
  private static final Native.Function LLISTXATTR = new Native.Function("llistxattr");
  private static final Native.Function FSETXATTR = new Native.Function("fsetxattr");

  private Xattrs() {}

  /** The value of an extended attribute, or null when the file has none of that name. */
  public static byte @Nullable [] lgetxattr(OsPath path, OsPath name) throws UnixException {
    Pretence pretence = Pretence.over(Posix.AT_FDCWD, path);
    if (pretence != null) {
      return pretence.getxattr(StatCall.find(Posix.AT_FDCWD, path, false), name);
    }
    Scratch s = Native.scratch();
    ByteBuffer buffer = s.transfer();
    long address = Native.address(buffer);
    for (int size = SMALL_XATTR; ; size = XATTR_MAX) {
      long r = LGETXATTR.callLong(s, s.path(0, path), s.path(1, name), address, size);
      if (r >= 0) {
        return Native.bytes(buffer, 0, r);
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
    Pretence pretence = Pretence.over(Posix.AT_FDCWD, path);
    if (pretence != null) {
      return pretence.listxattr(StatCall.find(Posix.AT_FDCWD, path, false));
    }
    Scratch s = Native.scratch();
    ByteBuffer buffer = s.transfer();
    long address = Native.address(buffer);
    for (int size = SMALL_XATTR; ; size = XATTR_MAX) {
      long r = LLISTXATTR.callLong(s, s.path(0, path), address, size);
      if (r >= 0) {
        return names(Native.bytes(buffer, 0, r));
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
        names.add(OsPath.ofBytes(Arrays.copyOfRange(zeroSeparated, start, i)));
        start = i + 1;
      }
    }
    return names;
  }

  /** lsetxattr(2): creates or replaces. */
  public static void lsetxattr(OsPath path, OsPath name, byte[] value) throws UnixException {
    Pretence pretence = Pretence.over(Posix.AT_FDCWD, path);
    if (pretence != null) {
      Pretence.Found found = StatCall.find(Posix.AT_FDCWD, path, false);
      check("lsetxattr", path + " " + name, pretence.setxattr(found, name, value));
      return;
    }
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
    Pretence pretence = Pretence.over(fd);
    if (pretence != null) {
      int refused = pretence.setxattr(StatCall.find(fd), name, value);
      check("fsetxattr", "fd " + fd + " " + name, refused);
      return;
    }
    Scratch s = Native.scratch();
    ByteBuffer buffer = s.transfer(value.length).put(0, value);
    int r = FSETXATTR.call(s, fd, s.path(1, name), Native.address(buffer), value.length, 0);
    if (r < 0) {
      throw Native.error("fsetxattr", "fd " + fd + " " + name, s.errno());
    }
  }

  /** lremovexattr(2). */
  public static void lremovexattr(OsPath path, OsPath name) throws UnixException {
    Pretence pretence = Pretence.over(Posix.AT_FDCWD, path);
    if (pretence != null) {
      int kept = pretence.removexattr(StatCall.find(Posix.AT_FDCWD, path, false), name);
      check("lremovexattr", path + " " + name, kept);
      return;
    }
    Scratch s = Native.scratch();
    int r = LREMOVEXATTR.call(s, s.path(0, path), s.path(1, name));
    if (r < 0) {
      throw Native.error("lremovexattr", path + " " + name, s.errno());
    }
  }

  private static void check(String call, String what, int errno) throws UnixException {
    if (errno != 0) {
      throw Native.error(call, what, errno);
    }
  }
}
