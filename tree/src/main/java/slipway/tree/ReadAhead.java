package slipway.tree;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;
import slipway.base.BlockInput;

/**
 * Reads a stream in a thread of its own, a few pieces ahead, so that what makes the bytes
 * (transfer, checking, decompression) and what takes them (hashing, writing) run at the same time.
 * Bounded: a handful of buffers. The stream below is not closed.
 */
final class ReadAhead extends BlockInput {
  private static final int PIECE = 256 * 1024;
  private static final int PIECES = 4;

  /** A piece of the stream, its end (-1), or what made it fail. */
  private record Piece(byte[] bytes, int length, @Nullable Throwable failure) {}

  private final InputStream in;
  private final BlockingQueue<Piece> full = new ArrayBlockingQueue<>(PIECES);
  private final BlockingQueue<byte[]> free = new ArrayBlockingQueue<>(PIECES + 1);
  private final Thread thread;
  private volatile boolean closed;
  private Piece current = new Piece(new byte[0], 0, null);
  private int position;

  ReadAhead(InputStream in) {
    this.in = in;
    this.thread = Thread.ofPlatform().name("read-ahead").daemon().start(this::readAll);
  }

  private void readAll() {
    int made = 0;
    try {
      while (!closed) {
        byte[] buffer = free.poll();
        if (buffer == null) {
          buffer = made++ <= PIECES ? new byte[PIECE] : free.take();
        }
        Piece piece = next(buffer);
        full.put(piece);
        if (piece.length < 0) {
          return;
        }
      }
    } catch (InterruptedException e) {
      // Closed before the end; nobody waits for more.
    }
  }

  private Piece next(byte[] buffer) {
    try {
      int n = 0;
      for (int more = 0; n < buffer.length && more >= 0 && !closed; n += Math.max(more, 0)) {
        more = in.read(buffer, n, buffer.length - n);
      }
      return new Piece(buffer, n == 0 ? -1 : n, null);
    } catch (IOException | RuntimeException | Error e) {
      return new Piece(buffer, -1, e);
    }
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (position == current.length) {
      advance();
    }
    if (current.length < 0) {
      rethrow(current.failure);
      return -1;
    }
    int n = Math.min(length, current.length - position);
    System.arraycopy(current.bytes, position, target, offset, n);
    position += n;
    return n;
  }

  private void advance() throws IOException {
    if (current.bytes.length == PIECE) {
      free.add(current.bytes);
    }
    try {
      current = full.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while a layer was read");
    }
    position = 0;
  }

  private static void rethrow(@Nullable Throwable failure) throws IOException {
    switch (failure) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IOException(failure);
    }
  }

  /**
   * Ends the thread. A read that is under way is waited for, interrupted or not: what lies below
   * may write what it reads, and whoever closes this is about to remove or use that.
   */
  @Override
  public void close() {
    closed = true;
    full.clear();
    thread.interrupt();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
