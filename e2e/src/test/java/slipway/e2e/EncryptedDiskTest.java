package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A machine whose root and swap are encrypted asks for their passphrase on its console. */
@Tag("vm")
class EncryptedDiskTest {
  private static final String PASSPHRASE = "open sesame, \"twice\"";

  private static final String CONFIG =
      """
      [[customizations.user]]
      name = "root"
      key = "%s"
      [customizations.kernel]
      append = "mitigations=off console=ttyS1"
      [[customizations.disk.partitions]]
      mountpoint = "/"
      minsize = "2 GiB"
      luks.passphrase = 'open sesame, "twice"'
      [[customizations.disk.partitions]]
      fs_type = "swap"
      minsize = "64 MiB"
      luks.passphrase = 'open sesame, "twice"'
      """;

  @TempDir Path dir;

  @Test
  @Tag("soak")
  void thePassphraseOpensIt() throws Exception {
    try (Releases releases = Releases.start(dir);
        ServerSocketChannel consoles = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      Path key = UpgradingMachine.key(dir);
      Path config =
          Files.writeString(
              dir.resolve("config.toml"), CONFIG.formatted(UpgradingMachine.publicKey(key)));
      Path disk =
          releases.diskWith(0, Releases.packages("cryptsetup-bin systemd-cryptsetup"), config, dir);
      Path console = dir.resolve("console");
      AtomicInteger asked = new AtomicInteger();
      consoles.bind(UnixDomainSocketAddress.of(console));
      Thread typist = Thread.ofVirtual().start(() -> type(consoles, asked));
      try (UpgradingMachine machine =
          UpgradingMachine.start(
              UpgradingMachine.spec(disk, key)
                  .withMore("-no-reboot", "-serial", "unix:" + console))) {
        judge(machine);
        assertThat(asked).hasPositiveValue();
        asked.set(0);
        machine.goDown();
        machine.boot();
        judge(machine);
        assertThat(asked).hasPositiveValue();
      } finally {
        consoles.close();
        typist.join();
      }
    }
  }

  /** Types it whenever somebody asks; a machine has a new console each time that it starts. */
  private static void type(ServerSocketChannel consoles, AtomicInteger asked) {
    while (consoles.isOpen()) {
      try (SocketChannel console = consoles.accept()) {
        answer(console, asked);
      } catch (IOException e) {
        // The machine is off, or the test is over.
      }
    }
  }

  private static void answer(SocketChannel console, AtomicInteger asked) throws IOException {
    StringBuilder said = new StringBuilder();
    ByteBuffer read = ByteBuffer.allocate(4096);
    while (console.read(read.clear()) >= 0) {
      said.append(StandardCharsets.ISO_8859_1.decode(read.flip()));
      if (said.toString().contains("assphrase for")) {
        said.setLength(0);
        asked.incrementAndGet();
        console.write(ByteBuffer.wrap((PASSPHRASE + "\n").getBytes(StandardCharsets.US_ASCII)));
      }
    }
  }

  private static void judge(UpgradingMachine machine) {
    assertThat(machine.must("lsblk -no TYPE,FSTYPE \"$(findmnt -no SOURCE /sysroot)\"").strip())
        .matches("crypt +ext4");
    assertThat(machine.must("swapon --show=NAME --noheadings").strip()).startsWith("/dev/dm-");
    machine.must("findmnt /boot && ls /boot/loader/entries");
    machine.mustRunWell();
  }
}
