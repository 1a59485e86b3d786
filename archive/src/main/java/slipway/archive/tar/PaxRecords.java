package slipway.archive.tar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata.Xattr;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;

/**
 * The records of an extended header, {@code LENGTH KEYWORD=VALUE\n} each (POSIX.1-2017, pax, "pax
 * Extended Header"). Values are bytes; an empty value takes a record back.
 */
final class PaxRecords {
  static final String SCHILY_XATTR = "SCHILY.xattr.";
  static final String LIBARCHIVE_XATTR = "LIBARCHIVE.xattr.";
  static final String GNU_SPARSE = "GNU.sparse.";

  /** No file system stores more on a file. */
  private static final int MAX_XATTRS = 1024;

  private static final Pattern TIME = Pattern.compile("-?[0-9]{1,18}(\\.[0-9]*)?");

  private static final int MAX_XATTR_NAME = 255;
  private static final int MAX_XATTR_VALUE = 65536;

  private final Map<String, byte[]> values = new HashMap<>();
  private final Map<OsPath, byte[]> xattrs = new LinkedHashMap<>();

  /** Offset and length pairs of the sparse format 0.0, which repeats its keywords. */
  private final List<Long> sparsePairs = new ArrayList<>();

  private int bytes;

  /** Reads records, later ones replacing earlier ones. */
  void parse(byte[] data) {
    bytes += data.length;
    for (int at = 0; at < data.length; ) {
      int space = indexOf(data, (byte) ' ', at, Math.min(data.length, at + 9));
      int length = space < 0 ? -1 : decimal(data, at, space);
      if (length < space - at + 2 || length > data.length - at || data[at + length - 1] != '\n') {
        throw corrupt("an extended header has a record of wrong length");
      }
      int end = at + length - 1;
      int equals = indexOf(data, (byte) '=', space + 1, end);
      if (equals <= space + 1) {
        throw corrupt("an extended header has a record without a keyword");
      }
      put(latin1(data, space + 1, equals), Arrays.copyOfRange(data, equals + 1, end));
      at += length;
    }
  }

  private void put(String key, byte[] value) {
    if (key.startsWith(SCHILY_XATTR)) {
      // GNU tar writes = as %3D and % as %25 in the name.
      String name = key.substring(SCHILY_XATTR.length()).replace("%3D", "=").replace("%25", "%");
      if (name.indexOf(0) >= 0) {
        throw corrupt("an extended attribute's name holds a NUL byte");
      }
      putXattr(OsPath.ofBytes(name.getBytes(StandardCharsets.ISO_8859_1)), value, true);
    } else if (key.startsWith(LIBARCHIVE_XATTR)) {
      try {
        putXattr(
            unescape(key.substring(LIBARCHIVE_XATTR.length())),
            Base64.getDecoder().decode(value),
            false);
      } catch (IllegalArgumentException e) {
        throw corrupt("the extended attribute " + key + " is not base64");
      }
    } else {
      if (key.equals("GNU.sparse.offset") || key.equals("GNU.sparse.numbytes")) {
        sparsePairs.add(number(key, value));
      }
      values.put(key, value);
    }
  }

  private void putXattr(OsPath name, byte[] value, boolean replace) {
    if (name.isEmpty() || name.length() > MAX_XATTR_NAME || value.length > MAX_XATTR_VALUE) {
      throw corrupt("an extended attribute is longer than any file system holds");
    }
    if (xattrs.size() >= MAX_XATTRS) {
      throw corrupt("a member has more than " + MAX_XATTRS + " extended attributes");
    }
    if (replace) {
      xattrs.put(name, value);
    } else {
      xattrs.putIfAbsent(name, value);
    }
  }

  /** Bytes of all headers read, to bound what global headers pile up. */
  int bytes() {
    return bytes;
  }

  /** Whether records say what can only be true of a single member. */
  boolean namesMember() {
    return !xattrs.isEmpty()
        || values.keySet().stream()
            .anyMatch(
                k ->
                    k.equals("path")
                        || k.equals("linkpath")
                        || k.equals("size")
                        || k.startsWith(GNU_SPARSE));
  }

  List<Xattr> xattrs() {
    return xattrs.entrySet().stream().map(e -> new Xattr(e.getKey(), e.getValue())).toList();
  }

  List<Long> sparsePairs() {
    return sparsePairs;
  }

  byte @Nullable [] value(String key) {
    byte[] value = values.get(key);
    return value == null || value.length == 0 ? null : value;
  }

  @Nullable OsPath text(String key) {
    byte[] value = value(key);
    if (value == null) {
      return null;
    }
    if (indexOf(value, (byte) 0, 0, value.length) >= 0) {
      throw corrupt("the keyword " + key + " holds a NUL byte");
    }
    return OsPath.ofBytes(value);
  }

  /** A decimal number without sign; {@code otherwise} when the keyword is not there. */
  long number(String key, long otherwise) {
    byte[] value = value(key);
    return value == null ? otherwise : number(key, value);
  }

  private static long number(String key, byte[] value) {
    try {
      String text = latin1(value, 0, value.length);
      if (!text.isEmpty() && Character.isDigit(text.charAt(0))) {
        return Long.parseLong(text);
      }
    } catch (NumberFormatException e) {
      // Told below.
    }
    throw corrupt("the keyword " + key + " is not a number");
  }

  /**
   * A time as seconds and nanoseconds from an optionally negative decimal fraction, rounded down.
   */
  long @Nullable [] time(String key) {
    byte[] value = value(key);
    if (value == null) {
      return null;
    }
    String text = latin1(value, 0, value.length);
    if (!TIME.matcher(text).matches()) {
      throw corrupt("the keyword " + key + " is not a time");
    }
    int dot = text.indexOf('.');
    long seconds = Long.parseLong(dot < 0 ? text : text.substring(0, dot));
    String fraction = dot < 0 ? "" : text.substring(dot + 1);
    long nanos = Long.parseLong((fraction + "000000000").substring(0, 9));
    if (text.startsWith("-") && nanos > 0) {
      return new long[] {seconds - 1, 1_000_000_000 - nanos};
    }
    return new long[] {seconds, nanos};
  }

  private static OsPath unescape(String text) {
    byte[] out = new byte[text.length()];
    int n = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '%' && i + 2 < text.length() && isHex(text, i + 1)) {
        out[n++] = (byte) Integer.parseInt(text.substring(i + 1, i + 3), 16);
        i += 2;
      } else {
        out[n++] = (byte) c;
      }
    }
    if (indexOf(out, (byte) 0, 0, n) >= 0) {
      throw corrupt("an extended attribute's name holds a NUL byte");
    }
    return OsPath.ofBytes(Arrays.copyOf(out, n));
  }

  private static boolean isHex(String text, int at) {
    return Character.digit(text.charAt(at), 16) >= 0
        && Character.digit(text.charAt(at + 1), 16) >= 0;
  }

  private static int decimal(byte[] data, int from, int to) {
    int value = 0;
    for (int i = from; i < to; i++) {
      if (data[i] < '0' || data[i] > '9') {
        return -1;
      }
      value = value * 10 + data[i] - '0';
    }
    return value;
  }

  private static int indexOf(byte[] data, byte what, int from, int to) {
    for (int i = from; i < to; i++) {
      if (data[i] == what) {
        return i;
      }
    }
    return -1;
  }

  private static String latin1(byte[] data, int from, int to) {
    return new String(data, from, to - from, StandardCharsets.ISO_8859_1);
  }

  private static Problem corrupt(String what) {
    return Problem.corrupt("the tar archive is damaged: " + what);
  }
}
