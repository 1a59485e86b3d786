package slipway.netboot;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A packet of a client (RFC 1350 section 5, RFC 2347).
 *
 * <pre>
 *  1 or 2  file 0 mode 0 (option 0 value 0)*     request to read, or to write
 *  3       block data                            which no client of ours sends
 *  4       block                                 acknowledgement
 *  5       code text 0
 * </pre>
 */
sealed interface TftpPacket {
  int READ = 1;
  int WRITE = 2;
  int DATA = 3;
  int ACK = 4;
  int ERROR = 5;
  int OPTIONS_ACK = 6;

  int NOT_FOUND = 1;
  int ACCESS_VIOLATION = 2;
  int ILLEGAL = 4;

  /** Names and options of a request fit into one that no network cuts (RFC 2347 says 512). */
  int LONGEST_REQUEST = 512;

  /**
   * @param mode in small letters
   * @param options by their names in small letters, in order
   */
  record Request(boolean read, String file, String mode, Map<String, String> options)
      implements TftpPacket {}

  /** The number of a block, of 16 bits. */
  record Ack(int block) implements TftpPacket {}

  record Failure(int code) implements TftpPacket {}

  /** Reads one; nothing for what is none. */
  static Optional<TftpPacket> parse(ByteBuffer packet) {
    if (packet.remaining() < 4) {
      return Optional.empty();
    }
    int kind = packet.getShort() & 0xffff;
    return switch (kind) {
      case READ, WRITE -> request(kind == READ, packet);
      case ACK -> Optional.of(new Ack(packet.getShort() & 0xffff));
      case ERROR -> Optional.of(new Failure(packet.getShort() & 0xffff));
      default -> Optional.empty();
    };
  }

  private static Optional<TftpPacket> request(boolean read, ByteBuffer packet) {
    if (packet.remaining() > LONGEST_REQUEST) {
      return Optional.empty();
    }
    List<String> words = new ArrayList<>();
    byte[] bytes = new byte[packet.remaining()];
    packet.get(bytes);
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        words.add(new String(bytes, start, i - start, ISO_8859_1));
        start = i + 1;
      }
    }
    // Some clients fill their packet up; what ends without a zero is none of them.
    if (words.size() < 2 || words.getFirst().isEmpty()) {
      return Optional.empty();
    }
    Map<String, String> options = new LinkedHashMap<>();
    for (int i = 2; i + 1 < words.size(); i += 2) {
      options.putIfAbsent(words.get(i).toLowerCase(Locale.ROOT), words.get(i + 1));
    }
    String mode = words.get(1).toLowerCase(Locale.ROOT);
    return Optional.of(new Request(read, words.getFirst(), mode, options));
  }

  /** An answer that ends a transfer. */
  static ByteBuffer error(int code, String text) {
    byte[] bytes = text.getBytes(ISO_8859_1);
    ByteBuffer packet = ByteBuffer.allocate(5 + bytes.length);
    return packet.putShort((short) ERROR).putShort((short) code).put(bytes).put((byte) 0).flip();
  }

  /** An answer that takes options. */
  static ByteBuffer optionsAck(Map<String, String> options) {
    StringBuilder text = new StringBuilder();
    options.forEach((name, value) -> text.append(name).append('\0').append(value).append('\0'));
    byte[] bytes = text.toString().getBytes(ISO_8859_1);
    return ByteBuffer.allocate(2 + bytes.length).putShort((short) OPTIONS_ACK).put(bytes).flip();
  }
}
