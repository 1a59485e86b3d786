package slipway.registry.catalog;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.oci.model.Digest;
import slipway.registry.blobs.StoreId;

/**
 * The file that says which repository holds what: changes, in order. The first line names the
 * version and the id of the registry, which {@code blobs/id} names too. Each other line is one
 * commit: the CRC-32C of what follows in eight hex digits, a blank, and the changes with semicolons
 * between. The sync at the end of {@link #append} is the commit point. A crash before it leaves at
 * most one torn line at the end, which the next start moves into a file of its own; a broken line
 * elsewhere is damage and refused. {@link #rewrite} replaces the file by a shorter one with the
 * same meaning; its rename is the commit point. Version 1 had no id.
 */
final class Journal implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("slipway.registry");
  private static final String NAME = "journal";
  private static final String FIRST = "slipway-registry-journal 1";
  private static final String SECOND = "slipway-registry-journal 2 ";

  /** Names of torn lines that were set aside, and how many of them, the newest, stay. */
  private static final String CUTS = NAME + ".cut-*";

  private static final int CUTS_KEPT = 10;

  /** Changes in one line of a rewritten journal. */
  private static final int LINE = 1000;

  private final Path path;
  private @Nullable String id;
  private FileChannel channel;
  private long length;

  /** Whether what is on the disk is unknown. */
  private boolean broken;

  private Journal(Path path, @Nullable String id, FileChannel channel, long length) {
    this.path = path;
    this.id = id;
    this.channel = channel;
    this.length = length;
  }

  /** The journal of the registry below a directory. */
  static Path path(Path root) {
    return root.resolve(NAME);
  }

  /** Makes an empty journal. */
  static void create(Path path, String id) throws IOException {
    write(path, id, sink -> {});
  }

  /**
   * Opens a journal and replays it.
   *
   * @throws Problem of kind CORRUPT when it is damaged
   */
  public static Journal open(Path path, Consumer<Change> replay) throws IOException {
    Reader reader = new Reader(path, replay);
    reader.read(
        (number, line) -> {
          throw Problem.corrupt(
              path + ":" + number + " is damaged; nothing was changed; " + advice(path));
        });
    FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE);
    if (channel.size() != reader.good) {
      setTailAside(path, reader.good);
      channel.truncate(reader.good);
      channel.force(true);
    }
    return new Journal(path, reader.id, channel.position(reader.good), reader.good);
  }

  private static String advice(Path path) {
    return StoreId.repair(Objects.requireNonNull(path.toAbsolutePath().getParent()));
  }

  private static void setTailAside(Path path, long good) throws IOException {
    removeOldCuts(path);
    Path aside = unused(path, "cut");
    try (FileChannel in = FileChannel.open(path).position(good);
        AtomicFile out = AtomicFile.create(aside, "rw-------")) {
      Channels.newInputStream(in).transferTo(out.out());
      out.commit();
    }
    LOG.log(
        Level.WARNING,
        "the last line of {0} is not whole, as after a power cut; it was moved to {1}",
        path,
        aside);
  }

  /** What they hold was never confirmed to anybody. */
  private static void removeOldCuts(Path path) throws IOException {
    List<Path> cuts = new ArrayList<>();
    Path folder = Objects.requireNonNull(path.toAbsolutePath().getParent());
    try (DirectoryStream<Path> list = Files.newDirectoryStream(folder, CUTS)) {
      list.forEach(cuts::add);
    }
    Map<Path, FileTime> times = new HashMap<>();
    for (Path cut : cuts) {
      times.put(cut, Files.getLastModifiedTime(cut));
    }
    cuts.sort(Comparator.<Path, FileTime>comparing(times::get).reversed());
    for (int i = CUTS_KEPT - 1; i < cuts.size(); i++) {
      Files.delete(cuts.get(i));
    }
  }

  /** A name beside the journal that is not taken. */
  static Path unused(Path path, String suffix) {
    for (int i = 1; ; i++) {
      Path candidate = path.resolveSibling(path.getFileName() + "." + suffix + "-" + i);
      if (!Files.exists(candidate)) {
        return candidate;
      }
    }
  }

  /**
   * Replays what is whole in a journal that may be damaged, and leaves the file as it is.
   *
   * @return the lines that are not whole, and the id when that can be read
   */
  static Salvage salvage(Path path, Consumer<Change> replay) throws IOException {
    Reader reader = new Reader(path, replay);
    int[] damaged = new int[1];
    reader.read((number, line) -> damaged[0]++);
    return new Salvage(reader.id, damaged[0] + (Files.size(path) == reader.end ? 0 : 1));
  }

  record Salvage(@Nullable String id, int damagedLines) {}

  /** Told of each line that is broken and not the torn end. */
  private interface Damage {
    void at(int number, byte[] line);
  }

  private static final class Reader {
    private final Path path;
    private final Consumer<Change> replay;
    private final Map<String, Digest> digests = new HashMap<>();
    private @Nullable String id;

    /** Length of the whole lines at the beginning. */
    private long good;

    /** Length of all lines that have an end. */
    private long end;

    Reader(Path path, Consumer<Change> replay) {
      this.path = path;
      this.replay = replay;
    }

    void read(Damage damage) throws IOException {
      try (InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 16)) {
        byte[] first = readLine(in);
        header(first == null ? "" : text(first), damage);
        good = end = first == null ? 0 : first.length + 1L;
        int number = 1;
        byte[] next = readLine(in);
        while (next != null) {
          byte[] line = next;
          number++;
          next = readLine(in);
          end += line.length + 1L;
          String body = body(line);
          if (body != null) {
            for (String change : body.split(";")) {
              replay.accept(Change.decode(change, digests));
            }
            good = end;
          } else if (next != null || !isTorn(line)) {
            damage.at(number, line);
          }
        }
      }
    }

    private void header(String text, Damage damage) {
      if (text.startsWith(SECOND) && StoreId.isId(text.substring(SECOND.length()))) {
        id = text.substring(SECOND.length());
      } else if (text.matches("slipway-registry-journal [1-9][0-9]*( .*)?")
          && !text.startsWith(SECOND)
          && !text.equals(FIRST)) {
        throw Problem.corrupt(path + " was written by a newer version; use that one");
      } else if (!text.equals(FIRST)) {
        damage.at(1, new byte[0]);
      }
    }
  }

  /** Blocks that a power cut kept from the disk read as zeros; nobody else writes them. */
  private static boolean isTorn(byte[] line) {
    for (byte b : line) {
      if (b == 0) {
        return true;
      }
    }
    return false;
  }

  /** A line without its end, or null when none is left that has one. */
  private static byte @Nullable [] readLine(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream(256);
    for (int c = in.read(); c >= 0; c = in.read()) {
      if (c == '\n') {
        return line.toByteArray();
      }
      line.write(c);
    }
    return null;
  }

  private static @Nullable String body(byte[] line) {
    if (line.length < 10 || line[8] != ' ') {
      return null;
    }
    CRC32C crc = new CRC32C();
    crc.update(line, 9, line.length - 9);
    String expected = HexFormat.of().toHexDigits((int) crc.getValue());
    return expected.equals(text(line).substring(0, 8)) ? text(line).substring(9) : null;
  }

  private static String text(byte[] line) {
    return new String(line, StandardCharsets.ISO_8859_1);
  }

  private static byte[] line(List<Change> changes) {
    String body = String.join(";", changes.stream().map(Change::encode).toList());
    byte[] bytes = ("00000000 " + body + "\n").getBytes(StandardCharsets.ISO_8859_1);
    CRC32C crc = new CRC32C();
    crc.update(bytes, 9, bytes.length - 10);
    byte[] hex =
        HexFormat.of().toHexDigits((int) crc.getValue()).getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(hex, 0, bytes, 0, 8);
    return bytes;
  }

  /** Bytes in the file. */
  long length() {
    return length;
  }

  /** The id of the registry; null in a journal of version 1 until it is rewritten. */
  @Nullable String id() {
    return id;
  }

  /** Whether it is unknown what is on the disk, so that nothing more can be added. */
  boolean isBroken() {
    return broken;
  }

  /**
   * Adds changes as one commit and makes them durable.
   *
   * @throws IOException when nothing was added, or when {@link #isBroken}, because what is on the
   *     disk is then unknown
   */
  void append(List<Change> changes) throws IOException {
    if (broken) {
      throw new IOException(path + " could not be written; restart once the disk is well");
    }
    ByteBuffer bytes = ByteBuffer.wrap(line(changes));
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException | RuntimeException | Error e) {
      takeBack(e);
      throw e;
    }
    broken = true;
    channel.force(false);
    broken = false;
    length += bytes.limit();
  }

  /** Cuts off half a line, such as a full disk leaves. */
  private void takeBack(Throwable cause) {
    broken = true;
    try {
      channel.truncate(length);
      channel.position(length);
      broken = false;
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  /** How a finished file gets its name. */
  @FunctionalInterface
  interface Commit {
    void commit(AtomicFile file) throws IOException;
  }

  /**
   * Replaces all by the changes that {@code snapshot} tells.
   *
   * @param newId of the registry
   * @throws IOException when all is as it was and can go on, or when {@link #isBroken}, because a
   *     power cut may bring back the old file and so take what would be added to the new one
   */
  void rewrite(String newId, Consumer<Consumer<List<Change>>> snapshot) throws IOException {
    rewrite(newId, snapshot, AtomicFile::commit);
  }

  /** As above, with the rename. */
  void rewrite(String newId, Consumer<Consumer<List<Change>>> snapshot, Commit commit)
      throws IOException {
    try (AtomicFile file = AtomicFile.create(path)) {
      fill(file.out(), newId, snapshot);
      file.out().flush();
      // Opened under its first name: behind the rename nothing may fail any more.
      FileChannel next = FileChannel.open(file.temporary(), StandardOpenOption.WRITE);
      try {
        long end = next.size();
        next.position(end);
        commit.commit(file);
        goOnWith(next, end, newId);
      } catch (AtomicFile.NotSynced e) {
        broken = true;
        goOnWith(next, next.position(), newId);
        throw e;
      } catch (IOException | RuntimeException | Error e) {
        next.close();
        throw e;
      }
    }
  }

  private void goOnWith(FileChannel next, long end, String newId) {
    FileChannel old = channel;
    channel = next;
    length = end;
    id = newId;
    try {
      old.close();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "cannot close the old journal", e); // it has no name any more
    }
  }

  /** Writes a journal whole, in place of the one there is. */
  static void write(Path path, String id, Consumer<Consumer<List<Change>>> snapshot)
      throws IOException {
    try (AtomicFile file = AtomicFile.create(path)) {
      fill(file.out(), id, snapshot);
      file.commit();
    }
  }

  private static void fill(OutputStream out, String id, Consumer<Consumer<List<Change>>> snapshot)
      throws IOException {
    out.write((SECOND + id + "\n").getBytes(StandardCharsets.ISO_8859_1));
    try {
      snapshot.accept(changes -> write(out, changes));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static void write(OutputStream out, List<Change> changes) {
    try {
      for (int i = 0; i < changes.size(); i += LINE) {
        out.write(line(new ArrayList<>(changes.subList(i, Math.min(changes.size(), i + LINE)))));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
