package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.media.VmSpec;

/**
 * A machine whose /etc forgets all at each start: it has no fstab that lasts, and its registries
 * are the image's.
 */
class TransientEtcTest {
  private static final String INSTRUCTIONS =
      """
      RUN mkdir -p /etc/containers/registries.conf.d \\
       && printf '[[registry]]\\nlocation = "%s"\\ninsecure = true\\n' \\
          > /etc/containers/registries.conf.d/test.conf \\
       && printf '[composefs]\\nenabled = true\\n[sysroot]\\nreadonly = true\\n[etc]\\ntransient = true\\n' \\
          > /usr/lib/ostree/prepare-root.conf \\
       && %s
      """;

  @TempDir Path dir;

  @Test
  @Tag("soak")
  void findsItsBootMenuAtEachStart() throws Exception {
    try (Releases releases = Releases.start(dir)) {
      String instructions =
          INSTRUCTIONS.formatted(releases.registryInGuest(), Releases.NEW_INITRAMFS);
      try (UpgradingMachine machine = UpgradingMachine.start(installed(releases, instructions))) {
        judge(machine, 0);
        machine.must("touch /etc/forgotten /var/lib/kept");
        releases.publishWith(1, instructions);
        machine.upgrade();
        machine.goDown();
        machine.boot();
        judge(machine, 1);
        machine.must("test ! -e /etc/forgotten -a -e /var/lib/kept");
        machine.must("bootc rollback");
        machine.goDown();
        machine.boot();
        judge(machine, 0);
      }
    }
  }

  private VmSpec installed(Releases releases, String instructions) throws Exception {
    Path key = UpgradingMachine.key(dir);
    Path config =
        Files.writeString(
            dir.resolve("config.toml"),
            """
            [[customizations.user]]
            name = "root"
            key = "%s"
            [customizations.kernel]
            append = "mitigations=off quiet"
            """
                .formatted(UpgradingMachine.publicKey(key)));
    return UpgradingMachine.spec(releases.diskWith(0, instructions, config, dir), key);
  }

  private static void judge(UpgradingMachine machine, int release) {
    machine.sound();
    assertThat(machine.must("findmnt -n -o FSTYPE /etc").strip()).isEqualTo("overlay");
    machine.must("grep -F 'version " + release + "<' /usr/share/web/index.html");
    machine.must("findmnt /boot && ls /boot/loader/entries");
    machine.mustRunWell();
  }
}
