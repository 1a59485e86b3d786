package slipway.oci;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import slipway.archive.compress.Compression;
import slipway.archive.tar.TarSplitter;
import slipway.linux.posix.OsPath;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.MediaTypes;

/**
 * A layer as zstd:chunked, written from the description of the format: what podman's own writer
 * makes is in the tests of the whole.
 */
public final class ChunkedBlob implements TarSplitter.Parts {
  private static final String PREFIX = "io.github.containers.zstd-chunked.";

  private final int chunk;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream headers = new ByteArrayOutputStream();
  private final ByteArrayOutputStream content = new ByteArrayOutputStream();
  private final List<String> entries = new ArrayList<>();
  private final StringBuilder split = new StringBuilder();
  private final Map<String, byte[]> contents = new HashMap<>();
  private final Map<String, int[]> places = new HashMap<>();
  private String name = "";
  private long left;
  private byte[] bytes = new byte[0];
  private Map<String, String> annotations = Map.of();

  private ChunkedBlob(int chunk) {
    this.chunk = chunk;
  }

  /**
   * Packs a tar.
   *
   * @param tarSplit whether tar-split's part is in it, as newer writers have it
   */
  public static ChunkedBlob of(byte[] tar, boolean tarSplit) throws IOException {
    return of(tar, tarSplit, 64 * 1024, table -> table);
  }

  /**
   * @param chunk bytes of a chunk
   * @param change makes another table of contents
   */
  public static ChunkedBlob of(
      byte[] tar, boolean tarSplit, int chunk, UnaryOperator<String> change) throws IOException {
    ChunkedBlob blob = new ChunkedBlob(chunk);
    new TarSplitter(blob).feed(tar, 0, tar.length);
    blob.finish(tarSplit, change, new byte[0]);
    return blob;
  }

  /**
   * With more in front of what tar-split kept.
   *
   * @param line repeated so often
   */
  public static ChunkedBlob withTarSplit(byte[] tar, String line, int times) throws IOException {
    ByteArrayOutputStream more = new ByteArrayOutputStream();
    byte[] packed = pack(line.getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < times; i++) {
      more.write(packed);
    }
    ChunkedBlob blob = new ChunkedBlob(64 * 1024);
    new TarSplitter(blob).feed(tar, 0, tar.length);
    blob.finish(true, table -> table, more.toByteArray());
    return blob;
  }

  @Override
  public void archive(byte[] buffer, int offset, int length) {
    headers.write(buffer, offset, length);
    split
        .append("{\"type\":2,\"payload\":\"")
        .append(
            Base64.getEncoder().encodeToString(Arrays.copyOfRange(buffer, offset, offset + length)))
        .append("\"}\n");
  }

  @Override
  public void file(OsPath file, long size) throws IOException {
    frame(headers.toByteArray());
    headers.reset();
    name = file.toString();
    left = size;
    split.append("{\"type\":1,\"name\":\"" + name + "\",\"size\":" + size + "}\n");
  }

  @Override
  public void content(byte[] buffer, int offset, int length) throws IOException {
    content.write(buffer, offset, length);
    left -= length;
    if (left == 0) {
      file(content.toByteArray());
      content.reset();
    }
  }

  private void file(byte[] all) throws IOException {
    contents.put(name, all);
    int begin = out.size();
    List<String> fields = new ArrayList<>();
    for (int at = 0; at < all.length; at += chunk) {
      byte[] part = Arrays.copyOfRange(all, at, Math.min(all.length, at + chunk));
      boolean zeros = Arrays.equals(part, new byte[part.length]);
      fields.add(
          "\"offset\":%d,\"chunkOffset\":%d,\"chunkSize\":%d,\"chunkDigest\":\"%s\",\"chunkType\":\"%s\""
              .formatted(out.size(), at, part.length, Digest.sha256(part), zeros ? "zeros" : ""));
      frame(part);
    }
    String first =
        fields.size() > 1 ? fields.getFirst() : "\"offset\":" + begin; // As podman's writer.
    entries.add(
        "{\"type\":\"reg\",\"name\":\"%s\",\"size\":%d,\"digest\":\"%s\",\"endOffset\":%d,%s}"
            .formatted(name, all.length, Digest.sha256(all), out.size(), first));
    for (String more : fields.subList(1, fields.size())) {
      entries.add("{\"type\":\"chunk\",\"name\":\"%s\",%s}".formatted(name, more));
    }
    places.put(name, new int[] {begin, out.size()});
  }

  private void frame(byte[] plain) throws IOException {
    out.write(pack(plain));
  }

  private static byte[] pack(byte[] plain) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (OutputStream zstd = Compression.ZSTD.compress(packed, 1)) {
      zstd.write(plain);
    }
    return packed.toByteArray();
  }

  private void finish(boolean tarSplit, UnaryOperator<String> change, byte[] before)
      throws IOException {
    frame(headers.toByteArray());
    ByteArrayOutputStream splits = new ByteArrayOutputStream();
    splits.write(before);
    splits.write(pack(split.toString().getBytes(StandardCharsets.UTF_8)));
    byte[] packedSplit = splits.toByteArray();
    String table =
        "{\"version\":1,\"entries\":["
            + String.join(",", entries)
            + "]"
            + (tarSplit ? ",\"tarSplitDigest\":\"" + Digest.sha256(packedSplit) + "\"" : "")
            + "}";
    byte[] plain = change.apply(table).getBytes(StandardCharsets.UTF_8);
    byte[] packed = pack(plain);
    annotations = new HashMap<>();
    annotations.put(PREFIX + "manifest-position", position(packed, plain.length) + ":1");
    annotations.put(PREFIX + "manifest-checksum", Digest.sha256(packed).toString());
    skippable(packed);
    if (tarSplit) {
      annotations.put(PREFIX + "tarsplit-position", position(packedSplit, split.length()));
      skippable(packedSplit);
    }
    skippable(new byte[64]);
    bytes = out.toByteArray();
  }

  private String position(byte[] packed, int plain) {
    return (out.size() + 8) + ":" + packed.length + ":" + plain;
  }

  private void skippable(byte[] data) throws IOException {
    out.write(
        ByteBuffer.allocate(8)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(0x184D2A50)
            .putInt(data.length)
            .array());
    out.write(data);
  }

  /** The blob. */
  public byte[] bytes() {
    return bytes;
  }

  /** Its descriptor, with the annotations that say where the table lies. */
  public Descriptor descriptor() {
    return Descriptor.of(MediaTypes.layer(Compression.ZSTD), bytes).withAnnotations(annotations);
  }

  /** Where the packed content of a file lies. */
  public int[] place(String file) {
    return places.get(file);
  }

  /** The contents of files by name. */
  public Map<String, byte[]> contents() {
    return contents;
  }
}
