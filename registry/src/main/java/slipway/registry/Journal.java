package slipway.registry;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.oci.Digest;

/**
 * The file that says which repository holds what: changes, in order. A line is one commit: the
 * CRC-32C of what follows in eight hex digits, a blank, and the changes with semicolons between.
 * The sync at the end of {@link #append} is the commit point. A crash before it leaves at most one
 * broken line at the end, which the next start cuts off; a broken line elsewhere is damage and
 * refused. {@link #rewrite} replaces the file by a shorter one with the same meaning; its rename is
 * the commit point.
 */
final class Journal implements AutoCloseable {
  private static final String HEADER = "slipway-registry-journal 1\n";

  /** Changes in one line of a rewritten journal. */
  private static final int LINE = 1000;

  private final Path path;
  private FileChannel channel;
  private long length;

  /** Whether what is on the disk is unknown. */
  private boolean broken;

  private Journal(Path path, FileChannel channel, long length) {
    this.path = path;
    this.channel = channel;
    this.length = length;
  }

  /**
   * Opens or makes a journal and replays it.
   *
   * @throws Problem of kind CORRUPT when it is damaged
   */
  static Journal open(Path path, Consumer<Change> replay) throws IOException {
    if (!Files.exists(path)) {
      AtomicFile.write(path, HEADER);
    }
    long good;
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 16)) {
      good = replay(path, in, replay);
    }
    FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE);
    if (channel.size() != good) {
      channel.truncate(good);
      channel.force(true);
    }
    return new Journal(path, channel.position(good), good);
  }

  /** The length of what is whole. */
  private static long replay(Path path, InputStream in, Consumer<Change> replay)
      throws IOException {
    Map<String, Digest> digests = new java.util.HashMap<>();
    byte[] header = readLine(in);
    if (header == null || !HEADER.equals(text(header) + "\n")) {
      throw Problem.corrupt(path + " does not begin as a journal of this version does");
    }
    long good = header.length + 1L;
    int number = 1;
    for (byte[] line = readLine(in); line != null; line = readLine(in)) {
      number++;
      String body = body(line);
      if (body == null) {
        if (readLine(in) != null) {
          throw Problem.corrupt(
              path + ":" + number + " is damaged; restore the file or cut it off before that line");
        }
        return good;
      }
      for (String change : body.split(";")) {
        replay.accept(Change.decode(change, digests));
      }
      good += line.length + 1L;
    }
    return good;
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

  /**
   * Adds changes as one commit and makes them durable.
   *
   * @throws IOException when nothing was added; once a sync has failed, always, because what is on
   *     the disk is then unknown
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
    } catch (IOException e) {
      takeBack(e);
      throw e;
    }
    broken = true;
    channel.force(false);
    broken = false;
    length += bytes.limit();
  }

  /** Cuts off half a line, such as a full disk leaves. */
  private void takeBack(IOException cause) {
    try {
      channel.truncate(length);
      channel.position(length);
    } catch (IOException e) {
      broken = true;
      cause.addSuppressed(e);
    }
  }

  /** Replaces all by the changes that {@code snapshot} tells. */
  void rewrite(Consumer<Consumer<List<Change>>> snapshot) throws IOException {
    try (AtomicFile file = AtomicFile.create(path)) {
      OutputStream out = file.out();
      out.write(HEADER.getBytes(StandardCharsets.ISO_8859_1));
      try {
        snapshot.accept(changes -> write(out, changes));
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
      file.commit();
    }
    // From here on the old file has no name; appending to it would be lost.
    broken = true;
    channel.close();
    channel = FileChannel.open(path, StandardOpenOption.WRITE);
    length = channel.size();
    channel.position(length);
    broken = false;
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
