package slipway.archive.compress;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import slipway.base.BlockInput;
import slipway.base.Problem;

/**
 * Decompresses gzip (RFC 1952). Unlike the JDK's it never takes "nothing to read just now" for the
 * end: all members are read up to the end of the source, checked, and zero padding is allowed after
 * the last.
 */
final class GzipInputStream extends BlockInput {
  private static final int FHCRC = 2;
  private static final int FEXTRA = 4;
  private static final int FNAME = 8;
  private static final int FCOMMENT = 16;
  private static final int RESERVED = 0xe0;
  private static final int MAX_HEADER_TEXT = 64 * 1024;

  private final InputStream in;
  private final byte[] buffer = new byte[64 * 1024];
  private final Inflater inflater = new Inflater(true);
  private final CRC32 crc = new CRC32();
  private int position;
  private int limit;
  private long length;
  private boolean member;
  private boolean first = true;
  private boolean end;

  GzipInputStream(InputStream in) {
    this.in = in;
  }

  @Override
  public int read(byte[] target, int offset, int count) throws IOException {
    if (count == 0) {
      return 0;
    }
    while (!end) {
      if (!member && !header()) {
        end = true;
        break;
      }
      int n = inflate(target, offset, count);
      if (n > 0) {
        crc.update(target, offset, n);
        length += n;
        return n;
      }
      if (inflater.finished()) {
        trailer();
      } else if (inflater.needsInput()) {
        feed();
      } else {
        throw damaged("it needs a dictionary");
      }
    }
    return -1;
  }

  private int inflate(byte[] target, int offset, int count) {
    try {
      return inflater.inflate(target, offset, count);
    } catch (DataFormatException e) {
      throw new Problem(Problem.Kind.CORRUPT, "the gzip data is damaged: " + e.getMessage(), e);
    }
  }

  private void feed() throws IOException {
    if (!fill()) {
      throw damaged("it ends in the middle");
    }
    inflater.setInput(buffer, position, limit - position);
    position = limit;
  }

  private boolean fill() throws IOException {
    if (position < limit) {
      return true;
    }
    int n = in.read(buffer, 0, buffer.length);
    position = 0;
    limit = Math.max(n, 0);
    return n > 0;
  }

  private int next() throws IOException {
    if (!fill()) {
      throw new EOFException();
    }
    return buffer[position++] & 0xff;
  }

  /** Begins the next member; false at the end of the source. */
  private boolean header() throws IOException {
    if (!first && !skipPadding()) {
      return false;
    }
    try {
      if (next() != 0x1f || next() != 0x8b || next() != 8) {
        throw damaged(first ? "it is not gzip" : "there is something else after it");
      }
      int flags = next();
      if ((flags & RESERVED) != 0) {
        throw damaged("its header has unknown flags");
      }
      for (int i = 0; i < 6; i++) {
        next();
      }
      skipOptional(flags);
    } catch (EOFException e) {
      throw damaged("it ends in its header");
    }
    first = false;
    member = true;
    inflater.reset();
    crc.reset();
    length = 0;
    return true;
  }

  private boolean skipPadding() throws IOException {
    while (fill()) {
      if (buffer[position] != 0) {
        return true;
      }
      position++;
    }
    return false;
  }

  private void skipOptional(int flags) throws IOException {
    if ((flags & FEXTRA) != 0) {
      int extra = next() | next() << 8;
      for (int i = 0; i < extra; i++) {
        next();
      }
    }
    if ((flags & FNAME) != 0) {
      skipText();
    }
    if ((flags & FCOMMENT) != 0) {
      skipText();
    }
    if ((flags & FHCRC) != 0) {
      next();
      next();
    }
  }

  private void skipText() throws IOException {
    for (int i = 0; next() != 0; i++) {
      if (i > MAX_HEADER_TEXT) {
        throw damaged("its header does not end");
      }
    }
  }

  private void trailer() throws IOException {
    position = limit - inflater.getRemaining();
    try {
      long sum = word();
      long size = word();
      if (sum != crc.getValue() || size != (length & 0xffffffffL)) {
        throw damaged("its checksum does not fit");
      }
    } catch (EOFException e) {
      throw damaged("it ends in its trailer");
    }
    member = false;
  }

  private long word() throws IOException {
    return next() | next() << 8 | next() << 16 | (long) next() << 24;
  }

  private static Problem damaged(String why) {
    return Problem.corrupt("the gzip data is damaged: " + why);
  }

  @Override
  public void close() throws IOException {
    end = true;
    inflater.end();
    in.close();
  }
}
