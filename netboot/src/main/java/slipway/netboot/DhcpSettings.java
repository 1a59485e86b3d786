package slipway.netboot;

/**
 * What another DHCP server says to machines that start from the network, in the words of three.
 *
 * @param server our address
 * @param http where the files are served by HTTP, with a slash at the end
 */
public record DhcpSettings(String server, String http) {
  /** For dnsmasq, ISC dhcpd and Kea. */
  public String text() {
    return dnsmasq() + "\n" + dhcpd() + "\n" + kea();
  }

  private String dnsmasq() {
    return """
        # dnsmasq: a file in /etc/dnsmasq.d
        dhcp-match=set:ipxe,175
        dhcp-match=set:bios,option:client-arch,0
        dhcp-match=set:uefi,option:client-arch,7
        dhcp-match=set:uefi,option:client-arch,9
        dhcp-match=set:uefi-http,option:client-arch,16
        dhcp-boot=tag:ipxe,%2$s%5$s
        dhcp-boot=tag:bios,tag:!ipxe,%3$s,,%1$s
        dhcp-boot=tag:uefi,tag:!ipxe,%4$s,,%1$s
        dhcp-option-force=tag:uefi-http,60,HTTPClient
        dhcp-boot=tag:uefi-http,tag:!ipxe,%2$s%4$s
        """
        .formatted(server, http, BootFiles.BIOS, BootFiles.UEFI, BootFiles.IPXE);
  }

  private String dhcpd() {
    return """
        # ISC dhcpd: dhcpd.conf
        option client-arch code 93 = unsigned integer 16;
        if exists user-class and option user-class = "iPXE" {
          filename "%2$s%5$s";
        } elsif option client-arch = 00:10 {
          option vendor-class-identifier "HTTPClient";
          filename "%2$s%4$s";
        } elsif option client-arch = 00:07 or option client-arch = 00:09 {
          next-server %1$s;
          filename "%4$s";
        } elsif option client-arch = 00:00 {
          next-server %1$s;
          filename "%3$s";
        }
        """
        .formatted(server, http, BootFiles.BIOS, BootFiles.UEFI, BootFiles.IPXE);
  }

  private String kea() {
    return """
        # Kea: in "Dhcp4"
        "client-classes": [
          { "name": "ipxe", "test": "option[77].hex == 'iPXE'",
            "boot-file-name": "%2$s%5$s" },
          { "name": "uefi-http", "test": "not member('ipxe') and option[93].hex == 0x0010",
            "option-data": [ { "name": "vendor-class-identifier", "data": "HTTPClient" } ],
            "boot-file-name": "%2$s%4$s" },
          { "name": "uefi",
            "test": "not member('ipxe') and (option[93].hex == 0x0007 or option[93].hex == 0x0009)",
            "next-server": "%1$s", "boot-file-name": "%4$s" },
          { "name": "bios", "test": "not member('ipxe') and option[93].hex == 0x0000",
            "next-server": "%1$s", "boot-file-name": "%3$s" }
        ]
        """
        .formatted(server, http, BootFiles.BIOS, BootFiles.UEFI, BootFiles.IPXE);
  }
}
