package slipway.composefs;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The 32-bit hash of Yann Collet's xxHash (its specification, "XXH32 algorithm description"). */
public final class XxHash32 {
  private static final int PRIME_1 = 0x9E3779B1;
  private static final int PRIME_2 = 0x85EBCA77;
  private static final int PRIME_3 = 0xC2B2AE3D;
  private static final int PRIME_4 = 0x27D4EB2F;
  private static final int PRIME_5 = 0x165667B1;

  private XxHash32() {}

  public static int hash(byte[] bytes, int seed) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int hash = bytes.length >= 16 ? stripes(in, seed) : seed + PRIME_5;
    hash += bytes.length;
    while (in.remaining() >= 4) {
      hash = Integer.rotateLeft(hash + in.getInt() * PRIME_3, 17) * PRIME_4;
    }
    while (in.hasRemaining()) {
      hash = Integer.rotateLeft(hash + (in.get() & 0xff) * PRIME_5, 11) * PRIME_1;
    }
    hash = (hash ^ (hash >>> 15)) * PRIME_2;
    hash = (hash ^ (hash >>> 13)) * PRIME_3;
    return hash ^ (hash >>> 16);
  }

  private static int stripes(ByteBuffer in, int seed) {
    int[] lanes = {seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1};
    while (in.remaining() >= 16) {
      for (int lane = 0; lane < 4; lane++) {
        lanes[lane] = Integer.rotateLeft(lanes[lane] + in.getInt() * PRIME_2, 13) * PRIME_1;
      }
    }
    return Integer.rotateLeft(lanes[0], 1)
        + Integer.rotateLeft(lanes[1], 7)
        + Integer.rotateLeft(lanes[2], 12)
        + Integer.rotateLeft(lanes[3], 18);
  }
}
