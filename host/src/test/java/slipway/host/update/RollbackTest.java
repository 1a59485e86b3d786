package slipway.host.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import slipway.archive.compress.Compression;
import slipway.host.system.HostMachine;
import slipway.oci.model.Manifest;

/** A machine that goes back, and what it is not brought again. */
class RollbackTest extends HostCase {
  @Test
  void refusesToRollBackToNothing() {
    assertThatThrownBy(() -> machine.host().rollback(false)).hasMessage("No rollback available");
  }

  @Test
  void tellsPeopleWhatBootsNextAfterARollback() throws IOException {
    machine.publish(NAME, HostMachine.Image.of("2"));
    upgrade();
    machine.reboot();
    assertThat(text()).doesNotContain("Next boot");
    machine.host().rollback(false);
    assertThat(text()).containsPattern("Rollback image: .*(\n .*)*\n +Next boot: yes\n");
  }

  private String text() throws IOException {
    return machine.host().status(Host.Format.HUMANREADABLE, false, false);
  }

  @Test
  void checkAndUpgradeAgreeAfterARollback() throws IOException {
    Manifest.Image second = machine.publish(NAME, HostMachine.Image.of("2"));
    upgrade();
    machine.reboot();
    machine.host().rollback(false);
    machine.reboot();
    machine.heard();
    machine.host().upgrade(CHECK);
    assertThat(machine.heard())
        .startsWith(
            "Update available for: docker://" + NAME,
            "  Version: 2",
            "  Digest: " + second.digest());
    assertThat(status().at("/status/booted/cachedUpdate/imageDigest").asString())
        .isEqualTo(second.digest().toString());
    upgrade();
    assertThat(machine.heard()).contains("Queued for next boot: " + NAME);
    machine.judge();
  }

  @Test
  void tellsWhatARollbackDrops() throws IOException {
    Manifest.Image second = machine.publish(NAME, HostMachine.Image.of("2"));
    upgrade();
    machine.reboot();
    Manifest.Image third = machine.publish(NAME, HostMachine.Image.of("3"));
    upgrade();
    machine.heard();
    machine.host().rollback(false);
    assertThat(machine.heard())
        .containsExactly(
            "notice: Dropped the staged deployment of " + NAME + " (" + third.digest() + ")",
            "Next boot: rollback deployment",
            leftOut(second.digest() + " and " + third.digest()));
    machine.judge();
  }

  /** As the timer's unit does. */
  private void upgradeUnattended() throws IOException {
    machine.variables.put("SLIPWAY_UNATTENDED", "1");
    machine.host().upgrade(new Host.UpgradeOptions(false, true, false, false, null));
    machine.variables.remove("SLIPWAY_UNATTENDED");
  }

  @Test
  void leavesOutWhatItWasRolledBackFromUntilANewerOneAppears() throws IOException {
    HostMachine.Image two = HostMachine.Image.of("2");
    Manifest.Image second = machine.publish(NAME, two);
    upgrade();
    machine.reboot();
    machine.host().rollback(false);
    machine.reboot();
    // Thought of forward again, and thought better of it.
    machine.host().rollback(false);
    machine.host().rollback(false);
    machine.heard();
    machine.actions.clear();
    upgradeUnattended();
    assertThat(machine.heard())
        .contains(
            "Update held back: this machine was rolled back from "
                + second.digest()
                + "; bootc upgrade brings it all the same.");
    assertThat(machine.actions).isEmpty();
    assertThat(status().at("/status/staged").isNull()).isTrue();
    assertThat(machine.host().status(Host.Format.HUMANREADABLE, false, false))
        .contains("     Held back: " + second.digest() + "\n");
    assertThat(status().at("/metadata/annotations/slipway.held").asString())
        .isEqualTo(second.digest().toString());
    machine.host().upgrade(CHECK);
    assertThat(machine.heard()).contains("  Held back: this machine was rolled back from it.");
    machine.publish(NAME, two, Compression.GZIP);
    upgradeUnattended();
    assertThat(status().at("/status/staged").isNull()).as("only packed otherwise").isTrue();

    machine.publish(NAME, HostMachine.Image.of("3"));
    upgradeUnattended();
    assertThat(machine.actions).contains("reboot");
    assertThat(status().at("/status/staged/image/version").asString()).isEqualTo("3");
    assertThat(status().at("/metadata/annotations/slipway.held").isMissingNode()).isTrue();
    machine.judge();
  }

  @Test
  void settingsThatCannotBeReadHinderNothing() throws IOException {
    Files.createDirectory(machine.root().resolve("ostree/slipway.conf"));
    machine.publish(NAME, HostMachine.Image.of("2"));
    upgrade();
    machine.reboot();
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("2");
    machine.heard();
    machine.host().rollback(false);
    assertThat(machine.heard())
        .contains("Next boot: rollback deployment")
        .anyMatch(line -> line.startsWith("warning: Unattended updates may bring what is left"));
    machine.reboot();
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("1");
    machine.judge();
  }

  @Test
  void bringsAgainWhatIsWantedAgain() throws IOException {
    Manifest.Image second = machine.publish(NAME, HostMachine.Image.of("2"));
    upgrade();
    machine.reboot();
    machine.host().rollback(false);
    machine.host().rollback(false);
    assertThat(status().at("/metadata/annotations").isMissingNode()).as("taken back").isTrue();
    machine.heard();
    machine.host().rollback(new Host.RollbackOptions(null, false, false, true));
    assertThat(machine.heard())
        .contains("warning: Unattended updates will bring " + second.digest() + " again.");
    machine.reboot();
    upgradeUnattended();
    assertThat(status().at("/status/staged/image/version").asString()).isEqualTo("2");
    machine.reboot();
    machine.host().rollback(false);
    machine.reboot();
    upgrade();
    assertThat(status().at("/status/staged/image/version").asString()).isEqualTo("2");
    assertThat(status().at("/metadata/annotations/slipway.held").isMissingNode()).isTrue();
    machine.judge();
  }
}
