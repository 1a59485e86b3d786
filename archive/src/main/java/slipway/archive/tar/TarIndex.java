package slipway.archive.tar;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;
import slipway.archive.compress.Compression;
import slipway.base.BlockInput;
import slipway.base.FullDisk;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.TemporaryFiles;

/**
 * The regular files of a tar, found by name and read from many threads. A compressed tar is
 * unpacked into a temporary file that has no name any more.
 */
public final class TarIndex implements AutoCloseable {
  private static final int BLOCK = 512;
  private static final int MAX_LINKS = 4;
  private static final String WHAT_TO_DO = "copy or save it again";

  private final String name;
  private final FileChannel channel;
  private boolean ended;
  private final Map<String, Slot> slots = new HashMap<>();
  private final Map<String, String> links = new HashMap<>();

  /** Where a file's bytes lie, and whether its holes are left out of them. */
  private record Slot(long offset, long size, boolean sparse) {}

  private TarIndex(String name, FileChannel channel) {
    this.name = name;
    this.channel = channel;
  }

  /**
   * @throws Problem of kind NOT_FOUND without the file, CORRUPT when it is no whole tar
   */
  public static TarIndex open(Path path) throws IOException {
    try {
      return scanned(path.toString(), plain(path));
    } catch (NoSuchFileException e) {
      throw new Problem(Problem.Kind.NOT_FOUND, "there is no archive " + path, e);
    }
  }

  /**
   * Reads a tar from where it cannot be read twice.
   *
   * @param in its bytes, perhaps compressed; it is closed
   * @param name for messages
   */
  public static TarIndex unpack(InputStream in, String name) throws IOException {
    return scanned(name, unpack(name, decompress(in, name)));
  }

  private static TarIndex scanned(String name, FileChannel channel) throws IOException {
    TarIndex index = new TarIndex(name, channel);
    boolean good = false;
    try {
      index.scan();
      good = true;
      return index;
    } catch (EOFException e) {
      throw new Problem(
          Problem.Kind.CORRUPT, name + " was cut off: " + e.getMessage() + "; " + WHAT_TO_DO, e);
    } catch (IllegalArgumentException | IOException e) {
      throw new Problem(
          Problem.Kind.CORRUPT,
          name
              + " is not a tar, or a damaged one ("
              + Printable.text(String.valueOf(e.getMessage()))
              + "); "
              + WHAT_TO_DO,
          e);
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
      InputStream plain = decompress(Channels.newInputStream(channel), path.toString());
      // Nothing was put around it: it is plain, and can be read at any place unless it is a pipe.
      if (plain instanceof BufferedInputStream && Files.isRegularFile(path)) {
        keep = true;
        return channel;
      }
      return unpack(path.toString(), plain);
    } finally {
      if (!keep) {
        channel.close();
      }
    }
  }

  private static FileChannel unpack(String packed, InputStream plain) throws IOException {
    try (plain) {
      FileChannel channel = nameless();
      boolean good = false;
      try {
        byte[] buffer = new byte[128 * 1024];
        long total = 0;
        for (int n; (n = read(plain, buffer, packed)) >= 0; total += n) {
          Limit.ARCHIVE_BYTES.check(total + n, packed);
          writeAll(channel, ByteBuffer.wrap(buffer, 0, n));
        }
        good = true;
        return channel;
      } finally {
        if (!good) {
          channel.close();
        }
      }
    }
  }

  /** A file without a name from the beginning: whatever ends this process leaves nothing. */
  private static FileChannel nameless() throws IOException {
    Path file = Files.createTempFile(TemporaryFiles.largeFolder(), "slipway-", ".tar");
    try {
      return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } finally {
      Files.delete(file);
    }
  }

  private static int read(InputStream packed, byte[] buffer, String path) {
    try {
      return packed.read(buffer);
    } catch (IOException | Problem e) {
      throw damaged(path, e);
    }
  }

  private static InputStream decompress(InputStream in, String name) {
    try {
      return Compression.decompressArchive(in);
    } catch (IOException e) {
      throw damaged(name, e);
    }
  }

  private static Problem damaged(String name, Exception e) {
    return new Problem(
        Problem.Kind.CORRUPT,
        name + " cannot be decompressed: " + e.getMessage() + "; " + WHAT_TO_DO,
        e);
  }

  private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      // The file has no name that the failure could tell.
      if (FullDisk.isCauseOf(e)) {
        throw new Problem(Problem.Kind.FULL, FullDisk.sentence(TemporaryFiles.largeFolder()), e);
      }
      throw e;
    }
  }

  /**
   * Walks from header to header. The library's own list of all entries would be in memory before
   * anybody could count it; so it reads one entry at a time, from a stream that bounds its header.
   */
  private void scan() throws IOException {
    long size = channel.size();
    long names = 0;
    int count = 0;
    if (size == 0) {
      throw Problem.corrupt(name + " is empty; name what slipway, podman or docker save wrote");
    }
    for (long at = 0; at < size; ) {
      if (size - at < BLOCK) {
        if (at == 0) {
          throw new IOException("it has " + size + " bytes");
        }
        throw new EOFException("it ends within the header of a file");
      }
      Header header = new Header(channel, at, name);
      TarArchiveEntry e = new TarArchiveInputStream(header).getNextEntry();
      if (e == null) {
        ended = true;
        return;
      }
      Limit.LAYER_ENTRIES.check(++count, name);
      names += e.getName().length() + e.getLinkName().length();
      Limit.TREE_BYTES.check(2 * names, name);
      long data = e.isDirectory() ? 0 : e.getSize();
      if (data < 0 || data > size - header.position) {
        throw new EOFException(
            "it ends within %s, of which it has %d of %d bytes"
                .formatted(
                    Printable.text(e.getName()), Math.max(0, size - header.position), e.getSize()));
      }
      add(e, header.position);
      at = header.position + (data + BLOCK - 1) / BLOCK * BLOCK;
    }
  }

  private void add(TarArchiveEntry e, long data) {
    String name = normal(e.getName());
    if (e.isSymbolicLink() || e.isLink()) {
      String parent = name.contains("/") ? name.substring(0, name.lastIndexOf('/') + 1) : "";
      links.put(name, normal(e.isLink() ? e.getLinkName() : parent + e.getLinkName()));
    } else if (e.isFile()) {
      slots.put(name, new Slot(data, e.getSize(), e.isSparse()));
    }
  }

  /** Without {@code .}, {@code ..} and slashes too many: a key, never a path on disk. */
  private static String normal(String name) {
    Deque<String> parts = new ArrayDeque<>();
    for (String part : name.split("/", -1)) {
      if (part.equals("..")) {
        parts.pollLast();
      } else if (!part.isEmpty() && !part.equals(".")) {
        parts.addLast(part);
      }
    }
    return String.join("/", parts);
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

  public boolean has(String name) {
    return slot(name) != null;
  }

  /** How the archive is called in messages. */
  public String name() {
    return name;
  }

  /** Says that something is not in it, and why that may be. */
  public Problem lacks(String what) {
    return Problem.corrupt(
        ended
            ? name + " lacks " + what
            : name
                + " was cut off: it ends without an end mark and lacks "
                + what
                + "; "
                + WHAT_TO_DO);
  }

  /** Length of a file in bytes. */
  public long size(String name) {
    return require(name).size();
  }

  private Slot require(String file) {
    Slot slot = slot(file);
    if (slot == null) {
      throw lacks(Printable.text(file));
    }
    if (slot.sparse()) {
      throw Problem.input(
          name
              + " holds "
              + Printable.text(file)
              + " without its holes, which is not read; pack it again without tar's --sparse");
    }
    return slot;
  }

  /** Opens a file from an offset. */
  public InputStream open(String name, long offset) {
    Slot slot = require(name);
    return new Slice(channel, slot.offset() + offset, slot.offset() + slot.size());
  }

  /** Reads a small file whole. */
  public byte[] read(String file, Limit limit) throws IOException {
    limit.check(require(file).size(), Printable.text(file) + " in " + name);
    try (InputStream in = open(file, 0)) {
      return in.readAllBytes();
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** What the tar holds from an offset on, for as long as the header of one entry may be. */
  private static final class Header extends BlockInput {
    private final FileChannel channel;
    private final String name;
    private final long begin;
    private long position;

    Header(FileChannel channel, long begin, String name) {
      this.channel = channel;
      this.name = name;
      this.begin = begin;
      this.position = begin;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int n = channel.read(ByteBuffer.wrap(buffer, offset, length), position);
      position += Math.max(n, 0);
      Limit.SMALL_FILE_BYTES.check(position - begin, "the header of an entry in " + name);
      return n;
    }
  }

  private static final class Slice extends BlockInput {
    private final FileChannel channel;
    private final long end;
    private long position;

    Slice(FileChannel channel, long begin, long end) {
      this.channel = channel;
      this.position = begin;
      this.end = end;
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
