package slipway.disk.luks;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;

/**
 * AES-256 in the mode XTS, with the numbers of sectors that dm-crypt's {@code aes-xts-plain64} has.
 * For one thread. Java has no such mode, but the block cipher is the processor's.
 *
 * @see <a href="https://doi.org/10.6028/NIST.SP.800-38E">NIST SP 800-38E, IEEE 1619</a>
 */
final class XtsSectors {
  static final int SECTOR = 4096;

  /** Two keys of AES-256: of the data, then of the tweaks. */
  static final int KEY_BYTES = 64;

  /** In which sectors are counted, however long they are. */
  private static final int UNIT = 512;

  private static final int BLOCK = 16;

  /** What a bit that is shifted out of a tweak comes back as. */
  private static final long POLYNOMIAL = 0x87;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final Cipher data;
  private final Cipher tweaks;
  private byte[] masks = new byte[0];

  /**
   * @param key of {@link #KEY_BYTES}
   */
  XtsSectors(byte[] key) {
    if (key.length != KEY_BYTES) {
      throw new IllegalArgumentException("a key of " + key.length + " bytes");
    }
    this.data = cipher(Arrays.copyOf(key, KEY_BYTES / 2));
    this.tweaks = cipher(Arrays.copyOfRange(key, KEY_BYTES / 2, KEY_BYTES));
  }

  private static Cipher cipher(byte[] key) {
    try {
      Cipher cipher = Cipher.getInstance("AES/ECB/NoPadding");
      cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"));
      return cipher;
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every Java has AES", e);
    }
  }

  /**
   * Encrypts whole sectors in their place.
   *
   * @param bytes with the sectors at the front
   * @param length of them, a multiple of {@link #SECTOR}
   * @param position of the first in the payload, a multiple of {@link #SECTOR}
   */
  void encrypt(byte[] bytes, int length, long position) {
    if (length % SECTOR != 0 || position % SECTOR != 0) {
      throw new IllegalArgumentException(length + " bytes at " + position);
    }
    if (masks.length < length) {
      masks = new byte[length];
    }
    try {
      for (int at = 0; at < length; at += SECTOR) {
        mask(at, (position + at) / UNIT);
      }
      mix(bytes, length);
      data.doFinal(bytes, 0, length, bytes, 0);
      mix(bytes, length);
    } catch (GeneralSecurityException e) {
      throw new AssertionError("whole blocks take no padding", e);
    }
  }

  /** The tweaks of a sector's blocks, each the one before times x in the field of 2^128. */
  private void mask(int at, long sector) throws GeneralSecurityException {
    byte[] number = new byte[BLOCK];
    LONG.set(number, 0, sector);
    byte[] first = tweaks.doFinal(number);
    long low = (long) LONG.get(first, 0);
    long high = (long) LONG.get(first, Long.BYTES);
    for (int block = at; block < at + SECTOR; block += BLOCK) {
      LONG.set(masks, block, low);
      LONG.set(masks, block + Long.BYTES, high);
      long carried = high >>> (Long.SIZE - 1);
      high = high << 1 | low >>> (Long.SIZE - 1);
      low = low << 1 ^ carried * POLYNOMIAL;
    }
  }

  private void mix(byte[] bytes, int length) {
    for (int at = 0; at < length; at += Long.BYTES) {
      LONG.set(bytes, at, (long) LONG.get(bytes, at) ^ (long) LONG.get(masks, at));
    }
  }
}
