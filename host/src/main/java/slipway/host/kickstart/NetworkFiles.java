package slipway.host.kickstart;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.media.kickstart.KickstartCommand;

/**
 * A {@code network} command as a file of the system's own: a connection of NetworkManager
 * (nm-settings-keyfile(5)) or a network of systemd-networkd (systemd.network(5)).
 */
final class NetworkFiles {
  private static final Set<String> FOLLOWED = Set.of("ipv4-dns-search", "ipv6-dns-search");
  private static final Pattern DEVICE = Pattern.compile("[A-Za-z0-9_.-]{1,15}");
  private static final Pattern MAC = Pattern.compile("([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}");
  private static final Pattern IPV4 =
      Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})");
  private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(/\\d{1,3})?");
  private static final Pattern SEARCH = Pattern.compile("[A-Za-z0-9_.,-]+");

  private NetworkFiles() {}

  /** A file and what is in it. */
  record Written(String path, int mode, String text) {}

  /** Whether a command says something of a network, and not the machine's name alone. */
  static boolean isNeeded(KickstartCommand.Network n) {
    return n.device() != null || !n.bootProtocol().isEmpty() || n.ip() != null || n.ipv6() != null;
  }

  /**
   * @param index of the command, from 0
   * @param manager whether NetworkManager is what reads it
   */
  static Written of(KickstartCommand.Network n, int index, boolean manager) {
    requireFollowed(n);
    String name = "kickstart-" + index;
    return manager
        ? new Written(
            "/etc/NetworkManager/system-connections/" + name + ".nmconnection",
            0600,
            keyfile(n, name))
        : new Written("/etc/systemd/network/10-" + name + ".network", 0644, network(n));
  }

  private static void requireFollowed(KickstartCommand.Network n) {
    boolean isStacked =
        n.vlan() != null
            || n.interfaceName() != null
            || !n.bondMembers().isEmpty()
            || !n.bridgeMembers().isEmpty();
    if (isStacked) {
      throw InstallAnswers.wrong(
          n.at(), "network: bonds, bridges and VLANs are not made; write their files by %post");
    }
    for (String option : n.options().keySet()) {
      if (!FOLLOWED.contains(option)) {
        throw InstallAnswers.wrong(
            n.at(), "network: --" + option + " is not followed; leave it out");
      }
    }
    if (!Set.of("", "dhcp", "static").contains(n.bootProtocol())) {
      throw InstallAnswers.wrong(
          n.at(),
          "network: --bootproto=" + n.bootProtocol() + " is not followed; take dhcp or static");
    }
    if (isStatic(n) && !n.noIpv4()) {
      address(n, "ip", n.ip());
      prefix(n);
    }
    if (n.gateway() != null) {
      address(n, "gateway", n.gateway());
    }
    for (String server : n.nameservers()) {
      if (!IPV4.matcher(server).matches() && !IPV6.matcher(server).matches()) {
        throw InstallAnswers.wrong(n.at(), "network: --nameserver=" + server + " is no address");
      }
    }
    ipv6(n, "ipv6", n.ipv6());
    ipv6(n, "ipv6gateway", n.ipv6Gateway());
    if (n.mtu() != null && !n.mtu().matches("\\d{2,5}")) {
      throw InstallAnswers.wrong(n.at(), "network: --mtu=" + n.mtu() + " is no number of bytes");
    }
    search(n)
        .forEach(
            word -> {
              if (!SEARCH.matcher(word).matches()) {
                throw InstallAnswers.wrong(n.at(), "network: " + word + " is no domain");
              }
            });
  }

  private static boolean isStatic(KickstartCommand.Network n) {
    return n.bootProtocol().equals("static") || n.ip() != null && n.bootProtocol().isEmpty();
  }

  private static String address(KickstartCommand.Network n, String option, @Nullable String text) {
    Matcher m = IPV4.matcher(text == null ? "" : text);
    boolean isAddress = m.matches();
    for (int i = 1; isAddress && i <= 4; i++) {
      isAddress = Integer.parseInt(m.group(i)) <= 255;
    }
    if (text == null || !isAddress) {
      throw InstallAnswers.wrong(
          n.at(), "network: --%s needs an address such as 192.0.2.7".formatted(option));
    }
    return text;
  }

  private static void ipv6(KickstartCommand.Network n, String option, @Nullable String text) {
    boolean isWord =
        option.equals("ipv6") && Set.of("auto", "dhcp", "ignore").contains(String.valueOf(text));
    if (text != null && !isWord && !IPV6.matcher(text).matches()) {
      throw InstallAnswers.wrong(n.at(), "network: --" + option + "=" + text + " is no address");
    }
  }

  /** The length of a netmask. */
  private static int prefix(KickstartCommand.Network n) {
    String text = address(n, "netmask", n.netmask());
    long bits = 0;
    for (String part : text.split("\\.")) {
      bits = bits << 8 | Integer.parseInt(part);
    }
    int length = Long.bitCount(bits);
    if (bits != (0xffffffffL << (32 - length) & 0xffffffffL)) {
      throw InstallAnswers.wrong(n.at(), "network: --netmask=" + text + " is no netmask");
    }
    return length;
  }

  private static List<String> search(KickstartCommand.Network n) {
    List<String> words = new ArrayList<>();
    for (Map.Entry<String, String> option : n.options().entrySet()) {
      words.addAll(List.of(option.getValue().split(",")));
    }
    return words;
  }

  /** The device by its name or its address; none for any with a cable. */
  private static String device(KickstartCommand.Network n, String mac, String name) {
    String device = n.device();
    if (device == null || device.equals("link")) {
      return "";
    }
    if (MAC.matcher(device).matches()) {
      return mac + "=" + device.toLowerCase(Locale.ROOT) + "\n";
    }
    if (!DEVICE.matcher(device).matches()) {
      throw InstallAnswers.wrong(
          n.at(), "network: --device=" + device + " is neither a name nor a hardware address");
    }
    return name + "=" + device + "\n";
  }

  private static String keyfile(KickstartCommand.Network n, String name) {
    StringBuilder text = new StringBuilder("[connection]\nid=" + name + "\ntype=ethernet\n");
    String mac = device(n, "mac-address", "");
    boolean isMac = mac.startsWith("mac-address");
    if (!isMac) {
      text.append(device(n, "", "interface-name"));
    }
    if (!n.onBoot()) {
      text.append("autoconnect=false\n");
    }
    text.append("\n[ethernet]\n").append(isMac ? mac : "");
    if (n.mtu() != null) {
      text.append("mtu=").append(n.mtu()).append('\n');
    }
    text.append("\n[ipv4]\n");
    if (n.noIpv4()) {
      text.append("method=disabled\n");
    } else if (isStatic(n)) {
      text.append("method=manual\naddress1=").append(n.ip()).append('/').append(prefix(n));
      text.append(n.gateway() == null ? "\n" : "," + n.gateway() + "\n");
    } else {
      text.append("method=auto\n");
    }
    servers(text, n, false);
    text.append("\n[ipv6]\n");
    String six = n.ipv6();
    if (n.noIpv6() || "ignore".equals(six)) {
      text.append("method=disabled\n");
    } else if (six == null || six.equals("auto")) {
      text.append("method=auto\n");
    } else if (six.equals("dhcp")) {
      text.append("method=dhcp\n");
    } else {
      text.append("method=manual\naddress1=").append(six);
      text.append(n.ipv6Gateway() == null ? "\n" : "," + n.ipv6Gateway() + "\n");
    }
    servers(text, n, true);
    return text.toString();
  }

  private static void servers(StringBuilder text, KickstartCommand.Network n, boolean six) {
    List<String> servers = n.nameservers().stream().filter(s -> s.contains(":") == six).toList();
    if (!servers.isEmpty()) {
      text.append("dns=").append(String.join(";", servers)).append(";\n");
    }
    if (n.noDns()) {
      text.append("ignore-auto-dns=true\n");
    }
    if (n.noDefaultRoute()) {
      text.append("never-default=true\n");
    }
    String search = n.options().get(six ? "ipv6-dns-search" : "ipv4-dns-search");
    if (search != null) {
      text.append("dns-search=").append(search.replace(',', ';')).append(";\n");
    }
  }

  private static String network(KickstartCommand.Network n) {
    StringBuilder text = new StringBuilder("[Match]\n");
    String device = device(n, "MACAddress", "Name");
    text.append(device.isEmpty() ? "Type=ether\nKind=!*\n" : device);
    if (n.mtu() != null || !n.onBoot()) {
      text.append("\n[Link]\n");
      text.append(n.mtu() == null ? "" : "MTUBytes=" + n.mtu() + "\n");
      text.append(n.onBoot() ? "" : "ActivationPolicy=manual\nRequiredForOnline=no\n");
    }
    text.append("\n[Network]\n");
    String six = n.noIpv6() ? "ignore" : n.ipv6();
    boolean four = !n.noIpv4() && !isStatic(n);
    boolean dhcp6 = "dhcp".equals(six) || (six == null && four);
    text.append("DHCP=").append(four && dhcp6 ? "yes" : four ? "ipv4" : dhcp6 ? "ipv6" : "no");
    text.append('\n');
    if (isStatic(n) && !n.noIpv4()) {
      text.append("Address=").append(n.ip()).append('/').append(prefix(n)).append('\n');
    }
    if (n.gateway() != null) {
      text.append("Gateway=").append(n.gateway()).append('\n');
    }
    if (six != null && six.contains(":")) {
      text.append("Address=").append(six).append('\n');
    }
    if ("ignore".equals(six)) {
      text.append("IPv6AcceptRA=no\nLinkLocalAddressing=no\n");
    }
    if (n.ipv6Gateway() != null) {
      text.append("Gateway=").append(n.ipv6Gateway()).append('\n');
    }
    n.nameservers().forEach(server -> text.append("DNS=").append(server).append('\n'));
    List<String> search = search(n);
    if (!search.isEmpty()) {
      text.append("Domains=").append(String.join(" ", search)).append('\n');
    }
    for (String protocol : List.of("DHCPv4", "DHCPv6")) {
      if (n.noDns() || (n.noDefaultRoute() && protocol.equals("DHCPv4"))) {
        text.append("\n[").append(protocol).append("]\n");
        text.append(n.noDns() ? "UseDNS=no\n" : "");
        text.append(n.noDefaultRoute() && protocol.equals("DHCPv4") ? "UseGateway=no\n" : "");
      }
    }
    return text.toString();
  }
}
