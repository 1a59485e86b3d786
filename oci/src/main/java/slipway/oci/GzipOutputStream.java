package slipway.oci;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * Compresses to one gzip member (RFC 1952) on all processors: blocks of a fixed size are deflated
 * by themselves, each with the 32 KiB before it as dictionary, and put one after another (as pigz
 * does). The header holds no time and no name. Memory: two blocks and their results a processor.
 */
final class GzipOutputStream extends OutputStream {
  private static final int BLOCK = 256 * 1024;
  private static final int WINDOW = 32 * 1024;
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
      dictionary = java.util.Arrays.copyOfRange(data, size - WINDOW, size);
      block = new byte[BLOCK];
      filled = 0;
    }
    while (pending.size() > 2 * PROCESSORS) {
      writeFirst();
    }
  }

  private static byte[] deflate(byte[] data, int size, byte[] dictionary, int level, boolean last) {
    Deflater deflater = new Deflater(level, true);
    try {
      if (dictionary.length > 0) {
        deflater.setDictionary(dictionary);
      }
      deflater.setInput(data, 0, size);
      ByteArrayOutputStream result = new ByteArrayOutputStream(size / 2 + 64);
      byte[] buffer = new byte[64 * 1024];
      if (last) {
        deflater.finish();
        while (!deflater.finished()) {
          result.write(buffer, 0, deflater.deflate(buffer, 0, buffer.length, Deflater.NO_FLUSH));
        }
      } else {
        int n;
        do {
          n = deflater.deflate(buffer, 0, buffer.length, Deflater.SYNC_FLUSH);
          result.write(buffer, 0, n);
        } while (n == buffer.length);
      }
      return result.toByteArray();
    } finally {
      deflater.end();
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
