package slipway.netboot;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.linux.process.Command;

/** With curl and busybox as clients, and clients of our own that lie and stall. */
class TftpServerTest {
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  @TempDir Path dir;

  private final Queue<NetbootEvent> events = new ConcurrentLinkedQueue<>();
  private ServedFolder folder;
  private TftpServer server;

  @BeforeEach
  void start() throws IOException {
    folder = ServedFolder.open(Files.createDirectory(dir.resolve("served")));
    server = TftpServer.start(new InetSocketAddress(LOOPBACK, 0), folder, events::add);
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
    folder.close();
  }

  private byte[] random(String name, int size) throws IOException {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    Files.write(dir.resolve("served").resolve(name), bytes);
    return bytes;
  }

  /** Sizes around a block's. */
  @ParameterizedTest
  @CsvSource({"1,512", "511,512", "512,512", "1024,512", "3000000,1468"})
  void curlReadsFiles(int size, int block) throws IOException {
    read(size, block);
  }

  @Test
  @Tag("slow")
  void numbersOfBlocksBeginAnew() throws IOException {
    read(65_540 * 8, 8);
  }

  private void read(int size, int block) throws IOException {
    byte[] content = random("file", size);
    Path got = dir.resolve("got");
    Command.of("curl", "-sS", "--tftp-blksize", "" + block, "-o", got.toString())
        .with("tftp://127.0.0.1:" + server.port() + "/file")
        .run();
    assertThat(got).hasBinaryContent(content);
    await().until(() -> !events.isEmpty());
    assertThat(events.element().result()).isEqualTo("sent");
    assertThat(events.element().bytes()).isEqualTo(size);
  }

  @Test
  void busyboxReadsFilesWithoutAndWithOptions() throws IOException {
    for (int size : new int[] {0, 100_001, 102_400}) {
      byte[] content = random("file", size);
      for (String block : List.of("512", "1400")) {
        Path got = dir.resolve("got" + block + size);
        Command.of("busybox", "tftp", "-g", "-b", block, "-l", got.toString(), "-r", "file")
            .with("127.0.0.1", "" + server.port())
            .run();
        assertThat(got).hasBinaryContent(content);
      }
    }
  }

  @Test
  void whatIsNotServedIsRefused() throws IOException {
    Files.writeString(dir.resolve("secret"), "secret");
    Path got = dir.resolve("got");
    Command.Result result =
        Command.of("curl", "-sS", "--path-as-is", "-o", got.toString())
            .with("tftp://127.0.0.1:" + server.port() + "/../secret")
            .tryRun();
    assertThat(result.status()).isEqualTo(68);
    Path up = Files.writeString(dir.resolve("up"), "x");
    assertThat(
            Command.of("curl", "-sS", "-T", up.toString())
                .with("tftp://127.0.0.1:" + server.port() + "/up")
                .tryRun()
                .status())
        .isEqualTo(69);
    assertThat(dir.resolve("served/up")).doesNotExist();
    assertThat(events)
        .extracting(NetbootEvent::result)
        .contains("no such file", "nothing can be written here");
  }

  private static ByteBuffer ask(String... words) {
    ByteBuffer packet = ByteBuffer.allocate(600).putShort((short) TftpPacket.READ);
    for (String word : words) {
      packet.put(word.getBytes(ISO_8859_1)).put((byte) 0);
    }
    return packet.flip();
  }

  private static ByteBuffer ack(int block) {
    return ByteBuffer.allocate(4).putShort((short) TftpPacket.ACK).putShort((short) block).flip();
  }

  private void send(DatagramSocket socket, ByteBuffer packet, int port) throws IOException {
    socket.send(new DatagramPacket(packet.array(), packet.limit(), LOOPBACK, port));
  }

  private static DatagramPacket receive(DatagramSocket socket) throws IOException {
    socket.setSoTimeout(10_000);
    DatagramPacket packet = new DatagramPacket(new byte[2000], 2000);
    socket.receive(packet);
    return packet;
  }

  private static ByteBuffer bytes(DatagramPacket packet) {
    return ByteBuffer.wrap(packet.getData(), 0, packet.getLength());
  }

  /** The client loses every third packet, and acknowledges some twice. */
  @ParameterizedTest
  @ValueSource(strings = {"1", "7"})
  void whatIsLostIsSentAgain(String window) throws IOException {
    byte[] content = random("file", 12_000);
    ByteArrayOutputStream got = new ByteArrayOutputStream();
    try (DatagramSocket client = new DatagramSocket(0, LOOPBACK)) {
      send(client, ask("file", "octet", "windowsize", window, "timeout", "1"), server.port());
      int next = 1;
      int count = 0;
      int held = 0;
      while (true) {
        DatagramPacket packet = receive(client);
        ByteBuffer data = bytes(packet);
        if (++count % 11 == 3) {
          continue;
        }
        if (data.getShort() == TftpPacket.OPTIONS_ACK) {
          send(client, ack(0), packet.getPort());
          continue;
        }
        boolean isNext = data.getShort() == next;
        if (isNext) {
          got.write(packet.getData(), 4, packet.getLength() - 4);
          next++;
        }
        boolean last = packet.getLength() < 516;
        if (!isNext || last || ++held == Integer.parseInt(window)) {
          held = 0;
          send(client, ack(next - 1), packet.getPort());
          send(client, ack(next - 1), packet.getPort());
        }
        if (isNext && last) {
          break;
        }
      }
    }
    assertThat(got.toByteArray()).isEqualTo(content);
  }

  /** RFC 1123 section 4.2.3.1: each would be sent twice from then on. */
  @Test
  void anAcknowledgementThatComesTwiceSendsNothingTwice() throws IOException {
    random("file", 3000);
    try (DatagramSocket client = new DatagramSocket(0, LOOPBACK)) {
      send(client, ask("file", "octet", "timeout", "10"), server.port());
      int port = receive(client).getPort();
      List<Integer> blocks = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        send(client, ack(i), port);
        send(client, ack(i), port);
        blocks.add((int) bytes(receive(client)).getShort(2));
      }
      send(client, ack(6), port);
      assertThat(blocks).containsExactly(1, 2, 3, 4, 5, 6);
      client.setSoTimeout(300);
      DatagramPacket none = new DatagramPacket(new byte[2000], 2000);
      assertThatThrownBy(() -> client.receive(none)).isInstanceOf(SocketTimeoutException.class);
    }
  }

  /** Blocks that were never sent, and packets of another port, change nothing. */
  @Test
  void liesChangeNothing() throws IOException {
    byte[] content = random("file", 1000);
    try (DatagramSocket client = new DatagramSocket(0, LOOPBACK);
        DatagramSocket other = new DatagramSocket(0, LOOPBACK)) {
      send(client, ask("file", "octet"), server.port());
      DatagramPacket first = receive(client);
      send(client, ack(40_000), first.getPort());
      send(client, ack(2), first.getPort());
      send(other, ack(1), first.getPort());
      send(other, TftpPacket.error(0, "end"), first.getPort());
      send(client, ByteBuffer.wrap(new byte[] {0}), first.getPort());
      // It is the first block that comes again.
      DatagramPacket again = receive(client);
      assertThat(bytes(again)).isEqualTo(bytes(first));
      send(client, ack(1), first.getPort());
      DatagramPacket second = receive(client);
      assertThat(second.getLength() - 4).isEqualTo(content.length - 512);
    }
  }

  @Test
  @Tag("slow")
  void clientsThatFallSilentEndAndMakeRoom() throws IOException {
    random("file", 3000);
    List<DatagramSocket> silent = new ArrayList<>();
    try {
      for (int i = 0; i < TftpServer.TRANSFERS_OF_ONE + 1; i++) {
        DatagramSocket client = new DatagramSocket(0, LOOPBACK);
        silent.add(client);
        send(client, ask("file", "octet"), server.port());
        if (i < TftpServer.TRANSFERS_OF_ONE) {
          receive(client);
        }
      }
      DatagramSocket last = silent.getLast();
      last.setSoTimeout(300);
      DatagramPacket none = new DatagramPacket(new byte[2000], 2000);
      assertThatThrownBy(() -> last.receive(none)).isInstanceOf(SocketTimeoutException.class);
      await().until(() -> events.size() == TftpServer.TRANSFERS_OF_ONE);
      assertThat(events).extracting(NetbootEvent::result).containsOnly("the client fell silent");
      send(last, ask("file", "octet"), server.port());
      receive(last);
    } finally {
      silent.forEach(DatagramSocket::close);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "blksize 1400 tsize 0, blksize 1400 tsize 3000",
    "blksize 65464, blksize 1468",
    "BLKSIZE 600, blksize 600",
    "windowsize 64, windowsize 16",
    "timeout 3, timeout 3",
    "timeout 200 tsize 0, tsize 3000",
    "blksize 7 tsize 0, tsize 3000",
    "blksize x windowsize 0 tsize 0, tsize 3000",
    "multicast x tsize 0, tsize 3000",
    "blksize 99999999999 tsize 0, tsize 3000"
  })
  void optionsAreAgreedOn(String asked, String taken) throws IOException {
    random("file", 3000);
    List<String> words = new ArrayList<>(List.of("file", "OCTET"));
    words.addAll(List.of(asked.split(" ")));
    try (DatagramSocket client = new DatagramSocket(0, LOOPBACK)) {
      send(client, ask(words.toArray(String[]::new)), server.port());
      DatagramPacket packet = receive(client);
      ByteBuffer answer = bytes(packet);
      assertThat(answer.getShort()).isEqualTo((short) TftpPacket.OPTIONS_ACK);
      assertThat(new String(packet.getData(), 2, packet.getLength() - 2, ISO_8859_1))
          .isEqualTo(taken.replace(' ', '\0') + "\0");
      send(client, TftpPacket.error(8, "no"), packet.getPort());
    }
  }

  @Test
  void noiseIsNoRequest() throws IOException {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    random("file", 600);
    try (DatagramSocket client = new DatagramSocket(0, LOOPBACK)) {
      for (int i = 0; i < 300; i++) {
        byte[] bytes = new byte[random.nextInt(700)];
        random.nextBytes(bytes);
        if (bytes.length > 1 && i % 2 == 0) {
          bytes[0] = 0;
          bytes[1] = (byte) random.nextInt(7);
        }
        send(client, ByteBuffer.wrap(bytes), server.port());
      }
    }
    try (DatagramSocket client = new DatagramSocket(0, LOOPBACK)) {
      send(client, ask("file", "octet"), server.port());
      assertThat(receive(client).getLength()).as("seed %d", seed).isEqualTo(516);
    }
  }
}
