package slipway.disk.ext4;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;

/** POSIX access control lists, which ext4 keeps shorter than the attribute is that shows them. */
final class AccessList {
  private static final int SHOWN_VERSION = 2;
  private static final int STORED_VERSION = 1;
  private static final int USER = 2;
  private static final int GROUP = 8;

  private AccessList() {}

  /**
   * @param shown the attribute's value: a version, then tag, rights and id of each entry
   * @return only users and groups with an id
   */
  static byte[] stored(byte[] shown, OsPath path) {
    ByteBuffer in = ByteBuffer.wrap(shown).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer out = Format.structure(shown.length);
    try {
      if (in.getInt() != SHOWN_VERSION) {
        throw damaged(path);
      }
      out.putInt(STORED_VERSION);
      while (in.hasRemaining()) {
        short tag = in.getShort();
        out.putShort(tag).putShort(in.getShort());
        int id = in.getInt();
        if (tag == USER || tag == GROUP) {
          out.putInt(id);
        }
      }
    } catch (BufferUnderflowException e) {
      throw damaged(path);
    }
    byte[] stored = new byte[out.position()];
    out.get(0, stored);
    return stored;
  }

  private static Problem damaged(OsPath path) {
    return Problem.input(
        "\"" + path + "\" has a damaged access control list; remove it from the archive or image");
  }
}
