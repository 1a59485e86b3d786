package slipway.http;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.io.ManagedSelector;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.TemporaryFiles;

/**
 * Our end of a connection. It counts the bytes that move, so that a client which sends or takes one
 * byte now and then can be told from a slow one; and it sends files by sendfile(2), so that neither
 * their bytes nor a slow client's backlog are in our memory. Jetty hands buffers through from the
 * handler to {@link #flush}; a part of a file is announced by a buffer that stands for it, of the
 * same length and never read.
 */
final class ClientEndPoint extends SocketChannelEndPoint {
  /** Bytes of a file that one buffer stands for. */
  static final int LONGEST = 16 * 1024 * 1024;

  /** Nanoseconds in which a fast client takes a good part of what the kernel keeps for it. */
  private static final long MOMENT = 500_000;

  /** Bytes that a fast client takes in a moment. */
  private static final long FAST = 256 * 1024;

  /** A hole of a file without a name, mapped: addresses that take no memory, and are not read. */
  private static final ByteBuffer HOLE = hole();

  private @Nullable Part part;
  private volatile long received;
  private volatile long sent;
  private volatile boolean leaving;

  // What the last mark of the sweep saw.
  private long markTime = System.nanoTime();
  private long markBytes;
  private long markMessages;

  /**
   * A part of a file to be sent.
   *
   * @param token the buffer that stands for it
   */
  private record Part(ByteBuffer token, FileChannel file, long offset) {}

  ClientEndPoint(
      SocketChannel channel, ManagedSelector selector, SelectionKey key, Scheduler scheduler) {
    super(channel, selector, key, scheduler);
  }

  private static ByteBuffer hole() {
    try {
      Path file = Files.createTempFile(TemporaryFiles.folder(), "slipway-", ".hole");
      try (FileChannel channel =
          FileChannel.open(
              file,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE)) {
        channel.write(ByteBuffer.allocate(1), LONGEST - 1);
        return channel.map(MapMode.READ_ONLY, 0, LONGEST, Arena.global()).asByteBuffer();
      }
    } catch (IOException | Problem e) {
      return ByteBuffer.allocateDirect(LONGEST); // no folder for temporary files, so memory
    }
  }

  /** Makes what all connections share before the first one comes. */
  static void prepare() {
    // Being called has initialised the class.
  }

  /**
   * A buffer to be written next in place of a part of a file.
   *
   * @param length at most {@link #LONGEST}
   */
  ByteBuffer announce(FileChannel file, long offset, int length) {
    ByteBuffer token = HOLE.duplicate().limit(length);
    part = new Part(token, file, offset);
    return token;
  }

  @Override
  public int fill(ByteBuffer buffer) throws IOException {
    int count = super.fill(buffer);
    if (count > 0) {
      received += count;
    }
    return count;
  }

  @Override
  public boolean flush(ByteBuffer... buffers) throws IOException {
    Part file = part;
    int at = 0;
    while (at < buffers.length && (file == null || buffers[at] != file.token)) {
      at++;
    }
    if (file == null || at == buffers.length) {
      return flushBytes(buffers);
    }
    return flushBytes(Arrays.copyOf(buffers, at))
        && flushFile(file)
        && flushBytes(Arrays.copyOfRange(buffers, at + 1, buffers.length));
  }

  private boolean flushBytes(ByteBuffer... buffers) throws IOException {
    long before = remaining(buffers);
    boolean all = before == 0 || super.flush(buffers);
    sent += before - remaining(buffers);
    return all;
  }

  private static long remaining(ByteBuffer... buffers) {
    long sum = 0;
    for (ByteBuffer buffer : buffers) {
      sum += buffer.remaining();
    }
    return sum;
  }

  /** As far as the connection takes it; the position of the token tells how far that is. */
  private boolean flushFile(Part file) throws IOException {
    long progress = send(file);
    while (file.token.hasRemaining() && progress >= FAST && Thread.currentThread().isVirtual()) {
      // The client reads as fast as we write. Asked to, the selector would wake us each time that
      // there is a little room; a moment later there is much, for the price of one wake-up.
      LockSupport.parkNanos(MOMENT);
      progress = send(file);
    }
    return !file.token.hasRemaining();
  }

  /** Bytes that went now. */
  private long send(Part file) throws IOException {
    ByteBuffer token = file.token;
    long position = file.offset + token.position();
    long count;
    try {
      count = file.file.transferTo(position, token.remaining(), getChannel());
    } catch (IOException e) {
      throw new EofException(e);
    }
    if (count == 0 && file.file.size() <= position) {
      throw new IOException("a file became shorter while it was sent");
    }
    if (count > 0) {
      token.position(token.position() + (int) count);
      sent += count;
      notIdle();
    }
    return count;
  }

  /** Whether the next step is the client's. */
  boolean isWaiting() {
    return isFillInterested() || getWriteFlusher().isPending();
  }

  /** Whether all that was asked is answered; so too when nothing whole was asked yet. */
  boolean isBetweenRequests() {
    Connection connection = getConnection();
    return isFillInterested()
        && (connection == null || connection.getMessagesIn() == connection.getMessagesOut());
  }

  /** It was chosen to make room for others. */
  void leave() {
    leaving = true;
  }

  boolean isLeaving() {
    return leaving;
  }

  /**
   * Ends the connection although its client did nothing to end it.
   *
   * @param why for the handler's side
   */
  void end(String why) {
    TimeoutException failure = new TimeoutException(why);
    onIdleExpired(failure);
    close(failure);
  }

  /**
   * Ends the connection when its client has kept us waiting with next to nothing.
   *
   * @param now by {@link System#nanoTime}
   * @param window how long in nanoseconds
   * @param least bytes in that time that are enough
   */
  void endIfSlow(long now, long window, long least) {
    long bytes = received + sent;
    Connection connection = getConnection();
    long messages = connection == null ? 0 : connection.getMessagesIn();
    boolean honest = !isWaiting() || messages != markMessages || bytes - markBytes >= least;
    if (!honest && now - markTime < window) {
      return;
    }
    // Nothing at all is left to the idle time-out.
    if (!honest && bytes != markBytes) {
      end("the client is too slow");
    }
    markTime = now;
    markBytes = bytes;
    markMessages = messages;
  }
}
