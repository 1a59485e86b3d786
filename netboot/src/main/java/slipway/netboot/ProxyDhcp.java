package slipway.netboot;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.net.Inet4Address;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Tells machines that start from the network which file comes first (RFC 4578, Preboot Execution
 * Environment 2.1 section 2). It gives no addresses: that is for the network's own DHCP server,
 * whose answer it stands beside.
 */
record ProxyDhcp(Inet4Address server, BootFiles files) {
  private static final String PXE = "PXEClient";
  private static final String HTTP = "HTTPClient";

  /** PXE_DISCOVERY_CONTROL: load the file that is named, and look for no other boot server. */
  private static final byte[] NO_DISCOVERY = DhcpPacket.vendor(6, 1, 8, 255);

  /**
   * An answer.
   *
   * @param machine its hardware address
   * @param file that it is told
   */
  record Reply(DhcpPacket question, byte[] packet, String machine, String file) {}

  /**
   * What a packet is answered with.
   *
   * @param boot whether it came to the port of boot servers, 4011, where requests are answered
   * @return nothing for what is none of ours
   */
  Optional<Reply> answer(ByteBuffer bytes, boolean boot) {
    Optional<DhcpPacket> parsed = DhcpPacket.parse(bytes);
    if (parsed.isEmpty() || parsed.get().op() != DhcpPacket.ASKS) {
      return Optional.empty();
    }
    DhcpPacket packet = parsed.get();
    int type = packet.number(DhcpPacket.MESSAGE_TYPE, 1);
    if (type != DhcpPacket.DISCOVER && !(boot && type == DhcpPacket.REQUEST)) {
      return Optional.empty();
    }
    String vendor = packet.text(DhcpPacket.VENDOR_CLASS);
    boolean http = vendor.startsWith(HTTP);
    if (!http && !vendor.startsWith(PXE)) {
      return Optional.empty();
    }
    boolean ipxe = packet.text(DhcpPacket.USER_CLASS).contains("iPXE");
    return files
        .first(packet.number(DhcpPacket.ARCHITECTURE, 2), ipxe)
        .filter(first -> ipxe || http == (first.way() == BootFiles.Way.HTTP_CLIENT))
        .map(first -> reply(packet, type, first, http));
  }

  private Reply reply(DhcpPacket packet, int type, BootFiles.First first, boolean http) {
    Map<Integer, byte[]> with = new LinkedHashMap<>();
    int kind = type == DhcpPacket.DISCOVER ? DhcpPacket.OFFER : DhcpPacket.ACKNOWLEDGE;
    with.put(DhcpPacket.MESSAGE_TYPE, new byte[] {(byte) kind});
    with.put(DhcpPacket.SERVER, server.getAddress());
    with.put(DhcpPacket.VENDOR_CLASS, (http ? HTTP : PXE).getBytes(US_ASCII));
    byte[] machine = packet.options().get(DhcpPacket.MACHINE);
    if (machine != null && machine.length == 17) {
      with.put(DhcpPacket.MACHINE, machine);
    }
    if (!http) {
      with.put(DhcpPacket.VENDOR, NO_DISCOVERY);
    }
    with.put(DhcpPacket.BOOT_FILE, first.file().getBytes(US_ASCII));
    byte[] answer = packet.answer(server.getAddress(), first.file(), with);
    return new Reply(packet, answer, packet.hardware(), first.file());
  }
}
