package slipway.netboot;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A packet of DHCP (RFC 2131 section 2, options RFC 2132).
 *
 * <pre>
 *    0  op, htype, hlen, hops     1 asks, 2 answers
 *    4  xid                       copied into the answer
 *    8  secs, flags
 *   12  ciaddr, yiaddr, siaddr, giaddr
 *   28  chaddr (16), sname (64), file (128)
 *  236  63 82 53 63, then code, length, bytes of each option, 255
 * </pre>
 *
 * @param op who speaks
 * @param head the first 236 bytes
 * @param options by their codes; those that come in several parts joined (RFC 3396)
 */
record DhcpPacket(int op, byte[] head, Map<Integer, byte[]> options) {
  static final int ASKS = 1;
  static final int ANSWERS = 2;

  static final int MESSAGE_TYPE = 53;
  static final int SERVER = 54;
  static final int VENDOR_CLASS = 60;
  static final int VENDOR = 43;
  static final int BOOT_FILE = 67;
  static final int USER_CLASS = 77;
  static final int ARCHITECTURE = 93;
  static final int MACHINE = 97;

  static final int DISCOVER = 1;
  static final int OFFER = 2;
  static final int REQUEST = 3;
  static final int ACKNOWLEDGE = 5;

  private static final int HEAD = 236;
  private static final int COOKIE = 0x63825363;
  private static final int SERVER_ADDRESS_AT = 20;
  private static final int RELAY_AT = 24;
  private static final int HARDWARE_AT = 28;
  private static final int FILE_AT = 108;
  private static final int FILE_LENGTH = 128;
  private static final int PAD = 0;
  private static final int END = 255;

  /** Some clients drop an answer that is shorter than BOOTP's (RFC 1542 section 2.1). */
  private static final int LEAST = 300;

  /** Reads one; nothing for what is none. */
  static Optional<DhcpPacket> parse(ByteBuffer packet) {
    if (packet.remaining() < HEAD + 4) {
      return Optional.empty();
    }
    byte[] head = new byte[HEAD];
    packet.get(head);
    if (packet.getInt() != COOKIE || head[1] != 1 || head[2] != 6) {
      return Optional.empty();
    }
    Map<Integer, byte[]> options = new LinkedHashMap<>();
    while (packet.hasRemaining()) {
      int code = packet.get() & 0xff;
      if (code == END) {
        break;
      }
      if (code == PAD) {
        continue;
      }
      int length = packet.hasRemaining() ? packet.get() & 0xff : packet.capacity();
      if (length > packet.remaining()) {
        return Optional.empty();
      }
      byte[] value = new byte[length];
      packet.get(value);
      options.merge(code, value, DhcpPacket::join);
    }
    return Optional.of(new DhcpPacket(head[0], head, options));
  }

  private static byte[] join(byte[] a, byte[] b) {
    byte[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  /** A number of an option; -1 when it has none of so many bytes. */
  int number(int code, int bytes) {
    byte[] value = options.get(code);
    if (value == null || value.length < bytes) {
      return -1;
    }
    int number = 0;
    for (int i = 0; i < bytes; i++) {
      number = number << 8 | value[i] & 0xff;
    }
    return number;
  }

  /** The text of an option, empty when it is not there. */
  String text(int code) {
    byte[] value = options.get(code);
    return value == null ? "" : new String(value, StandardCharsets.ISO_8859_1);
  }

  /** The machine's hardware address, as in {@code 52:54:00:12:34:56}. */
  String hardware() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 6; i++) {
      text.append(i == 0 ? "" : ":").append("%02x".formatted(head[HARDWARE_AT + i]));
    }
    return text.toString();
  }

  /** The relay that handed it on; zeros when none did. */
  byte[] relay() {
    return Arrays.copyOfRange(head, RELAY_AT, RELAY_AT + 4);
  }

  /**
   * An answer to this one, which gives no address.
   *
   * @param server our address, of four bytes
   * @param file where it has room for it; the option has it too
   */
  byte[] answer(byte[] server, String file, Map<Integer, byte[]> with) {
    ByteBuffer answer = ByteBuffer.allocate(1024);
    answer.put((byte) ANSWERS).put(head, 1, 2).put((byte) 0).put(head, 4, 4).putShort((short) 0);
    // Flags, relay and hardware address are the question's.
    answer.put(head, 10, 2).position(SERVER_ADDRESS_AT).put(server).put(head, RELAY_AT, 4);
    answer.put(head, HARDWARE_AT, 16);
    byte[] name = file.getBytes(StandardCharsets.ISO_8859_1);
    if (name.length < FILE_LENGTH) {
      answer.put(FILE_AT, name);
    }
    answer.position(HEAD);
    answer.putInt(COOKIE);
    with.forEach(
        (code, value) -> answer.put((byte) (int) code).put((byte) value.length).put(value));
    answer.put((byte) END);
    return Arrays.copyOf(answer.array(), Math.max(LEAST, answer.position()));
  }

  /** Bytes of options within an option (RFC 2132 section 8.4). */
  static byte[] vendor(int... bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int each : bytes) {
      out.write(each);
    }
    return out.toByteArray();
  }
}
