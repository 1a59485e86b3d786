package slipway.linux.posix;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import slipway.base.Printable;
import slipway.base.Problem;

/**
 * A path, or a single name, as the kernel has it: bytes without a charset, never containing NUL.
 * Compares by unsigned bytes, which is the order that ostree, EROFS and deterministic tars use.
 * {@link java.nio.file.Path} cannot hold names that are not valid in the platform's charset; layers
 * hold such names.
 */
public final class OsPath implements Comparable<OsPath> {
  /**
   * The bytes as Latin-1, one char a byte: compact in memory, and its compareTo is the unsigned
   * byte order.
   */
  private final String latin1;

  private OsPath(String latin1) {
    if (latin1.indexOf('\0') >= 0) {
      throw Problem.input(
          "\""
              + Printable.text(new String(bytes(latin1), StandardCharsets.UTF_8))
              + "\" holds a NUL byte, which no name of Linux can");
    }
    this.latin1 = latin1;
  }

  /**
   * From text, encoded as UTF-8.
   *
   * @throws Problem of kind INPUT for a NUL
   */
  public static OsPath of(String text) {
    return ofBytes(text.getBytes(StandardCharsets.UTF_8));
  }

  /** As {@link #of(String)}, from the bytes themselves. */
  public static OsPath ofBytes(byte[] bytes) {
    return new OsPath(new String(bytes, StandardCharsets.ISO_8859_1));
  }

  public static OsPath of(Path path) {
    return of(path.toString());
  }

  /** The bytes, a fresh copy without a trailing NUL. */
  public byte[] bytes() {
    return bytes(latin1);
  }

  private static byte[] bytes(String latin1) {
    return latin1.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** Number of bytes. */
  public int length() {
    return latin1.length();
  }

  /** Joins with a slash; an absolute {@code child} replaces this, an empty one changes nothing. */
  public OsPath resolve(OsPath child) {
    if (child.latin1.startsWith("/") || latin1.isEmpty()) {
      return child;
    }
    if (child.latin1.isEmpty()) {
      return this;
    }
    return new OsPath(latin1.endsWith("/") ? latin1 + child.latin1 : latin1 + "/" + child.latin1);
  }

  public OsPath resolve(String child) {
    return resolve(of(child));
  }

  /** These bytes followed by those of {@code tail}, without a slash between them. */
  public OsPath concat(OsPath tail) {
    return new OsPath(latin1 + tail.latin1);
  }

  /** The last component; the path itself when it has no slash. */
  public OsPath name() {
    int slash = latin1.lastIndexOf('/');
    return slash < 0 ? this : new OsPath(latin1.substring(slash + 1));
  }

  /** All but the last component; the empty path when there is no slash. */
  public OsPath parent() {
    int slash = latin1.lastIndexOf('/');
    return slash < 0 ? new OsPath("") : new OsPath(slash == 0 ? "/" : latin1.substring(0, slash));
  }

  /** Whether this is one name that a directory can hold: no slash, not a dot or two. */
  public boolean isName() {
    return !latin1.isEmpty()
        && latin1.indexOf('/') < 0
        && !latin1.equals(".")
        && !latin1.equals("..");
  }

  public boolean isEmpty() {
    return latin1.isEmpty();
  }

  public boolean isAbsolute() {
    return latin1.startsWith("/");
  }

  /** The components between slashes; empty ones are left out, dots are kept. */
  public java.util.List<OsPath> components() {
    java.util.List<OsPath> parts = new java.util.ArrayList<>();
    for (int start = 0; start < latin1.length(); ) {
      int slash = latin1.indexOf('/', start);
      int end = slash < 0 ? latin1.length() : slash;
      if (end > start) {
        parts.add(new OsPath(latin1.substring(start, end)));
      }
      start = end + 1;
    }
    return parts;
  }

  /** Whether the bytes begin with those of {@code prefix}'s UTF-8 form. */
  public boolean startsWith(String prefix) {
    return latin1.startsWith(isAscii(prefix) ? prefix : of(prefix).latin1);
  }

  /** Whether the bytes begin with those of {@code prefix}. */
  public boolean startsWith(OsPath prefix) {
    return latin1.startsWith(prefix.latin1);
  }

  /** From byte {@code begin} on. */
  public OsPath substring(int begin) {
    return new OsPath(latin1.substring(begin));
  }

  /** Whether the bytes are exactly the UTF-8 form of {@code text}. */
  public boolean is(String text) {
    return latin1.equals(isAscii(text) ? text : of(text).latin1);
  }

  /** The path as a {@link Path}; right only for names in the platform's charset. */
  public Path toPath() {
    return Path.of(toString());
  }

  public boolean isUtf8() {
    if (isAscii(latin1)) {
      return true;
    }
    try {
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes()));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /** Whether text is its own UTF-8 form; nearly all is, and then nothing is made of it. */
  private static boolean isAscii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) >= 0x80) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int compareTo(OsPath other) {
    return latin1.compareTo(other.latin1);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof OsPath p && p.latin1.equals(latin1);
  }

  @Override
  public int hashCode() {
    return latin1.hashCode();
  }

  /** For people: UTF-8, with a replacement character for bytes that are none. */
  @Override
  public String toString() {
    return new String(bytes(), StandardCharsets.UTF_8);
  }
}
