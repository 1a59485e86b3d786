package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.media.VirtualMachine;

/** A machine whose root and swap are encrypted asks for their passphrase on its console. */
@Tag("vm")
class EncryptedDiskTest {
  private static final String PASSPHRASE = "open sesame, \"twice\"";

  /** To its end: what is typed before that may be lost. */
  private static final Pattern QUESTION = Pattern.compile("assphrase for .{1,200}no echo\\)");

  private static final String CONFIG =
      """
      [[customizations.user]]
      name = "root"
      key = "%s"
      [customizations.kernel]
      append = "mitigations=off"
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
    try (Releases releases = Releases.start(dir)) {
      Path key = UpgradingMachine.key(dir);
      Path config =
          Files.writeString(
              dir.resolve("config.toml"), CONFIG.formatted(UpgradingMachine.publicKey(key)));
      Path disk =
          releases.diskWith(0, Releases.packages("cryptsetup-bin systemd-cryptsetup"), config, dir);
      AtomicInteger asked = new AtomicInteger();
      try (UpgradingMachine machine =
          UpgradingMachine.start(
              UpgradingMachine.spec(disk, key),
              on -> Thread.ofVirtual().start(() -> type(on, asked)))) {
        judge(machine);
        assertThat(asked).hasPositiveValue();
        asked.set(0);
        machine.goDown();
        machine.boot();
        judge(machine);
        assertThat(asked).hasPositiveValue();
      }
    }
  }

  /** Types it whenever somebody asks, until the machine is off. */
  private static void type(VirtualMachine machine, AtomicInteger asked) {
    try {
      while (true) {
        machine.awaitConsole(QUESTION, UpgradingMachine.LONGEST);
        asked.incrementAndGet();
        machine.type(PASSPHRASE + "\n");
      }
    } catch (RuntimeException | IOException | InterruptedException e) {
      // It is off, or nobody has asked for long; whoever waits for the machine tells.
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
