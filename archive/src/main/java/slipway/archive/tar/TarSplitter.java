package slipway.archive.tar;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.TarHeader.Field;
import slipway.linux.posix.OsPath;

/**
 * Takes an archive apart while it streams by: into the content of its files, and all the bytes
 * around it. Put together again in this order they are the archive, byte for byte. Members are
 * those of {@link TarReader}, which reads the same stream and refuses what is damaged; the content
 * of sparse files, which is no file's as it stands, counts as bytes of the archive.
 */
public final class TarSplitter {
  /** Takes the parts, in the archive's order. */
  public interface Parts {
    /** Bytes that are no file's: headers, padding, the end. */
    void archive(byte[] bytes, int offset, int length) throws IOException;

    /**
     * A file begins; as many bytes of content follow.
     *
     * @param name as the archive has it
     * @param size more than 0
     */
    void file(OsPath name, long size) throws IOException;

    /** Bytes of the file that began last. */
    void content(byte[] bytes, int offset, int length) throws IOException;
  }

  private enum State {
    HEADER,
    SPARSE_MAP,
    RECORDS,
    CONTENT,
    /** So many bytes mean nothing. */
    SKIP,
    /** Whatever still comes is behind the last member. */
    END
  }

  private final Parts parts;
  private State state = State.HEADER;
  private long position;

  /** The header, or what follows it as records, as far as it is there. */
  private byte[] block = new byte[TarHeader.BLOCK];

  private int filled;

  /** Bytes of the content, or of what is skipped, that are still to come. */
  private long left;

  private long padding;

  /** The type of the header whose records come. */
  private byte type;

  private PaxRecords pax = new PaxRecords();
  private @Nullable OsPath longName;

  public TarSplitter(Parts parts) {
    this.parts = parts;
  }

  /** Takes the next bytes of the archive. */
  public void feed(byte[] bytes, int offset, int length) throws IOException {
    int at = offset;
    int end = offset + length;
    while (at < end) {
      int taken =
          switch (state) {
            case HEADER, SPARSE_MAP, RECORDS -> collect(bytes, at, end - at);
            case CONTENT, SKIP -> pass(bytes, at, end - at);
            case END -> {
              parts.archive(bytes, at, end - at);
              yield end - at;
            }
          };
      at += taken;
      position += taken;
      settle();
    }
  }

  private int collect(byte[] bytes, int at, int available) throws IOException {
    int n = Math.min(block.length - filled, available);
    System.arraycopy(bytes, at, block, filled, n);
    parts.archive(bytes, at, n);
    filled += n;
    return n;
  }

  private int pass(byte[] bytes, int at, int available) throws IOException {
    int n = (int) Math.min(left, available);
    if (state == State.CONTENT) {
      parts.content(bytes, at, n);
    } else {
      parts.archive(bytes, at, n);
    }
    left -= n;
    return n;
  }

  /** Goes on to what comes next, once a part is complete. */
  private void settle() throws IOException {
    switch (state) {
      case HEADER -> {
        if (filled == block.length) {
          header(new TarHeader(block, position - TarHeader.BLOCK));
        }
      }
      case SPARSE_MAP -> {
        if (filled == block.length) {
          boolean more = block[504] != 0;
          filled = 0;
          if (!more) {
            skip(left, 0);
          }
        }
      }
      case RECORDS -> {
        if (filled == block.length) {
          records();
        }
      }
      case CONTENT -> {
        if (left == 0) {
          skip(padding, 0);
        }
      }
      case SKIP -> {
        if (left == 0) {
          await(State.HEADER, TarHeader.BLOCK);
        }
      }
      case END -> {}
    }
  }

  private void await(State next, int length) {
    state = next;
    block = new byte[length];
    filled = 0;
  }

  private void skip(long bytes, long more) {
    left = bytes + more;
    if (left == 0) {
      await(State.HEADER, TarHeader.BLOCK);
    } else {
      state = State.SKIP;
    }
  }

  private void header(TarHeader header) throws IOException {
    if (TarHeader.isZero(block)) {
      state = State.END;
      return;
    }
    type = header.type();
    switch (type) {
      case 'x', 'X', 'g', 'L', 'K' -> {
        long size = header.number(Field.SIZE);
        if (size < 0 || size > TarReader.MAX_EXTENSION) {
          throw header.corrupt("an extended header of " + size + " bytes; at most 1 MiB is taken");
        }
        padding = TarReader.padded(size) - size;
        await(State.RECORDS, (int) size);
        if (size == 0) {
          records();
        }
      }
      case 'V' -> skip(TarReader.padded(size(header, header.number(Field.SIZE))), 0);
      default -> member(header);
    }
  }

  private static long size(TarHeader header, long size) {
    if (size < 0 || size > Long.MAX_VALUE - 2 * TarHeader.BLOCK) {
      throw header.corrupt("a size is out of range");
    }
    return size;
  }

  private void records() {
    switch (type) {
      case 'x', 'X' -> {
        pax = new PaxRecords();
        pax.parse(block);
      }
      case 'L' -> longName = TarHeader.cString(block, 0, block.length);
      default -> {
        // Global records name no member, and a link's target is no content.
      }
    }
    skip(padding, 0);
  }

  private void member(TarHeader header) throws IOException {
    OsPath told = longName == null ? pax.text("path") : longName;
    OsPath name = told == null ? header.name() : told;
    boolean file =
        type == '0' || type == '7' || type == 'S' || (type == 0 && !TarReader.endsWithSlash(name));
    long size = file ? size(header, pax.number("size", header.number(Field.SIZE))) : 0;
    padding = TarReader.padded(size) - size;
    boolean sparse =
        type == 'S'
            || pax.value("GNU.sparse.major") != null
            || pax.value("GNU.sparse.size") != null;
    pax = new PaxRecords();
    longName = null;
    if (type == 'S' && header.at(482) != 0) {
      // Blocks of the map stand before the content, and are not counted in its size.
      await(State.SPARSE_MAP, TarHeader.BLOCK);
      left = size + padding;
    } else if (sparse || size == 0) {
      skip(size, padding);
    } else {
      parts.file(name, size);
      left = size;
      state = State.CONTENT;
    }
  }
}
