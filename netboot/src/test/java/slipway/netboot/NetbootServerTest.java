package slipway.netboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.process.Command;

class NetbootServerTest {
  @TempDir Path dir;

  private final Queue<NetbootEvent> events = new ConcurrentLinkedQueue<>();

  private NetbootServer start(int http, int connections) throws IOException {
    Inet4Address loopback = (Inet4Address) InetAddress.ofLiteral("127.0.0.1");
    return NetbootServer.start(
        dir,
        new NetbootServer.Listening(loopback, loopback, http, 0, 0, 0, connections),
        events::add);
  }

  private static String curl(NetbootServer server, String... arguments) {
    String url = arguments[arguments.length - 1];
    String[] before = java.util.Arrays.copyOf(arguments, arguments.length - 1);
    return Command.of("curl", "-sS", "--path-as-is")
        .with(before)
        .with("http://127.0.0.1:" + server.httpPort() + url)
        .output();
  }

  @Test
  void servesFilesAndPartsOfThem() throws IOException {
    Files.writeString(dir.resolve("file.img"), "0123456789");
    Files.createSymbolicLink(dir.resolve("out"), Path.of("/etc/passwd"));
    try (NetbootServer server = start(0, 100)) {
      assertThat(curl(server, "/file.img")).isEqualTo("0123456789");
      assertThat(curl(server, "-r", "2-4", "/file.img")).isEqualTo("234");
      assertThat(curl(server, "-I", "/file.img"))
          .contains("Content-Length: 10", "Accept-Ranges: bytes", "ETag: ");
      for (String path : List.of("/out", "/%2e%2e/etc/passwd", "/", "/none", "/.x", "/a/../out")) {
        assertThat(curl(server, "-o", "/dev/null", "-w", "%{http_code}", path)).matches("40[04]");
      }
      assertThat(curl(server, "-X", "PUT", "-o", "/dev/null", "-w", "%{http_code}", "/x"))
          .isEqualTo("405");
      await().until(() -> !events.isEmpty());
      assertThat(events.element().file()).isEqualTo("/file.img");
      assertThat(events.element().bytes()).isEqualTo(10);
    }
  }

  /** Those that only hold a connection make room. */
  @Test
  void idleClientsKeepNobodyOut() throws IOException {
    Files.writeString(dir.resolve("file"), "served");
    List<Socket> idle = new ArrayList<>();
    try (NetbootServer server = start(0, 200)) {
      for (int i = 0; i < 600; i++) {
        idle.add(new Socket("127.0.0.1", server.httpPort()));
      }
      assertThat(curl(server, "/file")).isEqualTo("served");
    } finally {
      for (Socket each : idle) {
        each.close();
      }
    }
  }

  @Test
  void aPortThatIsTakenIsToldAndNothingStaysBehind() throws IOException {
    try (NetbootServer first = start(0, 10)) {
      Inet4Address loopback = (Inet4Address) InetAddress.ofLiteral("127.0.0.1");
      var same = new NetbootServer.Listening(loopback, loopback, 0, first.tftpPort(), -1, 0, 10);
      assertThatThrownBy(() -> NetbootServer.start(dir, same, events::add))
          .isInstanceOf(Problem.class)
          .hasMessage(
              "cannot listen on 127.0.0.1:%d for TFTP: the port is in use; choose another, or stop"
                      .formatted(first.tftpPort())
                  + " what listens there");
    }
  }

  @Test
  void otherServersAreToldInTheirWords() {
    String text = new DhcpSettings("192.0.2.1", "http://192.0.2.1/").text();
    assertThat(text)
        .contains("dhcp-boot=tag:bios,tag:!ipxe,grub.pxe,,192.0.2.1")
        .contains("filename \"http://192.0.2.1/boot.ipxe\";")
        .contains("\"boot-file-name\": \"http://192.0.2.1/grubx64.efi\"");
  }
}
