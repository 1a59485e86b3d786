package slipway.oci;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarFile;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;

/**
 * The regular files of a tar, found by name and read from many threads. A compressed tar is
 * unpacked into a temporary file that has no name any more.
 */
final class TarIndex implements AutoCloseable {
  private static final int MAX_ENTRIES = 200_000;
  private static final int MAX_LINKS = 4;

  private final Path path;
  private final FileChannel channel;
  private final Map<String, Slot> slots = new HashMap<>();
  private final Map<String, String> links = new HashMap<>();

  /** Where a file's bytes lie. */
  private record Slot(long offset, long size) {}

  private TarIndex(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  /**
   * @throws Problem of kind NOT_FOUND without the file, CORRUPT when it is no tar
   */
  static TarIndex open(Path path) throws IOException {
    FileChannel channel;
    try {
      channel = plain(path);
    } catch (NoSuchFileException e) {
      throw new Problem(Problem.Kind.NOT_FOUND, "there is no archive " + path, e);
    }
    TarIndex index = new TarIndex(path, channel);
    boolean good = false;
    try {
      index.scan();
      good = true;
      return index;
    } catch (IllegalArgumentException | IOException e) {
      throw new Problem(
          Problem.Kind.CORRUPT, path + " is not a complete tar: " + e.getMessage(), e);
    } finally {
      if (!good) {
        channel.close();
      }
    }
  }

  private static FileChannel plain(Path path) throws IOException {
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    boolean keep = false;
    try {
      ByteBuffer head = ByteBuffer.allocate(4);
      channel.read(head, 0);
      if (Compression.of(java.util.Arrays.copyOf(head.array(), head.position()))
          == Compression.NONE) {
        keep = true;
        return channel;
      }
      return unpack(channel);
    } finally {
      if (!keep) {
        channel.close();
      }
    }
  }

  private static FileChannel unpack(FileChannel packed) throws IOException {
    Path large = Path.of("/var/tmp");
    Path file =
        Files.isWritable(large)
            ? Files.createTempFile(large, "slipway-", ".tar")
            : Files.createTempFile("slipway-", ".tar");
    FileChannel channel =
        FileChannel.open(
            file,
            Set.of(
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE));
    boolean good = false;
    try (InputStream in = Compression.decompressAny(Channels.newInputStream(packed))) {
      OutputStream out = Channels.newOutputStream(channel);
      in.transferTo(out);
      good = true;
      return channel;
    } finally {
      Files.deleteIfExists(file);
      if (!good) {
        channel.close();
      }
    }
  }

  private void scan() throws IOException {
    int count = 0;
    channel.position(0);
    // Not closed: that would close the channel.
    @SuppressWarnings("resource")
    TarFile tar = new TarFile(channel);
    for (TarArchiveEntry e : tar.getEntries()) {
      if (++count > MAX_ENTRIES) {
        throw Problem.corrupt(path + " has over " + MAX_ENTRIES + " entries");
      }
      String name = normal(e.getName());
      if (e.isSymbolicLink() || e.isLink()) {
        String parent = name.contains("/") ? name.substring(0, name.lastIndexOf('/') + 1) : "";
        links.put(name, normal(e.isLink() ? e.getLinkName() : parent + e.getLinkName()));
      } else if (e.isFile() && !e.isSparse()) {
        if (e.getDataOffset() + e.getSize() > channel.size()) {
          throw new IOException("it ends within " + name);
        }
        slots.put(name, new Slot(e.getDataOffset(), e.getSize()));
      }
    }
  }

  /** Without {@code .}, {@code ..} and leading slashes: a key, never a path on disk. */
  private static String normal(String name) {
    Path path = Path.of("/", name.replace('\0', '_')).normalize();
    return path.toString().substring(1);
  }

  private @Nullable Slot slot(String name) {
    String current = normal(name);
    for (int i = 0; i <= MAX_LINKS; i++) {
      Slot slot = slots.get(current);
      String target = links.get(current);
      if (slot != null || target == null) {
        return slot;
      }
      current = target;
    }
    return null;
  }

  boolean has(String name) {
    return slot(name) != null;
  }

  /** Length of a file in bytes. */
  long size(String name) {
    return require(name).size();
  }

  private Slot require(String name) {
    Slot slot = slot(name);
    if (slot == null) {
      throw Problem.corrupt(path + " lacks " + name);
    }
    return slot;
  }

  /** Opens a file from an offset. */
  InputStream open(String name, long offset) {
    Slot slot = require(name);
    return new Slice(channel, slot.offset() + offset, slot.offset() + slot.size());
  }

  /** Reads a small file whole. */
  byte[] read(String name, int limit) throws IOException {
    Slot slot = require(name);
    if (slot.size() > limit) {
      throw Problem.corrupt(name + " in " + path + " is over " + limit + " bytes");
    }
    try (InputStream in = open(name, 0)) {
      return in.readAllBytes();
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private static final class Slice extends InputStream {
    private final FileChannel channel;
    private final long end;
    private long position;

    Slice(FileChannel channel, long begin, long end) {
      this.channel = channel;
      this.position = begin;
      this.end = end;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (position >= end) {
        return -1;
      }
      int wanted = (int) Math.min(length, end - position);
      int n = channel.read(ByteBuffer.wrap(buffer, offset, wanted), position);
      position += Math.max(n, 0);
      return n;
    }
  }
}
