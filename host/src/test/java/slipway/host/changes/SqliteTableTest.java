package slipway.host.changes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;

/** Databases that no SQLite writes. */
class SqliteTableTest {
  private static final int PAGE = 4096;
  private static final byte[] NO_LOG = new byte[0];

  /** A first page with the table T, whose root is a page of this number, and a second page. */
  private static ByteBuffer database(int root) {
    ByteBuffer file = ByteBuffer.allocate(2 * PAGE);
    file.put(0, "SQLite format 3\0".getBytes(StandardCharsets.ISO_8859_1));
    file.putShort(16, (short) PAGE);
    leaf(file, 100, 1);
    file.putShort(108, (short) 1000);
    // Length, row id; the length of the types: table, T, T, 4 bytes, a text of none.
    file.put(1000, new byte[] {17, 1, 6, 23, 15, 15, 4, 13});
    file.put(1008, "tableTT".getBytes(StandardCharsets.ISO_8859_1));
    file.putInt(1015, root);
    return file;
  }

  private static void leaf(ByteBuffer file, int at, int cells) {
    file.put(at, (byte) 0x0d);
    file.putShort(at + 3, (short) cells);
  }

  private static List<Object> rows(ByteBuffer file) {
    List<Object> found = new ArrayList<>();
    SqliteTable.rows("db", file.array(), NO_LOG, "T", found::add);
    return found;
  }

  /** Two rows of some bytes, then many that are one. */
  @Test
  void rowsDoNotLieOverOneAnother() {
    ByteBuffer file = database(2);
    leaf(file, PAGE, 1);
    file.putShort(PAGE + 8, (short) 2000);
    file.put(PAGE + 2000, new byte[] {(byte) 0x87, 0x68, 1, 3, (byte) 0x8f, 0x56});
    assertThat(rows(file)).hasSize(1);
    leaf(file, PAGE, 900);
    for (int i = 0; i < 900; i++) {
      file.putShort(PAGE + 8 + 2 * i, (short) 2000);
    }
    assertThatThrownBy(() -> rows(file))
        .isInstanceOf(Problem.class)
        .hasMessage("db is damaged: its rows are larger than all of it");
  }

  /** It is held twice beside the file, and four texts of it may be one. */
  @Test
  void aRowAndATextAreBounded() {
    ByteBuffer file = ByteBuffer.allocate(65 << 20);
    file.put(database(2).array(), 0, 2 * PAGE);
    leaf(file, PAGE, 1);
    file.putShort(PAGE + 8, (short) 2000);
    // 64 MiB and one byte.
    file.put(PAGE + 2000, new byte[] {(byte) 0xa0, (byte) 0x80, (byte) 0x80, 1, 1, 3, 0, 0});
    assertThatThrownBy(() -> rows(file))
        .isInstanceOf(Problem.class)
        .hasMessage("db has a row of more than 64 MiB");
    ByteBuffer header = ByteBuffer.allocate(8 + 16 + 70_000);
    header.putInt(1).putInt(70_000).putInt(1000).putInt(6).putInt(0).putInt(1);
    Arrays.fill(header.array(), 24, header.capacity() - 1, (byte) 'x');
    assertThatThrownBy(() -> RpmDatabase.parse("db", header.array()))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("damaged header");
  }

  @Test
  void pagesThatAreNotThereAreNotNoted() {
    for (int root : new int[] {3, 0x7fffffff}) {
      assertThatThrownBy(() -> rows(database(root)))
          .isInstanceOf(Problem.class)
          .hasMessage("db leads to its page " + root + ", and has none");
    }
  }

  /** A tag that stands there once more is not read again. */
  @Test
  void theFirstNameCounts() {
    byte[] values = "one\0two\0".getBytes(StandardCharsets.ISO_8859_1);
    ByteBuffer header = ByteBuffer.allocate(8 + 2 * 16 + values.length);
    header.putInt(2).putInt(values.length);
    for (int offset : new int[] {0, 4}) {
      header.putInt(1000).putInt(6).putInt(offset).putInt(1);
    }
    header.put(values);
    assertThat(RpmDatabase.parse("db", header.array()).name()).isEqualTo("one");
    byte[] without = Arrays.copyOf(header.array(), 39);
    assertThatThrownBy(() -> RpmDatabase.parse("db", without))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("damaged header");
  }
}
