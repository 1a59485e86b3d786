package slipway.ostree.object;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import slipway.base.Problem;

/**
 * The name of an object: sha256 of what the object is (ostree's "Anatomy of an OSTree repository").
 *
 * @param hex 64 lower-case hex digits
 */
public record Checksum(String hex) implements Comparable<Checksum> {
  public Checksum {
    if (!isChecksum(hex)) {
      throw Problem.corrupt(
          "\"" + hex + "\" is not an ostree checksum of 64 lower-case hex digits");
    }
  }

  /**
   * From the raw hash.
   *
   * @throws Problem of kind CORRUPT unless it has 32 bytes
   */
  public static Checksum of(byte[] hash) {
    return new Checksum(HexFormat.of().formatHex(hash));
  }

  /** Of bytes in memory. */
  public static Checksum sha256(byte[] bytes) {
    return of(newDigest().digest(bytes));
  }

  public static MessageDigest newDigest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /** By hand, because an import makes some hundred thousand of them. */
  public static boolean isChecksum(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
        return false;
      }
    }
    return text.length() == 64;
  }

  /** The 32 raw bytes. */
  public byte[] bytes() {
    return HexFormat.of().parseHex(hex);
  }

  @Override
  public int compareTo(Checksum other) {
    return hex.compareTo(other.hex);
  }

  @Override
  public String toString() {
    return hex;
  }
}
