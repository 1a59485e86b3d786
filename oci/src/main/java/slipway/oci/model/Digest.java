package slipway.oci.model;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Pattern;
import slipway.base.Printable;
import slipway.base.Problem;

/**
 * A content digest, {@code algorithm:hex} (OCI image-spec, descriptor.md, "Digests").
 *
 * @param algorithm sha256 or sha512
 * @param hex lower-case hex of the right length
 */
public record Digest(Algorithm algorithm, String hex) implements Comparable<Digest> {
  /** The algorithms that the specification registers and we accept. */
  public enum Algorithm {
    SHA256("sha256", "SHA-256", 64),
    SHA512("sha512", "SHA-512", 128);

    private final String label;
    private final String jca;
    private final int hexLength;

    Algorithm(String label, String jca, int hexLength) {
      this.label = label;
      this.jca = jca;
      this.hexLength = hexLength;
    }

    /** As written in front of the colon. */
    public String label() {
      return label;
    }

    /** The digest that a file below {@code blobs/ALGORITHM} has as its name, if it is one. */
    public Optional<Digest> file(String name) {
      return name.length() == hexLength && HEX.matcher(name).matches()
          ? Optional.of(new Digest(this, name))
          : Optional.empty();
    }

    public MessageDigest newMessageDigest() {
      try {
        return MessageDigest.getInstance(jca);
      } catch (NoSuchAlgorithmException e) {
        throw new AssertionError("every JDK has " + jca, e);
      }
    }
  }

  private static final Pattern HEX = Pattern.compile("[0-9a-f]+");

  public Digest {
    if (hex.length() != algorithm.hexLength || !HEX.matcher(hex).matches()) {
      throw Problem.input(
          "digest "
              + algorithm.label
              + ":"
              + abbreviate(hex)
              + " is not "
              + algorithm.hexLength
              + " lower-case hex digits");
    }
  }

  /**
   * Parses {@code sha256:…} or {@code sha512:…}.
   *
   * @throws Problem of kind INPUT for anything else
   */
  public static Digest parse(String text) {
    int colon = text.indexOf(':');
    if (colon > 0) {
      for (Algorithm a : Algorithm.values()) {
        if (a.label.equals(text.substring(0, colon))) {
          return new Digest(a, text.substring(colon + 1));
        }
      }
    }
    throw Problem.input(
        "\"" + abbreviate(text) + "\" is not a digest; expected sha256:HEX or sha512:HEX");
  }

  /** The sha256 digest of bytes in memory. */
  public static Digest sha256(byte[] bytes) {
    return of(Algorithm.SHA256, Algorithm.SHA256.newMessageDigest().digest(bytes));
  }

  public static Digest of(Algorithm algorithm, byte[] hash) {
    return new Digest(algorithm, HexFormat.of().formatHex(hash));
  }

  /** Whether these bytes have this digest. */
  public boolean matches(byte[] bytes) {
    return of(algorithm, algorithm.newMessageDigest().digest(bytes)).equals(this);
  }

  /** The first twelve hex digits, for people. */
  public String brief() {
    return hex.substring(0, 12);
  }

  @Override
  public int compareTo(Digest other) {
    return toString().compareTo(other.toString());
  }

  @Override
  public String toString() {
    return algorithm.label + ":" + hex;
  }

  private static String abbreviate(String text) {
    return Printable.text(text.length() <= 80 ? text : text.substring(0, 80) + "…");
  }
}
