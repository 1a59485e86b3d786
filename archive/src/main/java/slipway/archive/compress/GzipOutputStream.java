package slipway.archive.compress;

import com.jcraft.jzlib.Deflater;
import com.jcraft.jzlib.JZlib;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.CRC32;

/**
 * Compresses to one gzip member (RFC 1952) on all processors: blocks of a fixed size are deflated
 * by themselves, each with the 32 KiB before it as dictionary, and put one after another (as pigz
 * does). The header holds no time and no name. Memory: two blocks and their results a processor.
 *
 * <p>The same bytes give the same gzip on every machine: the deflater is Java's, in a pinned
 * version. The JDK's own is whatever zlib it was linked with, and those differ.
 */
final class GzipOutputStream extends OutputStream {
  private static final int BLOCK = 256 * 1024;
  private static final int WINDOW = 32 * 1024;
  private static final int ZLIB_HEADER = 2;
  private static final int ZLIB_DICTIONARY = 4;
  private static final int ZLIB_CHECKSUM = 4;
  private static final byte[] HEADER = {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, (byte) 0xff};
  private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

  /** Work on the processor: platform threads, as many as there are processors. */
  private static final class Pool {
    static final ExecutorService THREADS =
        Executors.newFixedThreadPool(
            PROCESSORS, Thread.ofPlatform().name("gzip-", 0).daemon().factory());
  }

  private final OutputStream out;
  private final int level;
  private final CRC32 crc = new CRC32();
  private final Deque<Future<byte[]>> pending = new ArrayDeque<>();
  private byte[] block = new byte[BLOCK];
  private byte[] dictionary = {};
  private int filled;
  private long length;
  private boolean closed;

  GzipOutputStream(OutputStream out, int level) throws IOException {
    if (level < 1 || level > 9) {
      throw new IllegalArgumentException("gzip has the levels 1 to 9, not " + level);
    }
    this.out = out;
    this.level = level;
    out.write(HEADER);
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int count) throws IOException {
    if (closed) {
      throw new IOException("the gzip stream is closed");
    }
    crc.update(bytes, offset, count);
    length += count;
    int from = offset;
    int left = count;
    while (left > 0) {
      if (filled == BLOCK) {
        submit(false);
      }
      int n = Math.min(left, BLOCK - filled);
      System.arraycopy(bytes, from, block, filled, n);
      filled += n;
      from += n;
      left -= n;
    }
  }

  private void submit(boolean last) throws IOException {
    byte[] data = block;
    byte[] before = dictionary;
    int size = filled;
    pending.add(Pool.THREADS.submit(() -> deflate(data, size, before, level, last)));
    if (!last) {
      dictionary = Arrays.copyOfRange(data, size - WINDOW, size);
      block = new byte[BLOCK];
      filled = 0;
    }
    while (pending.size() > 2 * PROCESSORS) {
      writeFirst();
    }
  }

  private static byte[] deflate(byte[] data, int size, byte[] dictionary, int level, boolean last)
      throws IOException {
    // Not raw: a dictionary is taken in zlib's frame (RFC 1950) only, which is cut off again.
    Deflater deflater = new Deflater(level);
    int head = ZLIB_HEADER;
    if (dictionary.length > 0) {
      require(deflater.setDictionary(dictionary, dictionary.length), JZlib.Z_OK);
      head += ZLIB_DICTIONARY;
    }
    deflater.setInput(data, 0, size, false);
    ByteArrayOutputStream result = new ByteArrayOutputStream(size / 2 + 64);
    byte[] buffer = new byte[64 * 1024];
    int status;
    do {
      deflater.setOutput(buffer);
      status = deflater.deflate(last ? JZlib.Z_FINISH : JZlib.Z_SYNC_FLUSH);
      result.write(buffer, 0, buffer.length - deflater.avail_out);
    } while (last ? status == JZlib.Z_OK : deflater.avail_out == 0);
    // Asked once more after a full buffer it may have nothing left to say.
    boolean done = !last && status == JZlib.Z_BUF_ERROR;
    require(done ? JZlib.Z_OK : status, last ? JZlib.Z_STREAM_END : JZlib.Z_OK);
    deflater.end();
    byte[] framed = result.toByteArray();
    return Arrays.copyOfRange(framed, head, framed.length - (last ? ZLIB_CHECKSUM : 0));
  }

  private static void require(int status, int wanted) throws IOException {
    if (status != wanted) {
      throw new IOException("the deflater ended with " + status);
    }
  }

  private void writeFirst() throws IOException {
    try {
      out.write(pending.remove().get());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while compressing");
    } catch (ExecutionException e) {
      throw new IOException("cannot compress: " + e.getCause(), e);
    }
  }

  /** Ends the member and closes the stream below. */
  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try (out) {
      submit(true);
      while (!pending.isEmpty()) {
        writeFirst();
      }
      long sum = crc.getValue();
      byte[] trailer = new byte[8];
      for (int i = 0; i < 4; i++) {
        trailer[i] = (byte) (sum >>> 8 * i);
        trailer[4 + i] = (byte) (length >>> 8 * i);
      }
      out.write(trailer);
    }
  }
}
