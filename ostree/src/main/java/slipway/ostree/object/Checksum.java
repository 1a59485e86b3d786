package slipway.ostree.object;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import slipway.base.Problem;

/**
 * The name of an object: sha256 of what the object is (ostree's "Anatomy of an OSTree repository").
 * No record, because one that is made of 32 bytes need not be looked through again, and reading an
 * image makes some hundred thousand.
 */
public final class Checksum implements Comparable<Checksum> {
  private static final int BYTES = 32;

  private final String hex;

  private Checksum(byte[] hash) {
    this.hex = HexFormat.of().formatHex(hash);
  }

  /**
   * From text.
   *
   * @param hex 64 lower-case hex digits
   * @throws Problem of kind CORRUPT for any other
   */
  public Checksum(String hex) {
    if (!isChecksum(hex)) {
      throw notChecksum(hex);
    }
    this.hex = hex;
  }

  private static Problem notChecksum(String hex) {
    return Problem.corrupt("\"" + hex + "\" is not an ostree checksum of 64 lower-case hex digits");
  }

  /**
   * From the raw hash.
   *
   * @throws Problem of kind CORRUPT unless it has 32 bytes
   */
  public static Checksum of(byte[] hash) {
    if (hash.length != BYTES) {
      throw notChecksum(HexFormat.of().formatHex(hash));
    }
    return new Checksum(hash);
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

  /** 64 lower-case hex digits. */
  public String hex() {
    return hex;
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
  public boolean equals(Object other) {
    return other instanceof Checksum that && that.hex.equals(hex);
  }

  @Override
  public int hashCode() {
    return hex.hashCode();
  }

  @Override
  public String toString() {
    return hex;
  }
}
