package slipway.linux.posix;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import slipway.linux.posix.Native.Scratch;

/** The names in open directories without dot and dot-dot, in no order: getdents64(2). */
final class DirectoryNames {
  private static final Native.Function GETDENTS64 = new Native.Function("getdents64");
  private static final int BYTES = 65536;

  private DirectoryNames() {}

  /** All of them. */
  static List<OsPath> all(int fd, OsPath directory) throws UnixException {
    List<OsPath> names = new ArrayList<>();
    boolean more = true;
    while (more) {
      more = next(fd, directory, names);
    }
    return names;
  }

  /**
   * Adds the next names of an open directory, as many as the kernel gives at once.
   *
   * @return whether there may be more
   */
  static boolean next(int fd, OsPath directory, List<OsPath> names) throws UnixException {
    Scratch s = Native.scratch();
    ByteBuffer buffer = s.transfer();
    int r = (int) GETDENTS64.callLong(s, fd, Native.address(buffer), BYTES);
    if (r < 0) {
      throw Native.error("getdents64", directory, s.errno());
    }
    for (int at = 0; at < r; ) {
      int length = buffer.getShort(at + 16) & 0xffff;
      int end = at + 19;
      while (buffer.get(end) != 0) {
        end++;
      }
      OsPath name = OsPath.ofBytes(Native.bytes(buffer, at + 19, end - at - 19));
      if (!name.is(".") && !name.is("..")) {
        names.add(name);
      }
      at += length;
    }
    return r > 0;
  }
}
