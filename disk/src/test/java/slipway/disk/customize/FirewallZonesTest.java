package slipway.disk.customize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.disk.config.DiskConfig.Firewall;

class FirewallZonesTest {
  private static final String PUBLIC =
      """
      <?xml version="1.0" encoding="utf-8"?>
      <zone>
        <short>Public</short>
        <service name="ssh"/>
        <service name="dhcpv6-client"/>
      </zone>
      """;

  @TempDir Path root;
  private Path etc;
  private Path image;

  @BeforeEach
  void makeImage() throws Exception {
    etc = Files.createDirectories(root.resolve("etc/firewalld")).getParent();
    image = Files.createDirectories(root.resolve("usr/lib/firewalld/zones")).getParent();
    Files.createDirectories(image.resolve("services"));
    Files.writeString(image.resolve("services/http.xml"), "<service/>");
    Files.writeString(image.resolve("zones/public.xml"), PUBLIC);
  }

  private void apply(Firewall firewall) throws Exception {
    new FirewallZones(etc).apply(firewall);
  }

  private static Firewall open(String port, String protocol) {
    return new Firewall(
        List.of(new Firewall.Port(port, protocol)), List.of(), List.of(), List.of());
  }

  @Test
  void theDefaultZoneLetsMoreInOrLess() throws Exception {
    Firewall wanted =
        new Firewall(
            List.of(new Firewall.Port("8000-8010", "udp")),
            List.of("http"),
            List.of("ssh"),
            List.of(new Firewall.Zone("office", List.of("192.0.2.0/24"))));
    apply(wanted);
    apply(wanted);
    assertThat(etc.resolve("firewalld/zones/public.xml"))
        .hasContent(
            """
            <?xml version="1.0" encoding="utf-8"?>
            <zone>
              <short>Public</short>
              <service name="dhcpv6-client"/>
              <port port="8000-8010" protocol="udp"/>
              <service name="http"/>
            </zone>
            """);
    assertThat(etc.resolve("firewalld/zones/office.xml"))
        .hasContent(
            """
            <?xml version="1.0" encoding="utf-8"?>
            <zone>
              <source address="192.0.2.0/24"/>
            </zone>
            """);
  }

  @Test
  void theImagesOwnChoiceOfAZoneCounts() throws Exception {
    Files.writeString(etc.resolve("firewalld/firewalld.conf"), "# x\nDefaultZone=work\n");
    Path zones = Files.createDirectories(etc.resolve("firewalld/zones"));
    Files.writeString(zones.resolve("work.xml"), "<zone>\n</zone>\n");
    apply(open("80", "tcp"));
    assertThat(zones.resolve("work.xml"))
        .hasContent("<zone>\n  <port port=\"80\" protocol=\"tcp\"/>\n</zone>\n");
    assertThat(zones.resolve("public.xml")).doesNotExist();
  }

  @Test
  void whatIsNotThereIsTold() throws Exception {
    Firewall unknown = new Firewall(List.of(), List.of("htpt"), List.of(), List.of());
    assertThatThrownBy(() -> apply(unknown))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("knows no service \"htpt\"");
    Files.delete(image.resolve("zones/public.xml"));
    assertThatThrownBy(() -> apply(open("80", "tcp")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("has no firewalld");
    apply(Firewall.NONE);
  }

  @Test
  void aLinkIsNotWrittenThrough() throws Exception {
    Path outside = Files.createDirectory(root.resolve("outside"));
    Files.createSymbolicLink(etc.resolve("firewalld/zones"), outside);
    assertThatThrownBy(() -> apply(open("80", "tcp"))).isInstanceOf(Problem.class);
    assertThat(outside).isEmptyDirectory();
  }
}
