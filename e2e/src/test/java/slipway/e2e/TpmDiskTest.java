package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.media.Firmware;
import slipway.media.VirtualMachine;
import slipway.media.VmSpec;

/**
 * A machine with a TPM installs itself onto a second disk, whose root that TPM alone opens: nobody
 * is asked, and with another TPM it stays closed.
 */
@Tag("vm")
class TpmDiskTest {
  /** With what the TPM is spoken to, in the initramfs, too. */
  private static final String PACKAGES =
      "cryptsetup-bin systemd-cryptsetup tpm2-tools libtss2-esys-3.0.2-0t64 libtss2-mu-4.0.1-0t64"
          + " libtss2-rc0t64 libtss2-tcti-device0t64";

  private static final String CONFIG =
      """
      [[customizations.user]]
      name = "root"
      key = "%s"
      [customizations.kernel]
      append = "mitigations=off quiet"
      [[customizations.files]]
      path = "/etc/containers/registries.conf.d/test.conf"
      data = '''
      [[registry]]
      location = "%s"
      insecure = true
      '''
      """;

  private static final Pattern STAYS_CLOSED =
      Pattern.compile("Failed to start \\S*systemd-cryptsetup");

  @TempDir Path dir;

  @Test
  @Tag("soak")
  void oneTpmAloneOpensIt() throws Exception {
    try (Releases releases = Releases.start(dir)) {
      Path key = UpgradingMachine.key(dir);
      Path first = installer(releases, key);
      Path second = Files.createDirectory(dir.resolve("second")).resolve("disk.raw");
      try (RandomAccessFile file = new RandomAccessFile(second.toFile(), "rw")) {
        file.setLength(5L << 30);
      }
      VmSpec installing =
          machine(first, key, "own").withMore(UpgradingMachine.disk("disk1", second));
      try (UpgradingMachine machine = UpgradingMachine.start(installing)) {
        machine.must(
            "TERM=linux bootc install to-disk --block-setup tpm2-luks"
                + " --karg mitigations=off --karg quiet --karg console=ttyS0"
                + " --root-ssh-authorized-keys /root/.ssh/authorized_keys --source-imgref docker://"
                + releases.registryInGuest()
                + "/"
                + Releases.FOLLOWED
                // Whoever waits for its end sees there that it gets on.
                + " /dev/vdb > /dev/console 2>&1");
        assertThat(machine.must("cryptsetup luksDump /dev/vdb4")).contains("systemd-tpm2");
        machine.goDown();
      }
      staysClosed(second, key);
      opens(second, key);
      assertThat(second.resolveSibling("serial.log")).content().doesNotContain("assphrase");
    }
  }

  /** A disk of an image that is in the registry, too. */
  private Path installer(Releases releases, Path key) throws IOException {
    Path config =
        Files.writeString(
            dir.resolve("config.toml"),
            CONFIG.formatted(UpgradingMachine.publicKey(key), releases.registryInGuest()));
    String instructions = Releases.packages(PACKAGES);
    releases.publishWith(0, instructions);
    return releases.diskWith(0, instructions, config, dir);
  }

  /**
   * One whose processor knows AES, which takes too long by emulation otherwise.
   *
   * @param tpm by which it is another or the same
   */
  private VmSpec machine(Path disk, Path key, String tpm) {
    return UpgradingMachine.spec(disk, key)
        .withFirmware(Firmware.UEFI)
        .withMore("-cpu", "Westmere")
        .withTpm(true)
        .withStateDirectory(dir.resolve(tpm));
  }

  private void opens(Path disk, Path key) throws Exception {
    try (UpgradingMachine machine = UpgradingMachine.start(machine(disk, key, "own"))) {
      assertThat(machine.must("lsblk -no TYPE,FSTYPE \"$(findmnt -no SOURCE /sysroot)\"").strip())
          .matches("crypt +(ext4|xfs)");
      machine.must("findmnt /boot && ls /boot/loader/entries");
      machine.mustRunWell();
      machine.goDown();
    }
  }

  private void staysClosed(Path disk, Path key) throws Exception {
    try (VirtualMachine machine = VirtualMachine.start(machine(disk, key, "other"))) {
      machine.awaitConsole(STAYS_CLOSED, Duration.ofMinutes(20));
    }
  }
}
