package slipway.netboot;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.PortUnreachableException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * Sends one file. The socket is connected, so packets of others than the client do not come in.
 * What is sent again is read again: a client that stalls holds a block's memory and no more.
 */
final class TftpSession {
  /** Times that something is sent without an answer. */
  private static final int TRIES = 6;

  /** A client may be slower than this for so long, and all in all not. */
  private static final long LEAST_BYTES_A_SECOND = 1000;

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final DatagramSocket socket;
  private final ServedFolder.Served file;
  private final TftpOptions options;
  private final long last;
  private final byte[] received = new byte[TftpPacket.LONGEST_REQUEST + 4];
  private final ByteBuffer block;
  private final long start = System.nanoTime();

  /** Whether blocks were sent again because of an acknowledgement, or never will be. */
  private boolean hastened;

  /** Blocks that the client has. */
  private long acknowledged;

  TftpSession(DatagramSocket socket, ServedFolder.Served file, TftpOptions options) {
    this.socket = socket;
    this.file = file;
    this.options = options;
    // The last one is shorter than the others, empty when need be.
    this.last = file.size() / options.block() + 1;
    this.block = ByteBuffer.allocate(4 + options.block());
  }

  /** How it ended. */
  enum End {
    DONE,
    REFUSED,
    STALLED
  }

  /** Bytes that the client has. */
  long sent() {
    return Math.min(file.size(), acknowledged * options.block());
  }

  End run() throws IOException {
    try {
      if (!options.taken().isEmpty()) {
        End agreed = agree();
        if (agreed != End.DONE) {
          return agreed;
        }
      }
      while (acknowledged < last) {
        End end = window();
        if (end != End.DONE) {
          return end;
        }
      }
      return End.DONE;
    } catch (PortUnreachableException e) {
      // Nobody listens there any more.
      return End.REFUSED;
    }
  }

  /** Sends what was agreed on until the client takes it by acknowledging block 0. */
  private End agree() throws IOException {
    ByteBuffer packet = TftpPacket.optionsAck(options.taken());
    for (int i = 0; i < TRIES; i++) {
      socket.send(new DatagramPacket(packet.array(), packet.limit()));
      Answer answer = await(0);
      if (answer != Answer.NONE) {
        return answer == Answer.REFUSED ? End.REFUSED : End.DONE;
      }
    }
    return End.STALLED;
  }

  /** Sends the next blocks until some of them are acknowledged. */
  private End window() throws IOException {
    long before = acknowledged;
    hastened = options.window() == 1;
    for (int i = 0; i < TRIES; i++) {
      if (isTooSlow()) {
        return End.STALLED;
      }
      long end = Math.min(acknowledged + options.window(), last);
      for (long each = acknowledged + 1; each <= end; each++) {
        send(each);
      }
      if (await((int) (end - before)) == Answer.REFUSED) {
        return End.REFUSED;
      }
      if (acknowledged > before) {
        return End.DONE;
      }
    }
    return End.STALLED;
  }

  private boolean isTooSlow() {
    long seconds = (System.nanoTime() - start) / 1_000_000_000 - PATIENCE.toSeconds();
    return seconds > 0 && sent() / seconds < LEAST_BYTES_A_SECOND;
  }

  private void send(long number) throws IOException {
    long offset = (number - 1) * options.block();
    int length = (int) Math.min(options.block(), file.size() - offset);
    block.clear().putShort((short) TftpPacket.DATA).putShort((short) number);
    block.limit(4 + length);
    while (block.hasRemaining()) {
      if (file.channel().read(block, offset + block.position() - 4) < 0) {
        ByteBuffer error = TftpPacket.error(0, "the file became shorter");
        socket.send(new DatagramPacket(error.array(), error.limit()));
        throw new IOException("the file became shorter while it was sent");
      }
    }
    socket.send(new DatagramPacket(block.array(), block.limit()));
  }

  private enum Answer {
    TAKEN,
    REFUSED,
    NONE
  }

  /**
   * Waits for an acknowledgement of what was sent. One of an earlier block says nothing: to send
   * again for each would double every packet from then on (RFC 1123 section 4.2.3.1). Where several
   * blocks are under way it says that the first of them was lost (RFC 7440 section 4), and others
   * that follow say no more.
   *
   * @param most blocks that may be acknowledged, 0 for the options
   */
  private Answer await(int most) throws IOException {
    long until = System.nanoTime() + Duration.ofSeconds(options.timeout()).toNanos();
    while (true) {
      long left = (until - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return Answer.NONE;
      }
      socket.setSoTimeout((int) left);
      DatagramPacket packet = new DatagramPacket(received, received.length);
      try {
        socket.receive(packet);
      } catch (SocketTimeoutException e) {
        return Answer.NONE;
      }
      switch (TftpPacket.parse(ByteBuffer.wrap(received, 0, packet.getLength())).orElse(null)) {
        case TftpPacket.Failure(int code) -> {
          return Answer.REFUSED;
        }
        case TftpPacket.Ack(int number) -> {
          int further = (int) (number - acknowledged) & 0xffff;
          if (further == 0 ? most == 0 : further <= most) {
            acknowledged += further;
            return Answer.TAKEN;
          }
          if (further == 0 && !hastened) {
            hastened = true;
            return Answer.NONE;
          }
        }
        case null, default -> {}
      }
    }
  }
}
