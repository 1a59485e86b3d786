package slipway.host.changes;

import java.io.IOException;
import java.io.InputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import slipway.base.Problem;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * The installed packages that an image's rpm database lists, read without rpm. It is an SQLite
 * database; the table {@code Packages} has the header of each package, numbers big-endian (rpm's
 * manual, "RPM v4 header format"):
 *
 * <pre>
 *  count, length                        of what follows
 *  count times: tag, type, offset, n    16 bytes each
 *  length bytes                         the values, texts ending with NUL
 * </pre>
 */
final class RpmDatabase {
  /** Where rpm has it on image based systems, by itself, and where rpm-ostree's link leads. */
  private static final List<String> PLACES =
      List.of("usr/lib/sysimage/rpm", "usr/share/rpm", "var/lib/rpm");

  private static final String FILE = "/rpmdb.sqlite";
  private static final String LOG = "/rpmdb.sqlite-wal";

  /** File and log together; Fedora's desktops have some forty MiB. */
  private static final long LARGEST = 128L << 20;

  /** Bytes of a name or version. */
  private static final int MAX_TEXT = 64 * 1024;

  private static final int NAME = 1000;
  private static final int VERSION = 1001;
  private static final int RELEASE = 1002;
  private static final int EPOCH = 1003;
  private static final int ARCHITECTURE = 1022;

  private static final int INT32 = 4;
  private static final int STRING = 6;
  private static final int I18NSTRING = 9;
  private static final int ENTRY = 16;

  private RpmDatabase() {}

  record Installed(String name, String version, String architecture) {}

  /**
   * Versions by name. A package of another architecture than most has it behind its name; several
   * versions of one, as of kernels, stand side by side.
   *
   * @throws Problem of kind CORRUPT for a database that is damaged
   */
  static SortedMap<String, String> read(FileTree tree) throws IOException {
    for (String place : PLACES) {
      byte[] file = bytes(tree, place + FILE, LARGEST);
      if (file.length > 0) {
        byte[] log = bytes(tree, place + LOG, LARGEST - file.length);
        return read("the image's /" + place + FILE, file, log);
      }
    }
    return new TreeMap<>();
  }

  private static byte[] bytes(FileTree tree, String path, long most) throws IOException {
    if (!(tree.find(path).orElse(null) instanceof Node.File file)) {
      return new byte[0];
    }
    if (file.content().size() > most) {
      throw Problem.corrupt("the image's /" + path + " has more than 128 MiB, with its log");
    }
    try (InputStream in = file.content().open()) {
      return in.readNBytes((int) most);
    }
  }

  static SortedMap<String, String> read(String where, byte[] file, byte[] log) {
    List<Installed> packages = new ArrayList<>();
    SqliteTable.rows(
        where,
        file,
        log,
        "Packages",
        row -> {
          if (row.size() < 2 || !(row.get(1) instanceof byte[] header)) {
            throw Problem.corrupt(where + " has a package without a header");
          }
          packages.add(parse(where, header));
        });
    String usual = usual(packages);
    Map<String, TreeSet<String>> versions = new HashMap<>();
    for (Installed p : packages) {
      boolean other =
          !p.architecture.isEmpty()
              && !p.architecture.equals("noarch")
              && !p.architecture.equals(usual);
      versions
          .computeIfAbsent(other ? p.name + "." + p.architecture : p.name, n -> new TreeSet<>())
          .add(p.version);
    }
    SortedMap<String, String> joined = new TreeMap<>();
    versions.forEach((name, all) -> joined.put(name, String.join(", ", all)));
    return joined;
  }

  /** The architecture that most packages have. */
  private static String usual(List<Installed> packages) {
    Map<String, Integer> counts = new TreeMap<>();
    packages.stream()
        .map(Installed::architecture)
        .filter(a -> !a.isEmpty() && !a.equals("noarch"))
        .forEach(a -> counts.merge(a, 1, Integer::sum));
    return counts.isEmpty()
        ? ""
        : Collections.max(counts.entrySet(), Map.Entry.comparingByValue()).getKey();
  }

  static Installed parse(String where, byte[] bytes) {
    try {
      Map<Integer, String> values = values(ByteBuffer.wrap(bytes));
      String name = values.getOrDefault(NAME, "");
      if (name.isEmpty()) {
        throw Problem.corrupt(where + " has a package without a name");
      }
      String epoch = values.get(EPOCH);
      String release = values.get(RELEASE);
      return new Installed(
          name,
          (epoch == null ? "" : epoch + ":")
              + values.getOrDefault(VERSION, "")
              + (release == null ? "" : "-" + release),
          values.getOrDefault(ARCHITECTURE, ""));
    } catch (IndexOutOfBoundsException | BufferUnderflowException | IllegalArgumentException e) {
      throw new Problem(Problem.Kind.CORRUPT, where + " has a damaged header of a package", e);
    }
  }

  private static Map<Integer, String> values(ByteBuffer header) {
    int count = header.getInt();
    int length = header.getInt();
    if (count < 0 || count > header.remaining() / ENTRY) {
      throw new IllegalArgumentException("the header has " + count + " entries");
    }
    ByteBuffer data = header.slice(header.position() + count * ENTRY, length);
    Map<Integer, String> values = new HashMap<>();
    for (int i = 0; i < count; i++) {
      int tag = header.getInt();
      int type = header.getInt();
      int offset = header.getInt();
      header.getInt(); // how many
      switch (tag) {
        case NAME, VERSION, RELEASE, ARCHITECTURE -> {
          if ((type == STRING || type == I18NSTRING) && !values.containsKey(tag)) {
            values.put(tag, text(data, offset));
          }
        }
        case EPOCH -> {
          if (type == INT32) {
            values.put(tag, Integer.toUnsignedString(data.getInt(offset)));
          }
        }
        default -> {}
      }
    }
    return values;
  }

  private static String text(ByteBuffer data, int offset) {
    int end = offset;
    while (data.get(end) != 0) {
      if (++end - offset > MAX_TEXT) {
        throw new IllegalArgumentException("a text of the header has no end");
      }
    }
    byte[] bytes = new byte[end - offset];
    data.get(offset, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
