package slipway.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.process.Command;

/** What a machine is told of itself, as a guest asks for it. */
class CloudDataTest {
  private static final String KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO me@here";

  @TempDir Path directory;

  private static CloudData data(CloudData.Cloud cloud) {
    byte[] user = "#cloud-config\npackages: [\u00fc]\n".getBytes(StandardCharsets.UTF_8);
    return CloudData.of(cloud, "web", List.of(KEY), user);
  }

  @Test
  void amazonsServiceAnswersAsItsGuideSays() throws Exception {
    CloudData data = data(CloudData.Cloud.EC2);
    try (Relay relay = Relay.to(data, Files.createDirectory(directory.resolve("it's, one")))) {
      assertThat(relay.get("/")).contains("2009-04-04\n").endsWith("latest");
      assertThat(relay.get("/latest/")).isEqualTo("meta-data/\ndynamic/\nuser-data");
      for (String version : List.of("latest", "2009-04-04", "2021-03-23")) {
        String meta = "/" + version + "/meta-data/";
        assertThat(relay.get(meta + "instance-id")).isEqualTo(data.instance());
        assertThat(relay.get(meta + "local-hostname")).isEqualTo("web");
        assertThat(relay.get(meta + "public-keys/")).isEqualTo("0=key-0");
        assertThat(relay.get(meta + "public-keys/0/")).isEqualTo("openssh-key");
        assertThat(relay.get(meta + "public-keys/0/openssh-key")).isEqualTo(KEY);
        assertThat(relay.get("/" + version + "/user-data")).contains("packages: [\u00fc]");
      }
      assertThat(relay.get("/latest/meta-data")).isEqualTo(relay.get("/latest/meta-data/"));
      assertThat(relay.get("/latest/meta-data/network/interfaces/macs/"))
          .isEqualTo("52:54:00:12:34:56/");
      assertThat(relay.get("/latest/dynamic/instance-identity/document"))
          .contains("\"instanceId\":\"" + data.instance() + "\"");
    }
  }

  @Test
  void aTokenIsGivenAndAnotherIsRefused() throws Exception {
    try (Relay relay = Relay.to(data(CloudData.Cloud.EC2), directory)) {
      String ttl = "X-aws-ec2-metadata-token-ttl-seconds";
      HttpResponse<String> token = relay.ask("PUT", "/latest/api/token", ttl, "21600");
      assertThat(token.statusCode()).isEqualTo(200);
      assertThat(token.headers().firstValue(ttl)).contains("21600");
      String shown = "x-AWS-ec2-metadata-token";
      String asked = "/latest/meta-data/instance-id";
      assertThat(relay.ask("GET", asked, shown, token.body()).statusCode()).isEqualTo(200);
      assertThat(relay.ask("GET", asked, shown, "other").statusCode()).isEqualTo(401);
      for (String wrong : List.of("0", "21601", "-1", "", "9999999", "1;id")) {
        assertThat(relay.ask("PUT", "/latest/api/token", ttl, wrong).statusCode()).isEqualTo(400);
      }
      assertThat(relay.ask("POST", asked, "X-A", "b").statusCode()).isEqualTo(405);
    }
  }

  @Test
  void whatAGuestMakesUpLeadsNowhere() throws Exception {
    Files.writeString(directory.resolve("secret"), "secret");
    try (Relay relay = Relay.to(data(CloudData.Cloud.EC2), directory)) {
      for (String path :
          List.of(
              "/../secret",
              "/latest/../../token",
              "/latest/meta-data/.list",
              "/latest/meta-data/*",
              "/latest/$(id)",
              "/latest/none",
              "//../token",
              "latest/user-data",
              "http://x/latest/user-data")) {
        assertThat(relay.raw("GET " + path + " HTTP/1.1\r\n\r\n"))
            .startsWith("HTTP/1.1 404 Not Found\r\n")
            .contains("Content-Length: 0\r\n");
      }
      assertThat(relay.raw("GET / HTTP/1.1\r\n" + "a: b\r\n".repeat(200) + "\r\n")).isEmpty();
      assertThat(relay.raw("HEAD /latest/user-data HTTP/1.1\r\n\r\n")).endsWith("\r\n\r\n");
      assertThat(relay.raw("")).isEmpty();
    }
  }

  @Test
  void withoutUserDataThereIsNone() throws Exception {
    CloudData bare = CloudData.of(CloudData.Cloud.EC2, "web", List.of(), null);
    try (Relay relay = Relay.to(bare, directory)) {
      assertThat(relay.ask("GET", "/latest/user-data", "X-A", "b").statusCode()).isEqualTo(404);
      assertThat(relay.get("/latest/")).doesNotContain("user-data");
      assertThat(relay.get("/latest/meta-data/")).doesNotContain("public-keys");
    }
  }

  @Test
  void theSeedDiskIsFoundByItsNameAndReadByOthers() throws Exception {
    CloudData data = data(CloudData.Cloud.NOCLOUD);
    List<String> words = data.prepare(directory).arguments();
    String disk = directory.resolve("seed.img").toString();
    assertThat(words.get(1)).contains("readonly=on").endsWith(disk);
    assertThat(Command.of("blkid", "-p", "-o", "value", "-s", "LABEL", disk).output().strip())
        .isEqualTo("CIDATA");
    assertThat(Command.of("mtype", "-i", disk, "::user-data").output()).contains("[\u00fc]");
    assertThat(Command.of("mtype", "-i", disk, "::meta-data").output())
        .contains("\"instance-id\":\"" + data.instance() + "\"", KEY);
    // Again, for a machine that is switched on a second time.
    data.prepare(directory);
    assertThat(directory).isDirectoryContaining(f -> f.endsWith("seed.img"));
    try (var all = Files.list(directory)) {
      assertThat(all).hasSize(1);
    }
  }

  @Test
  void moreThanTheCloudTakesIsRefused() {
    assertThatThrownBy(
            () -> CloudData.of(CloudData.Cloud.EC2, "web", List.of(), new byte[16 * 1024 + 1]))
        .isInstanceOf(Problem.class)
        .hasMessage("the user data has more than 16384 bytes, which is all that ec2 takes");
  }

  /** Does what QEMU's user network does: runs the command for each connection. */
  private record Relay(ServerSocket server, List<String> command) implements AutoCloseable {
    static Relay to(CloudData data, Path state) throws IOException {
      String network = data.prepare(state).network();
      assertThat(network).contains("guestfwd=tcp:169.254.169.254:80-cmd:timeout 30 sh ");
      // A shell takes it apart as QEMU does.
      String line = network.substring(network.indexOf("-cmd:") + 5).replace(",,", ",");
      Relay relay =
          new Relay(
              new ServerSocket(0, 16, InetAddress.getLoopbackAddress()), List.of("sh", "-c", line));
      Thread.ofPlatform().daemon().start(relay::serve);
      return relay;
    }

    private void serve() {
      while (true) {
        try (Socket guest = server.accept()) {
          Process answer = Command.of(command).start();
          Thread.ofPlatform().daemon().start(() -> copy(guest, answer));
          try (InputStream said = answer.getInputStream()) {
            said.transferTo(guest.getOutputStream());
          }
        } catch (IOException e) {
          if (server.isClosed()) {
            return;
          }
        }
      }
    }

    private static void copy(Socket guest, Process answer) {
      try (OutputStream to = answer.getOutputStream()) {
        InputStream from = guest.getInputStream();
        byte[] buffer = new byte[4096];
        for (int n = from.read(buffer); n >= 0; n = from.read(buffer)) {
          to.write(buffer, 0, n);
          to.flush();
        }
      } catch (IOException e) {
        // One of them has ended.
      }
    }

    HttpResponse<String> ask(String method, String path, String header, String value)
        throws Exception {
      try (HttpClient client = HttpClient.newHttpClient()) {
        URI uri = URI.create("http://127.0.0.1:" + server.getLocalPort() + path);
        HttpRequest.BodyPublisher nothing = HttpRequest.BodyPublishers.noBody();
        return client.send(
            HttpRequest.newBuilder(uri)
                .version(HttpClient.Version.HTTP_1_1)
                .header(header, value)
                .method(method, nothing)
                .build(),
            HttpResponse.BodyHandlers.ofString());
      }
    }

    String get(String path) throws Exception {
      HttpResponse<String> response = ask("GET", path, "Accept", "*/*");
      assertThat(response.statusCode()).as(path).isEqualTo(200);
      return response.body();
    }

    String raw(String request) throws IOException {
      try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
        socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
        socket.shutdownOutput();
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      }
    }

    @Override
    public void close() throws IOException {
      server.close();
    }
  }
}
