package slipway.e2e;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * What a machine wrote to its disk, in order, and when it asked for it to be durable: the log of
 * QEMU's driver blklogwrites, in the format of Linux' dm-log-writes
 * (Documentation/admin-guide/device-mapper/log-writes.rst). One sector with magic number, version,
 * number of entries and sector size; then entries of one sector each, followed by their data.
 */
final class WriteLog implements AutoCloseable {
  private static final long MAGIC = 0x6a736677736872L;
  private static final int FLUSH = 1;
  private static final int FUA = 2;
  private static final int DISCARD = 4;

  /** The page of ext4 and of the page cache: what reaches a disk reaches it in such pieces. */
  private static final int PIECE = 4096;

  /**
   * One request.
   *
   * @param at where its data begin in the log
   * @param offset bytes from the beginning of the disk
   * @param length bytes; 0 for a flush
   */
  record Entry(long at, long offset, long length, long flags) {
    /** Whether all that was written before is durable after it. */
    boolean isFlush() {
      return (flags & FLUSH) != 0;
    }

    /** Whether it is durable itself as soon as it ends. */
    private boolean isDurable() {
      return (flags & FUA) != 0;
    }

    /** A discard may be left undone. */
    private boolean isWrite() {
      return length > 0 && (flags & DISCARD) == 0;
    }
  }

  private final FileChannel log;
  private final List<Entry> entries;

  private WriteLog(FileChannel log, List<Entry> entries) {
    this.log = log;
    this.entries = entries;
  }

  /** What QEMU is to be told, so that the disk of a machine is logged to a file from power on. */
  static String[] arguments(Path file) {
    return new String[] {
      "-set",
      "drive.disk0.format=blklogwrites",
      "-set",
      "drive.disk0.log.driver=file",
      "-set",
      "drive.disk0.log.filename=" + file
    };
  }

  /**
   * Makes the log empty, or makes one. QEMU writes from the beginning of the file whenever it
   * starts, but neither makes the file nor cuts off what an earlier start left in it.
   */
  static void clear(Path file) throws IOException {
    Files.write(file, new byte[0]);
  }

  static WriteLog open(Path file) throws IOException {
    FileChannel log = FileChannel.open(file, StandardOpenOption.READ);
    try {
      return new WriteLog(log, entries(log));
    } catch (IOException | RuntimeException e) {
      log.close();
      throw e;
    }
  }

  private static List<Entry> entries(FileChannel log) throws IOException {
    ByteBuffer head = read(log, 0, 28);
    if (head.getLong() != MAGIC || head.getLong() != 1) {
      throw new IOException("no log of writes");
    }
    long count = head.getLong();
    int sector = head.getInt();
    List<Entry> entries = new ArrayList<>();
    long at = sector;
    for (long i = 0; i < count; i++) {
      ByteBuffer raw = read(log, at, 24);
      at += sector;
      Entry entry = new Entry(at, raw.getLong() * sector, raw.getLong() * sector, raw.getLong());
      entries.add(entry);
      if (entry.isWrite()) {
        at += entry.length;
      }
    }
    return entries;
  }

  private static ByteBuffer read(FileChannel file, long at, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (file.read(buffer, at + buffer.position()) < 0) {
        throw new EOFException("the log of writes is cut off");
      }
    }
    return buffer.flip();
  }

  /** The number of requests. */
  int size() {
    return entries.size();
  }

  /** The index of the first request that was logged when the file had that size. */
  int indexAt(long fileSize) {
    int index = 0;
    while (index < entries.size() && entries.get(index).at < fileSize) {
      index++;
    }
    return index;
  }

  /** The index after the last flush before a request; what comes before is durable there. */
  int durableBefore(int index) {
    int at = index;
    while (at > 0 && !entries.get(at - 1).isFlush()) {
      at--;
    }
    return at;
  }

  /**
   * What lies between two flushes.
   *
   * @param durable the index after the first
   * @param end the index after the second, or of the end
   */
  record Window(int durable, int end) {
    /** An index in it, of a request that is not done any more when the power goes. */
    int draw(Random random) {
      return durable + random.nextInt(end - durable + 1);
    }
  }

  /** The windows of a part of the log, the last first; there is none in nothing. */
  List<Window> windows(int from, int to) {
    List<Window> windows = new ArrayList<>();
    for (int end = to; end > from; ) {
      int start = durableBefore(end);
      if (start < end) {
        windows.add(new Window(start, end));
        end = start;
      } else {
        end--;
      }
    }
    return windows;
  }

  /** Does the requests from one index up to another, all of them. */
  void apply(FileChannel disk, int from, int to) throws IOException {
    for (Entry entry : entries.subList(from, to)) {
      if (entry.isWrite()) {
        write(disk, entry, 0, entry.length);
      }
    }
  }

  /**
   * Does them as a disk that loses power: of what it had in its cache, some pieces are written and
   * some are not, in no order. Requests that asked to be durable are.
   *
   * @return the number of pieces lost
   */
  int applySome(FileChannel disk, int from, int to, Random random) throws IOException {
    // Between everything and nothing lost, because a cache may be nearly empty or full.
    double kept = random.nextDouble();
    int lost = 0;
    for (Entry entry : entries.subList(from, to)) {
      for (long done = 0; entry.isWrite() && done < entry.length; done += PIECE) {
        if (entry.isDurable() || random.nextDouble() < kept) {
          write(disk, entry, done, Math.min(PIECE, entry.length - done));
        } else {
          lost++;
        }
      }
    }
    return lost;
  }

  private void write(FileChannel disk, Entry entry, long skip, long length) throws IOException {
    for (long done = 0; done < length; ) {
      ByteBuffer data = read(log, entry.at + skip + done, (int) Math.min(length - done, 1 << 20));
      long to = entry.offset + skip + done;
      done += data.remaining();
      while (data.hasRemaining()) {
        to += disk.write(data, to);
      }
    }
  }

  @Override
  public void close() throws IOException {
    log.close();
  }
}
