package slipway.oci.registry;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.copy.Span;

/**
 * The parts of an answer {@code multipart/byteranges} (RFC 9110 section 14.6). How long a part is
 * its Content-Range says, so that it may hold what looks like a boundary.
 */
final class MultipartBody {
  private static final Pattern BOUNDARY =
      Pattern.compile(
          "(?i)multipart/byteranges\\s*;.*?boundary=(\"[^\"]{1,200}\"|[^\\s;\"]{1,200}).*");
  private static final Pattern RANGE =
      Pattern.compile("bytes ([0-9]{1,18})-([0-9]{1,18})/(?:[0-9]{1,18}|\\*)");

  /** Bytes of a line, and lines of a head. */
  private static final int MAX_LINE = 4096;

  private static final int MAX_LINES = 64;

  private final InputStream in;
  private final String delimiter;
  private final String action;

  private MultipartBody(InputStream in, String delimiter, String action) {
    this.in = in;
    this.delimiter = delimiter;
    this.action = action;
  }

  /**
   * Looks whether an answer is one.
   *
   * @param in its body; single bytes are read of it
   */
  static Optional<MultipartBody> of(String contentType, InputStream in, String action) {
    Matcher type = BOUNDARY.matcher(contentType);
    return type.matches()
        ? Optional.of(new MultipartBody(in, "--" + type.group(1).replace("\"", ""), action))
        : Optional.empty();
  }

  /**
   * Reads the head of the next part. The bytes of the one before must have been read.
   *
   * @return what follows in the body, or null at the end
   * @throws Problem of kind CORRUPT for what is no such body
   */
  @Nullable Span next() throws IOException {
    for (int lines = 0; lines < MAX_LINES; lines++) {
      String line = line();
      if (line.equals(delimiter)) {
        return head();
      }
      if (line.equals(delimiter + "--")) {
        return null;
      }
    }
    throw broken();
  }

  private Span head() throws IOException {
    Span span = null;
    for (int lines = 0; lines < MAX_LINES; lines++) {
      String line = line();
      if (line.isEmpty()) {
        if (span == null) {
          throw broken();
        }
        return span;
      }
      int colon = line.indexOf(':');
      if (colon > 0 && line.substring(0, colon).strip().equalsIgnoreCase("Content-Range")) {
        span = range(line.substring(colon + 1).strip()).orElseThrow(this::broken);
      }
    }
    throw broken();
  }

  /** What a Content-Range tells, unless it tells nothing that can be. */
  static Optional<Span> range(String text) {
    Matcher range = RANGE.matcher(text);
    if (!range.matches()) {
      return Optional.empty();
    }
    long first = Long.parseLong(range.group(1));
    long last = Long.parseLong(range.group(2));
    return last < first ? Optional.empty() : Optional.of(new Span(first, last + 1));
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    while (line.length() <= MAX_LINE) {
      int b = in.read();
      if (b < 0) {
        throw new EOFException("the answer ended within its parts");
      }
      if (b == '\n') {
        return line.toString().stripTrailing();
      }
      line.append((char) b);
    }
    throw broken();
  }

  private Problem broken() {
    return Problem.corrupt("cannot " + action + ": the registry sent parts that are none");
  }
}
