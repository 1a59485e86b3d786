package slipway.composefs;

import java.nio.ByteBuffer;
import slipway.base.Problem;

/** The bytes of an image that is read, of which nothing outside is looked at. */
final class ErofsBytes {
  private final byte[] bytes;
  private final String where;
  private long end;

  /**
   * @param where the image's name, for messages
   */
  ErofsBytes(byte[] bytes, String where) {
    this.bytes = bytes;
    this.where = where;
    this.end = bytes.length;
  }

  /** The image's name, for messages. */
  String where() {
    return where;
  }

  /** How many bytes there are, be they the image's or not. */
  int length() {
    return bytes.length;
  }

  /** The end of the image: that of the bytes until the super block has said it. */
  long end() {
    return end;
  }

  /** Ends the image here, as its super block says. */
  void end(long at) {
    end = at;
  }

  /**
   * What is to be thrown when the image is wrong.
   *
   * @param at the byte
   */
  Problem damaged(long at, String what) {
    return Problem.corrupt(where + " is damaged at byte " + at + ": " + what);
  }

  /** A piece of the image, which must lie in it. */
  ByteBuffer piece(long at, long size, String what) {
    if (at < 0 || size < 0 || at > end || size > end - at) {
      throw damaged(Math.clamp(at, 0, end), what + " leads beyond the end");
    }
    return ErofsFormat.littleEndian(ByteBuffer.wrap(bytes, (int) at, (int) size).slice());
  }

  /** The rest of a piece. */
  static byte[] copy(ByteBuffer piece) {
    byte[] copy = new byte[piece.remaining()];
    piece.get(copy);
    return copy;
  }

  /** Whether a byte is among others. */
  static boolean holds(byte[] bytes, int wanted) {
    for (byte b : bytes) {
      if (b == wanted) {
        return true;
      }
    }
    return false;
  }
}
