package slipway.tree;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.TarHeaderWriter;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;

/** Makes archives member by member, sound ones and broken ones. */
final class TarMaker {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final TarHeaderWriter headers = new TarHeaderWriter(out);

  private TarMaker add(String name, char type, Metadata metadata, byte[] content, String link) {
    try {
      headers.write(OsPath.of(name), type, metadata, content.length, OsPath.of(link), 0);
      out.writeBytes(content);
      headers.pad(content.length);
      return this;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  TarMaker directory(String name, int permissions) {
    return add(name + "/", '5', Metadata.directory(permissions), new byte[0], "");
  }

  TarMaker file(String name, String content) {
    return add(name, '0', Metadata.file(0644), content.getBytes(StandardCharsets.UTF_8), "");
  }

  TarMaker symlink(String name, String target) {
    return add(name, '2', Metadata.symlink(), new byte[0], target);
  }

  TarMaker link(String name, String target) {
    return add(name, '1', Metadata.file(0644), new byte[0], target);
  }

  TarMaker fifo(String name) {
    return add(
        name,
        '6',
        new Metadata(Stat.S_IFIFO | 0600, 0, 0, 0, 0, java.util.List.of()),
        new byte[0],
        "");
  }

  /** A member of any type, such as an extended header. */
  TarMaker raw(String name, char type, byte[] content) {
    return add(name, type, Metadata.file(0644), content, "");
  }

  TarMaker pax(String... records) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (String record : records) {
      byte[] bytes = record.getBytes(StandardCharsets.ISO_8859_1);
      int length = bytes.length + 3;
      while (Integer.toString(length).length() + 2 + bytes.length != length) {
        length++;
      }
      all.writeBytes((length + " ").getBytes(StandardCharsets.US_ASCII));
      all.writeBytes(bytes);
      all.write('\n');
    }
    return raw("pax", 'x', all.toByteArray());
  }

  /** A file whose header is changed before its checksum is taken again. */
  TarMaker patched(String name, Consumer<byte[]> change) {
    TarMaker one = new TarMaker().file(name, "");
    byte[] block = one.out.toByteArray();
    change.accept(block);
    out.writeBytes(withChecksum(block, 0));
    return this;
  }

  /** Sets the checksum of the header at {@code offset} right, in place. */
  static byte[] withChecksum(byte[] tar, int offset) {
    int sum = 8 * ' ';
    for (int i = 0; i < 512; i++) {
      sum += i >= 148 && i < 156 ? 0 : tar[offset + i] & 0xff;
    }
    byte[] digits = String.format("%06o\0 ", sum).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(digits, 0, tar, offset + 148, 8);
    return tar;
  }

  TarMaker bytes(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  /** What was added so far, without an end. */
  byte[] open() {
    return out.toByteArray();
  }

  byte[] tar() {
    byte[] all = out.toByteArray();
    return java.util.Arrays.copyOf(all, all.length + 1024);
  }

  Layer layer() throws IOException {
    return LayerReader.read(new ByteArrayInputStream(tar()), OnDisk.MEMORY);
  }
}
