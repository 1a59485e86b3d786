package slipway.oci.podman;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import slipway.archive.tar.TarSplitter;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.oci.chunked.TarSplitInput;
import slipway.oci.model.Json;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes down, while a layer's tar streams by, how it is put together again from the files that it
 * is unpacked to: what {@link TarSplitInput} and podman's own tools read.
 */
final class TarSplitOutput implements TarSplitter.Parts, AutoCloseable {
  /** No line holds more bytes of the tar, so that readers need not hold more either. */
  private static final int PIECE = 64 * 1024;

  private final OutputStream out;
  private final String where;
  private final byte[] pending = new byte[PIECE];
  private int filled;
  private int position;
  private final Map<OsPath, Long> files = new HashMap<>();

  private OsPath name = OsPath.of("");
  private long size;
  private long left;
  private final Crc64 crc = new Crc64();

  /**
   * @param packed where it is written to; closed with this
   * @param where what to call the layer in a message
   */
  TarSplitOutput(OutputStream packed, String where) throws IOException {
    this.out = new GZIPOutputStream(packed, PIECE);
    this.where = where;
  }

  @Override
  public void archive(byte[] bytes, int offset, int length) throws IOException {
    for (int done = 0; done < length; ) {
      int n = Math.min(length - done, PIECE - filled);
      System.arraycopy(bytes, offset + done, pending, filled, n);
      filled += n;
      done += n;
      if (filled == PIECE) {
        flushPending();
      }
    }
  }

  private void flushPending() throws IOException {
    if (filled > 0) {
      line("{\"type\":2,\"payload\":\"" + base64(ByteBuffer.wrap(pending, 0, filled)) + "\"");
      filled = 0;
    }
  }

  @Override
  public void file(OsPath file, long bytes) throws IOException {
    flushPending();
    OsPath plain = OsPath.of("");
    for (OsPath component : file.components()) {
      if (!component.is(".")) {
        plain = plain.isEmpty() ? component : plain.resolve(component);
      }
    }
    if (files.putIfAbsent(plain, bytes) != null) {
      throw Problem.input(
          where
              + " has the file \""
              + Printable.text(plain.toString())
              + "\" twice, which podman's store cannot hold");
    }
    name = file;
    size = bytes;
    left = bytes;
    crc.reset();
  }

  @Override
  public void content(byte[] bytes, int offset, int length) throws IOException {
    crc.update(bytes, offset, length);
    left -= length;
    if (left == 0) {
      ObjectNode entry = JsonNodeFactory.instance.objectNode();
      entry.put("type", 1);
      if (name.isUtf8()) {
        entry.put("name", name.toString());
      } else {
        entry.put("name_raw", base64(ByteBuffer.wrap(name.bytes())));
      }
      entry.put("size", size);
      entry.put("payload", base64(ByteBuffer.allocate(8).putLong(crc.value()).flip()));
      String json = new String(Json.write(entry), StandardCharsets.UTF_8);
      line(json.substring(0, json.length() - 1));
    }
  }

  /** A line of JSON that lacks its end. */
  private void line(String begin) throws IOException {
    String text = begin + ",\"position\":" + position++ + "}\n";
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String base64(ByteBuffer bytes) {
    return StandardCharsets.ISO_8859_1.decode(Base64.getEncoder().encode(bytes)).toString();
  }

  /**
   * Looks whether the files that were written down are where they will be looked for.
   *
   * @param unpacked the folder of the layer's files, open
   * @throws Problem of kind INPUT for a layer in which one thing takes the place of another
   */
  void check(int unpacked) throws IOException {
    for (Map.Entry<OsPath, Long> file : files.entrySet()) {
      if (!isThere(unpacked, file.getKey(), file.getValue())) {
        throw Problem.input(
            where
                + " replaces its own file \""
                + Printable.text(file.getKey().toString())
                + "\", which podman's store cannot hold");
      }
    }
  }

  private static boolean isThere(int unpacked, OsPath file, long size) throws IOException {
    int fd;
    try {
      fd = Posix.openat2(unpacked, file, Posix.O_PATH | Posix.O_CLOEXEC, 0, Posix.RESOLVE_IN_ROOT);
    } catch (UnixException e) {
      return false;
    }
    try {
      Stat stat = Posix.fstat(fd);
      return stat.isRegular() && stat.size() == size;
    } finally {
      Posix.close(fd);
    }
  }

  /** Writes what is left; the stream below stays open. */
  void finish() throws IOException {
    flushPending();
    ((GZIPOutputStream) out).finish();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  /** The CRC-64 of ISO 3309, bits reversed, as Go's hash/crc64 has it. */
  private static final class Crc64 {
    private static final long POLYNOMIAL = 0xD800000000000000L;
    private static final long[] TABLE = table();

    private long state;

    private static long[] table() {
      long[] table = new long[256];
      for (int i = 0; i < table.length; i++) {
        long value = i;
        for (int bit = 0; bit < 8; bit++) {
          value = (value & 1) != 0 ? value >>> 1 ^ POLYNOMIAL : value >>> 1;
        }
        table[i] = value;
      }
      return table;
    }

    void reset() {
      state = -1;
    }

    void update(byte[] bytes, int offset, int length) {
      long value = state;
      for (int i = offset; i < offset + length; i++) {
        value = TABLE[(int) (value ^ bytes[i]) & 0xff] ^ value >>> 8;
      }
      state = value;
    }

    long value() {
      return ~state;
    }
  }
}
