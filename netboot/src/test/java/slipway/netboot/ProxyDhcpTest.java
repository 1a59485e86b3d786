package slipway.netboot;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProxyDhcpTest {
  static final ProxyDhcp PROXY =
      new ProxyDhcp(address("192.0.2.1"), new BootFiles("http://192.0.2.1:8080/"));

  private static Inet4Address address(String text) {
    return (Inet4Address) InetAddress.ofLiteral(text);
  }

  /** As firmware asks: a packet of BOOTP, then options. */
  static byte[] question(int type, String vendor, String user, int architecture) {
    ByteBuffer head = ByteBuffer.allocate(240);
    head.put(new byte[] {1, 1, 6, 0}).putInt(0x12345678).putShort((short) 4).putShort((short) -1);
    head.position(28).put(HexFormat.of().parseHex("525400123456"));
    head.putInt(236, 0x63825363);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(head.array());
    out.writeBytes(new byte[] {53, 1, (byte) type});
    text(out, 60, vendor);
    text(out, 77, user);
    if (architecture >= 0) {
      out.writeBytes(new byte[] {93, 2, 0, (byte) architecture});
    }
    out.writeBytes(new byte[] {97, 17, 0});
    out.writeBytes(HexFormat.of().parseHex("00112233445566778899aabbccddeeff"));
    out.write(255);
    return out.toByteArray();
  }

  private static void text(ByteArrayOutputStream out, int code, String text) {
    if (!text.isEmpty()) {
      out.write(code);
      out.write(text.length());
      out.writeBytes(text.getBytes(US_ASCII));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "PXEClient:Arch:00000:UNDI:002001, '', 0, grub.pxe",
    "PXEClient:Arch:00007:UNDI:003001, '', 7, grubx64.efi",
    "PXEClient:Arch:00009:UNDI:003001, '', 9, grubx64.efi",
    "HTTPClient:Arch:00016:UNDI:003001, '', 16, http://192.0.2.1:8080/grubx64.efi",
    "PXEClient:Arch:00000:UNDI:002001, iPXE, 0, http://192.0.2.1:8080/boot.ipxe",
    "PXEClient:Arch:00007:UNDI:003010, iPXE, 7, http://192.0.2.1:8080/boot.ipxe"
  })
  void eachMachineIsToldItsFile(String vendor, String user, int architecture, String file) {
    for (int type : new int[] {1, 3}) {
      ByteBuffer asked = ByteBuffer.wrap(question(type, vendor, user, architecture));
      ProxyDhcp.Reply reply = PROXY.answer(asked, type == 3).orElseThrow();
      assertThat(reply.file()).isEqualTo(file);
      assertThat(reply.machine()).isEqualTo("52:54:00:12:34:56");
      DhcpPacket answer = DhcpPacket.parse(ByteBuffer.wrap(reply.packet())).orElseThrow();
      assertThat(answer.op()).isEqualTo(2);
      assertThat(answer.number(53, 1)).isEqualTo(type == 1 ? 2 : 5);
      assertThat(answer.text(67)).isEqualTo(file);
      assertThat(answer.text(60)).isEqualTo(vendor.substring(0, vendor.indexOf(':')));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, '', '', 0",
    "1, MSFT 5.0, '', 0",
    "1, PXEClient:Arch:00011, '', 11",
    "1, PXEClient:Arch:00006, '', 6",
    "1, PXEClient, '', -1",
    "1, PXEClient:Arch:00016, '', 16",
    "1, HTTPClient:Arch:00007, '', 7",
    "2, PXEClient:Arch:00000, '', 0",
    "3, PXEClient:Arch:00000, '', 0",
    "7, PXEClient:Arch:00000, '', 0"
  })
  void othersAreToldNothing(int type, String vendor, String user, int architecture) {
    assertThat(PROXY.answer(ByteBuffer.wrap(question(type, vendor, user, architecture)), false))
        .isEqualTo(Optional.empty());
  }

  @Test
  void theOfferIsThisPacket() {
    ByteBuffer asked = ByteBuffer.wrap(question(1, "PXEClient:Arch:00000:UNDI:002001", "", 0));
    byte[] packet = PROXY.answer(asked, false).orElseThrow().packet();
    HexFormat hex = HexFormat.of();
    assertThat(hex.formatHex(packet, 0, 44))
        .isEqualTo(
            "02010600"
                + "12345678"
                + "0000ffff"
                + "00000000"
                + "00000000"
                + "c0000201"
                + "00000000"
                + "525400123456"
                + "00000000000000000000");
    assertThat(new String(packet, 108, 8, US_ASCII)).isEqualTo("grub.pxe");
    assertThat(hex.formatHex(packet, 236, 300))
        .isEqualTo(
            "63825363"
                + "350102"
                + "3604c0000201"
                + "3c09505845436c69656e74"
                + "61110000112233445566778899aabbccddeeff"
                + "2b04060108ff"
                + "4308677275622e707865"
                + "ff"
                + "00000000");
    assertThat(packet).hasSize(300);
  }

  @Test
  void theServerAnswersWhoAsks() throws Exception {
    InetSocketAddress free = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    Queue<NetbootEvent> events = new ConcurrentLinkedQueue<>();
    try (ProxyDhcpServer server = ProxyDhcpServer.start(PROXY, free, free, events::add);
        DatagramSocket client = new DatagramSocket(free)) {
      client.setSoTimeout(10_000);
      for (int port : new int[] {server.dhcpPort(), server.bootPort()}) {
        byte[] noise = {1, 2, 3};
        client.send(new DatagramPacket(noise, 3, free.getAddress(), port));
        byte[] asked = question(port == server.bootPort() ? 3 : 1, "PXEClient", "", 7);
        client.send(new DatagramPacket(asked, asked.length, free.getAddress(), port));
        DatagramPacket answer = new DatagramPacket(new byte[1500], 1500);
        client.receive(answer);
        assertThat(
                DhcpPacket.parse(ByteBuffer.wrap(answer.getData(), 0, answer.getLength()))
                    .orElseThrow()
                    .text(67))
            .isEqualTo("grubx64.efi");
      }
    }
    assertThat(events).extracting(NetbootEvent::client).containsOnly("52:54:00:12:34:56");
  }
}
