package slipway.composefs;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Computes the fs-verity digest of a file while its bytes stream by: blocks of 4096 bytes, no salt
 * (Linux's Documentation/filesystems/fsverity.rst, "Merkle tree" and "fs-verity descriptor"). For
 * one thread.
 */
public final class FsVerity {
  private static final int BLOCK = 4096;
  private static final byte[] ZEROS = new byte[BLOCK];

  /** The hash of the tree and of the digest. */
  public enum Algorithm {
    SHA256(1, 32, "SHA-256"),
    SHA512(2, 64, "SHA-512");

    private final int number;
    private final int bytes;
    private final String jca;

    Algorithm(int number, int bytes, String jca) {
      this.number = number;
      this.bytes = bytes;
      this.jca = jca;
    }

    /** fs-verity's number. */
    int number() {
      return number;
    }

    /** Bytes of a digest. */
    int bytes() {
      return bytes;
    }
  }

  /** A level of the tree: the block that is being filled. */
  private static final class Level {
    private final byte[] block = new byte[BLOCK];
    private int used;
    private long blocks;
  }

  private final Algorithm algorithm;
  private final MessageDigest hash;

  /** The data at 0, hashes of it at 1, hashes of those at 2, and so on. */
  private final List<Level> levels = new ArrayList<>();

  private byte @Nullable [] zeroSum;
  private long size;

  public FsVerity(Algorithm algorithm) {
    this.algorithm = algorithm;
    try {
      this.hash = MessageDigest.getInstance(algorithm.jca);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has " + algorithm.jca, e);
    }
  }

  /** Adds bytes of the file. */
  public void update(byte[] bytes, int offset, int length) {
    size += length;
    add(0, bytes, offset, length);
  }

  private void add(int index, byte[] bytes, int offset, int length) {
    if (index == levels.size()) {
      levels.add(new Level());
    }
    Level level = levels.get(index);
    int at = offset;
    int end = offset + length;
    while (at < end) {
      if (level.used == BLOCK) {
        close(index, level.block, 0);
        level.used = 0;
      }
      if (level.used == 0 && end - at > BLOCK) {
        // A whole block that is not the last goes without a copy.
        close(index, bytes, at);
        at += BLOCK;
      } else {
        int part = Math.min(BLOCK - level.used, end - at);
        System.arraycopy(bytes, at, level.block, level.used, part);
        level.used += part;
        at += part;
      }
    }
  }

  /** Hashes a full block of a level into the next. */
  private void close(int index, byte[] block, int offset) {
    levels.get(index).blocks++;
    byte[] sum =
        index == 0 && Arrays.equals(block, offset, offset + BLOCK, ZEROS, 0, BLOCK)
            ? zeros()
            : sum(block, offset);
    add(index + 1, sum, 0, sum.length);
  }

  private byte[] sum(byte[] block, int offset) {
    hash.update(block, offset, BLOCK);
    return hash.digest();
  }

  /** The hash of a block of zeros, of which sparse files have many. */
  private byte[] zeros() {
    byte[] known = zeroSum;
    if (known == null) {
      known = sum(ZEROS, 0);
      zeroSum = known;
    }
    return known;
  }

  /** The digest; nothing can be added afterwards. */
  public byte[] digest() {
    ByteBuffer descriptor = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
    descriptor.put((byte) 1).put((byte) algorithm.number).put((byte) 12).put((byte) 0);
    descriptor.putInt(0).putLong(size).put(root());
    hash.update(descriptor.array());
    return hash.digest();
  }

  private byte[] root() {
    if (size == 0) {
      return new byte[hash.getDigestLength()];
    }
    for (int i = 0; ; i++) {
      Level level = levels.get(i);
      Arrays.fill(level.block, level.used, BLOCK, (byte) 0);
      if (level.blocks == 0) {
        return hash.digest(level.block);
      }
      close(i, level.block, 0);
    }
  }

  /** The sha256 digest of all that a stream gives. */
  public static byte[] sha256(InputStream in) throws IOException {
    FsVerity verity = new FsVerity(Algorithm.SHA256);
    byte[] buffer = new byte[64 * 1024];
    for (int n; (n = in.read(buffer)) >= 0; ) {
      verity.update(buffer, 0, n);
    }
    return verity.digest();
  }
}
