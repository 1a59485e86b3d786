package slipway.host.changes;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;

/**
 * Reads the rows of a table of an SQLite database in memory ("Database File Format" of sqlite.org),
 * with the pages that a write-ahead log has newer. Every page is read once at most, so that a
 * database that leads in circles comes to an end.
 *
 * <pre>
 *  header      100 bytes: magic, page size (16), reserved bytes of each page (20)
 *  page 1      the table of tables: type, name, table, root page, statement
 *  0x05        inner page of a table: cells {page of the left child, last row id}, rightmost child
 *  0x0d        leaf: cells {length, row id, payload, page where it goes on}
 *  payload     length of the header, types of the columns, columns
 * </pre>
 */
final class SqliteTable {
  private static final byte[] MAGIC = "SQLite format 3\0".getBytes(StandardCharsets.ISO_8859_1);
  private static final int HEADER = 100;
  private static final int INNER = 0x05;
  private static final int LEAF = 0x0d;
  private static final int MAX_DEPTH = 40;

  /** Bytes of a row, which is held twice: a package with 200,000 files has some 40 MiB. */
  private static final int MAX_ROW = 64 << 20;

  /** As many as SQLite can have. */
  private static final int MAX_COLUMNS = 32_767;

  private static final int LOG_HEADER = 32;
  private static final int FRAME_HEADER = 24;

  private final String where;
  private final byte[] file;
  private final int pageSize;
  private final int usable;
  private final Map<Integer, ByteBuffer> newer = new HashMap<>();
  private final Set<Integer> seen = new HashSet<>();

  /** Bytes of the rows that were read of a table. */
  private long read;

  private SqliteTable(String where, byte[] file, byte[] log) {
    this.where = where;
    this.file = file;
    if (file.length < HEADER || !Arrays.equals(file, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw corrupt("is no SQLite database", null);
    }
    ByteBuffer header = ByteBuffer.wrap(file);
    int size = header.getShort(16) & 0xffff;
    pageSize = size == 1 ? 65_536 : size;
    usable = pageSize - (file[20] & 0xff);
    if (Integer.bitCount(pageSize) != 1 || pageSize < 512 || usable < 480) {
      throw corrupt("has pages of " + pageSize + " bytes", null);
    }
    readLog(log);
  }

  private Problem corrupt(String what, @Nullable Throwable cause) {
    return new Problem(Problem.Kind.CORRUPT, where + " " + what, cause);
  }

  /**
   * Reads the rows of a table, if there is one of this name.
   *
   * @param where the database is, for messages
   * @param log its write-ahead log; empty when there is none
   * @param each takes the columns of a row: byte arrays, texts as they are stored, and numbers as
   *     {@link Long}; null for what is none of these
   * @throws Problem of kind CORRUPT for a database that cannot be
   */
  static void rows(
      String where, byte[] file, byte[] log, String table, Consumer<List<@Nullable Object>> each) {
    SqliteTable database = new SqliteTable(where, file, log);
    try {
      List<Long> root = new ArrayList<>();
      database.table(
          1,
          row -> {
            if (row.size() >= 4
                && text(row.get(0)).equals("table")
                && text(row.get(1)).equals(table)
                && row.get(3) instanceof Long page) {
              root.add(page);
            }
          });
      if (!root.isEmpty()) {
        database.table(Math.toIntExact(root.getLast()), each);
      }
    } catch (IndexOutOfBoundsException
        | BufferUnderflowException
        | IllegalArgumentException
        | ArithmeticException
        | NegativeArraySizeException e) {
      throw database.corrupt("is damaged", e);
    }
  }

  private static String text(@Nullable Object column) {
    return column instanceof byte[] bytes ? new String(bytes, StandardCharsets.UTF_8) : "";
  }

  // ---- pages ----

  /** A page, from its first byte; the first one has the file's header in front. */
  private ByteBuffer page(int number) {
    ByteBuffer page = newer.get(number);
    if (number < 1 || (page == null && number > file.length / pageSize)) {
      throw corrupt(
          "leads to its page " + Integer.toUnsignedString(number) + ", and has none", null);
    }
    if (!seen.add(number)) {
      throw corrupt("leads to its page " + number + " twice", null);
    }
    return page != null
        ? page
        : ByteBuffer.wrap(file, Math.multiplyExact(number - 1, pageSize), pageSize).slice();
  }

  /**
   * Takes the pages that were committed to the log. It ends at the first frame that does not belong
   * to it, as after a crash or when it was begun anew.
   */
  private void readLog(byte[] log) {
    if (log.length < LOG_HEADER + FRAME_HEADER + pageSize) {
      return;
    }
    ByteBuffer in = ByteBuffer.wrap(log);
    boolean big = (in.getInt(0) & 1) != 0;
    if ((in.getInt(0) & ~1) != 0x377f0682 || in.getInt(8) != pageSize) {
      throw corrupt("has a log that is none of its", null);
    }
    int[] sum = {0, 0};
    add(sum, log, 0, 24, big);
    if (sum[0] != in.getInt(24) || sum[1] != in.getInt(28)) {
      return;
    }
    Map<Integer, ByteBuffer> pending = new HashMap<>();
    for (int at = LOG_HEADER;
        at <= log.length - FRAME_HEADER - pageSize;
        at += FRAME_HEADER + pageSize) {
      add(sum, log, at, 8, big);
      add(sum, log, at + FRAME_HEADER, pageSize, big);
      if (in.getLong(at + 8) != in.getLong(16)
          || sum[0] != in.getInt(at + 16)
          || sum[1] != in.getInt(at + 20)) {
        return;
      }
      pending.put(in.getInt(at), ByteBuffer.wrap(log, at + FRAME_HEADER, pageSize).slice());
      if (in.getInt(at + 4) != 0) {
        newer.putAll(pending);
        pending.clear();
      }
    }
  }

  private static void add(int[] sum, byte[] bytes, int from, int length, boolean big) {
    ByteBuffer in =
        ByteBuffer.wrap(bytes).order(big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    for (int i = from; i < from + length; i += 8) {
      sum[0] += in.getInt(i) + sum[1];
      sum[1] += in.getInt(i + 4) + sum[0];
    }
  }

  // ---- trees ----

  private void table(int root, Consumer<List<@Nullable Object>> each) {
    seen.clear();
    read = 0;
    walk(root, 0, each);
  }

  private void walk(int number, int depth, Consumer<List<@Nullable Object>> each) {
    if (depth > MAX_DEPTH) {
      throw corrupt("is damaged", null);
    }
    ByteBuffer page = page(number);
    int start = number == 1 ? HEADER : 0;
    int kind = page.get(start);
    int cells = page.getShort(start + 3) & 0xffff;
    int pointers = start + (kind == INNER ? 12 : 8);
    for (int i = 0; i < cells; i++) {
      int at = page.getShort(pointers + 2 * i) & 0xffff;
      switch (kind) {
        case INNER -> walk(page.getInt(at), depth + 1, each);
        case LEAF -> each.accept(row(page, at));
        default -> throw corrupt("is damaged: its page " + number + " is no table's", null);
      }
    }
    if (kind == INNER) {
      walk(page.getInt(start + 8), depth + 1, each);
    }
  }

  private List<@Nullable Object> row(ByteBuffer page, int at) {
    ByteBuffer in = page.duplicate().position(at);
    int length = Math.toIntExact(varint(in));
    varint(in); // the row's id
    if (length > MAX_ROW) {
      throw corrupt("has a row of more than " + (MAX_ROW >> 20) + " MiB", null);
    }
    // Rows that lie over one another would be as many bytes as somebody likes.
    read += length;
    if (length < 0 || read > (long) file.length + (long) newer.size() * pageSize) {
      throw corrupt("is damaged: its rows are larger than all of it", null);
    }
    byte[] payload = new byte[length];
    int most = usable - 35;
    int local = length;
    if (length > most) {
      int least = (usable - 12) * 32 / 255 - 23;
      int fit = least + (length - least) % (usable - 4);
      local = fit <= most ? fit : least;
    }
    in.get(payload, 0, Math.min(local, length));
    int next = local < length ? in.getInt() : 0;
    for (int done = local; done < length; ) {
      ByteBuffer more = page(next);
      int n = Math.min(length - done, usable - 4);
      more.get(4, payload, done, n);
      next = more.getInt(0);
      done += n;
    }
    return columns(payload);
  }

  // ---- records ----

  private static List<@Nullable Object> columns(byte[] payload) {
    ByteBuffer types = ByteBuffer.wrap(payload);
    int header = Math.toIntExact(varint(types));
    ByteBuffer values = ByteBuffer.wrap(payload).position(header);
    types.limit(header);
    List<@Nullable Object> columns = new ArrayList<>();
    while (types.hasRemaining()) {
      if (columns.size() == MAX_COLUMNS) {
        throw new IllegalArgumentException("a row has too many columns");
      }
      long type = varint(types);
      if (type >= 12) {
        byte[] bytes = new byte[Math.toIntExact(Math.min((type - 12) / 2, Integer.MAX_VALUE))];
        if (bytes.length > values.remaining()) {
          throw new IndexOutOfBoundsException();
        }
        values.get(bytes);
        columns.add(bytes);
      } else {
        columns.add(number((int) type, values));
      }
    }
    return columns;
  }

  /** Numbers; floating ones are passed over. */
  private static @Nullable Long number(int type, ByteBuffer values) {
    return switch (type) {
      case 0 -> null;
      case 1, 2, 3, 4 -> whole(values, type);
      case 5 -> whole(values, 6);
      case 6 -> values.getLong();
      case 7 -> {
        values.getLong();
        yield null;
      }
      case 8 -> 0L;
      case 9 -> 1L;
      default -> throw new IllegalArgumentException("the type of a column is " + type);
    };
  }

  private static long whole(ByteBuffer values, int bytes) {
    long value = values.get();
    for (int i = 1; i < bytes; i++) {
      value = value << 8 | (values.get() & 0xff);
    }
    return value;
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    for (int i = 0; i < 8; i++) {
      byte b = in.get();
      value = value << 7 | (b & 0x7f);
      if (b >= 0) {
        return value;
      }
    }
    return value << 8 | (in.get() & 0xff);
  }
}
