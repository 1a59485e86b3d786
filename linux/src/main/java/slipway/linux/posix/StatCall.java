package slipway.linux.posix;

import java.nio.ByteBuffer;
import slipway.linux.posix.Native.Scratch;

/** statx(2): what the kernel knows of files, and what is pretended of them. */
final class StatCall {
  private static final Native.Function STATX = new Native.Function("statx");
  private static final int BASIC = 0x7ff;
  private static final int BIRTH = 0x800;

  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int OPEN_FILE = AT_EMPTY_PATH | Posix.AT_SYMLINK_NOFOLLOW;
  private static final OsPath ITSELF = OsPath.of("");

  private StatCall() {}

  /** What whoever asks is told. */
  static Stat shown(int dir, OsPath path, boolean follow) throws UnixException {
    return shown(dir, path, follow ? 0 : Posix.AT_SYMLINK_NOFOLLOW);
  }

  /** The same of an open file. */
  static Stat shown(int fd) throws UnixException {
    return shown(fd, ITSELF, OPEN_FILE);
  }

  private static Stat shown(int dir, OsPath path, int flags) throws UnixException {
    Pretence pretence = Pretence.over(dir, path);
    return pretence == null ? stat(dir, path, flags) : pretence.shown(find(dir, path, flags));
  }

  /** What the kernel knows of a file, whatever is pretended. */
  static Pretence.Found find(int dir, OsPath path, boolean follow) throws UnixException {
    return find(dir, path, follow ? 0 : Posix.AT_SYMLINK_NOFOLLOW);
  }

  /** The same of an open file. */
  static Pretence.Found find(int fd) throws UnixException {
    return find(fd, ITSELF, OPEN_FILE);
  }

  /**
   * @param flags of statx(2)
   */
  private static Stat stat(int dir, OsPath path, int flags) throws UnixException {
    Scratch s = Native.scratch();
    ByteBuffer b = s.struct;
    s.check(
        "stat", path, STATX.call(s, dir, s.path(0, path), flags, BASIC | BIRTH, s.structAddress));
    return new Stat(
        b.getShort(28) & 0xffff,
        b.getInt(20),
        b.getInt(24),
        b.getLong(40),
        b.getLong(112),
        b.getInt(120),
        b.getLong(32),
        Posix.makedev(b.getInt(136), b.getInt(140)),
        b.getInt(16) & 0xffffffffL,
        Posix.makedev(b.getInt(128), b.getInt(132)),
        b.getLong(48));
  }

  /** The same, with the time when the inode was made. */
  private static Pretence.Found find(int dir, OsPath path, int flags) throws UnixException {
    Stat real = stat(dir, path, flags);
    ByteBuffer b = Native.scratch().struct;
    boolean known = (b.getInt(0) & BIRTH) != 0;
    return new Pretence.Found(real, known ? b.getLong(80) : 0, known ? b.getInt(88) : 0);
  }
}
