package slipway.oci.chunked;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import slipway.base.BlockInput;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.oci.model.Json;
import tools.jackson.databind.JsonNode;

/**
 * The tar of a layer, put together again from its files and from what tar-split kept of it
 * (github.com/vbatts/tar-split, tar/storage). Nothing is checked here but that the parts are there:
 * whoever reads it knows the digest.
 */
public final class TarSplitInput extends BlockInput {
  private static final int SEGMENT = 2;
  private static final int FILE = 1;

  private static final int BUFFER = 64 * 1024;

  private final InputStream unpacked;
  private final byte[] buffer = new byte[BUFFER];
  private int begin;
  private int end;

  private final Contents files;
  private final String where;
  private InputStream part = InputStream.nullInputStream();
  private boolean closed;

  /** Bytes that the part still has to give. */
  private long left;

  private String file = "";
  private long entries;

  /** The contents of a layer's files. */
  public interface Contents extends AutoCloseable {
    /**
     * Opens one.
     *
     * @param name as the tar has it
     * @param size bytes that are read of it, at least one
     */
    InputStream open(OsPath name, long size) throws IOException;

    @Override
    default void close() throws IOException {}
  }

  /**
   * @param unpacked what tar-split kept, a JSON object a line; closed with this
   * @param files the layer's files; closed with this
   * @param where what to call the layer in a message
   */
  public TarSplitInput(InputStream unpacked, Contents files, String where) {
    this.unpacked = unpacked;
    this.files = files;
    this.where = where;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (left == 0) {
      if (!next()) {
        return -1;
      }
    }
    int n = part.read(bytes, offset, (int) Math.min(length, left));
    if (n < 0) {
      throw Problem.corrupt(
          where + ": " + Printable.text(file) + " is " + left + " bytes shorter than in the layer");
    }
    left -= n;
    return n;
  }

  private boolean next() throws IOException {
    part.close();
    part = InputStream.nullInputStream();
    byte[] line = line();
    if (line.length == 0) {
      return false;
    }
    // A file is told by two lines at least: its header, itself.
    Limit.LAYER_ENTRIES.check(++entries / 2, where);
    JsonNode entry = Json.read(line, "tar-split of " + where);
    switch (entry.path("type").asInt(0)) {
      case SEGMENT -> segment(entry);
      case FILE -> file(entry);
      default -> throw Problem.corrupt(where + ": its tar-split has an entry of an unknown type");
    }
    return true;
  }

  private byte[] line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    while (true) {
      if (begin == end) {
        begin = 0;
        end = Math.max(0, unpacked.read(buffer, 0, buffer.length));
        if (end == 0) {
          return line.toByteArray();
        }
      }
      int stop = begin;
      while (stop < end && buffer[stop] != '\n') {
        stop++;
      }
      line.write(buffer, begin, stop - begin);
      if (line.size() > Limit.SMALL_FILE_BYTES.value()) {
        throw Limit.SMALL_FILE_BYTES.exceeded("a line of the tar-split of " + where);
      }
      begin = stop;
      if (stop < end) {
        begin++;
        return line.toByteArray();
      }
    }
  }

  private void segment(JsonNode entry) {
    byte[] bytes = base64(entry, "payload");
    part = new ByteArrayInputStream(bytes);
    left = bytes.length;
  }

  private void file(JsonNode entry) throws IOException {
    left = entry.path("size").asLong(0);
    if (left < 0) {
      throw Problem.corrupt(where + ": its tar-split has a file of less than nothing");
    }
    if (left == 0) {
      return;
    }
    OsPath name =
        entry.has("name_raw")
            ? OsPath.ofBytes(base64(entry, "name_raw"))
            : OsPath.of(entry.path("name").asString(""));
    file = name.toString();
    part = files.open(name, left);
  }

  private byte[] base64(JsonNode entry, String key) {
    try {
      return Base64.getDecoder().decode(entry.path(key).asString(""));
    } catch (IllegalArgumentException e) {
      throw Problem.corrupt(where + ": " + key + " of its tar-split is not base64");
    }
  }

  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    // A stream may be closed twice, a descriptor below it not: it may be another file's by then.
    closed = true;
    try (files;
        unpacked) {
      part.close();
    }
  }
}
