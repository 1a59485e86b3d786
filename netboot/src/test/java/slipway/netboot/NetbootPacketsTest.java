package slipway.netboot;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Packets of strangers are read, or are none; nothing else comes of them. */
class NetbootPacketsTest {
  @ParameterizedTest
  @CsvSource({
    "f~octet~, {}",
    "f~NetASCII~, {}",
    "f~octet~tsize~0~, {tsize=0}",
    "f~octet~TSize~0~tsize~1~, {tsize=0}",
    "f~octet~tsize~, {}",
    "f~octet~blksize~512~rest without end, {blksize=512}",
    "f~octet~~~, {=}"
  })
  void requestsAreRead(String text, String options) {
    var packet = TftpPacket.parse(tftp(TftpPacket.READ, text)).orElseThrow();
    assertThat(packet).isInstanceOf(TftpPacket.Request.class);
    assertThat(((TftpPacket.Request) packet).options()).hasToString(options);
  }

  @ParameterizedTest
  @CsvSource({"''", "f", "f~octet", "~octet~", "~~"})
  void whatIsNoRequestIsNone(String text) {
    assertThat(TftpPacket.parse(tftp(TftpPacket.READ, text))).isEmpty();
  }

  @Test
  void aRequestThatNoClientSendsIsNone() {
    assertThat(TftpPacket.parse(tftp(TftpPacket.READ, "f".repeat(600) + "~octet~"))).isEmpty();
    assertThat(TftpPacket.parse(tftp(TftpPacket.DATA, "~~"))).isEmpty();
    assertThat(TftpPacket.parse(tftp(99, "~~"))).isEmpty();
  }

  private static ByteBuffer tftp(int kind, String text) {
    byte[] bytes = text.replace('~', '\0').getBytes(ISO_8859_1);
    return ByteBuffer.allocate(2 + bytes.length).putShort((short) kind).put(bytes).flip();
  }

  @Test
  void noPacketBreaksTheReaders() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    ProxyDhcp proxy = ProxyDhcpTest.PROXY;
    byte[] whole = ProxyDhcpTest.question(1, "PXEClient:Arch:00000", "", 0);
    for (int i = 0; i < 200_000; i++) {
      byte[] bytes = i % 2 == 0 ? new byte[random.nextInt(600)] : whole.clone();
      if (i % 2 == 0) {
        random.nextBytes(bytes);
      } else {
        int changes = 1 + random.nextInt(4);
        for (int k = 0; k < changes; k++) {
          bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        bytes = java.util.Arrays.copyOf(bytes, bytes.length - random.nextInt(80));
      }
      try {
        TftpPacket.parse(ByteBuffer.wrap(bytes));
        proxy.answer(ByteBuffer.wrap(bytes), random.nextBoolean());
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + ", packet " + i, e);
      }
    }
  }

  @Test
  void optionsInPartsAreJoined() {
    byte[] bytes = ProxyDhcpTest.question(1, "", "", -1);
    ByteBuffer packet = ByteBuffer.wrap(java.util.Arrays.copyOf(bytes, bytes.length + 20));
    packet.position(bytes.length - 1);
    packet.put(new byte[] {60, 3, 'P', 'X', 'E', 0, 60, 2, 'C', 'l', (byte) 255});
    assertThat(DhcpPacket.parse(packet.rewind()).orElseThrow().text(60)).isEqualTo("PXECl");
  }
}
