package slipway.host.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.host.deployment.Deployments;
import slipway.host.status.JournalEntry;
import slipway.host.system.FailedUnit;
import slipway.host.system.HostMachine;
import slipway.host.update.Host;
import slipway.linux.process.Command;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A new deployment has its tries, whoever counts them, and the machine comes back by itself. */
class BootHealthTest {
  private static final String NAME = HostMachine.NAME;
  private static final String UNIT = "usr/lib/systemd/system/slipway-healthy.service";
  private static final String ENABLED =
      "etc/systemd/system/default.target.wants/slipway-healthy.service";

  private HostMachine machine;
  private Deployment first;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    machine.publish(NAME, image("1"));
    first = machine.install();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private static HostMachine.Image image(String version) {
    return HostMachine.Image.of(version).file(UNIT, "[Service]\n").file(ENABLED, "");
  }

  private BootHealth health() {
    return new BootHealth(machine.environment());
  }

  private Sysroot sysroot() throws IOException {
    return machine.environment().sysroot();
  }

  private Path block() {
    return machine.root().resolve("boot/loader/grubenv");
  }

  /** Upgrades up to where the machine would restart. */
  private void upgrade(String version) throws IOException {
    machine.publish(NAME, image(version));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    machine.host().finalizeStaged();
    machine.heard();
    machine.actions.clear();
    machine.journal.clear();
  }

  /** The versions of the menu, the default first. */
  private List<String> menu() throws IOException {
    Sysroot sysroot = sysroot();
    return sysroot.deployments().stream().map(d -> HostMachine.version(sysroot, d)).toList();
  }

  private String booted() throws IOException {
    Sysroot sysroot = sysroot();
    return HostMachine.version(sysroot, sysroot.booted().orElseThrow());
  }

  private void boot(int entry) throws IOException {
    machine.boot(sysroot().deployments().get(entry));
  }

  /** Starts as by the grub.cfg of a disk: it counts, and gives up when no try is left. */
  private String bootByGrub() throws IOException {
    int entry = 0;
    if (Files.exists(block())) {
      Map<String, String> block = new HashMap<>();
      Command.of("grub-editenv", block().toString(), "list")
          .run()
          .text()
          .lines()
          .forEach(line -> block.put(line.replaceFirst("=.*", ""), line.replaceFirst(".*=", "")));
      if (block.getOrDefault("boot_success", "").equals("0")) {
        int left = Integer.parseInt(block.get("boot_counter"));
        entry = left <= 0 ? 1 : 0;
        Command.of(
                "grub-editenv", block().toString(), "set", "boot_counter=" + Math.max(left - 1, -1))
            .run();
      }
    }
    boot(entry);
    return booted();
  }

  private JsonNode annotations() {
    try {
      return JsonMapper.shared()
          .readTree(machine.host().status(Host.Format.JSON, false, false))
          .at("/metadata/annotations");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private List<String> told(String id) {
    return machine.journal.stream()
        .filter(entry -> id.equals(entry.get("MESSAGE_ID")))
        .map(entry -> entry.get("MESSAGE"))
        .toList();
  }

  /** A check that must pass and does not. */
  private void fail() throws IOException {
    Path script = machine.root().resolve("usr/lib/bootc/health.d/10-web");
    Files.createDirectories(script.getParent());
    Files.writeString(script, "#!/bin/sh\necho no page; exit 1\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThatThrownBy(health()::check).isInstanceOf(Problem.class);
    machine.bootComplete = false;
    health().unhealthy();
  }

  @Test
  void oneThatIsWellStays() throws IOException {
    upgrade("2");
    bootByGrub();
    assertThat(annotations().path("slipway.trial").asString()).isEqualTo("2 of 3 tries left");
    assertThat(machine.host().status(Host.Format.HUMANREADABLE, false, false))
        .contains("On trial: 2 of 3 tries left\n");
    assertThat(health().report().trial().left()).isEqualTo(2);
    machine.heard();
    health().healthy();
    assertThat(machine.heard()).as("the journal is told once").isEmpty();
    assertThat(told(JournalEntry.HEALTHY))
        .singleElement()
        .asString()
        .startsWith("The new deployment is healthy: registry.example/os:1 (sha256:");
    assertThat(block()).doesNotExist();
    assertThat(annotations().isMissingNode()).isTrue();
    assertThat(health().report().state()).isEqualTo(HealthReport.State.HEALTHY);

    for (int i = 0; i < 5; i++) {
      assertThat(bootByGrub()).isEqualTo("2");
    }
    fail();
    assertThat(machine.heard()).contains("No new deployment is on trial: nothing is restarted.");
    assertThat(machine.actions).doesNotContain("reboot");
    assertThat(menu()).containsExactly("2", "1");
    assertThat(health().report().reason())
        .isEqualTo("/usr/lib/bootc/health.d/10-web ended with status 1: no page");
    machine.judge();
  }

  @Test
  void aCheckThatFailsTakesAllTriesAndBringsBackTheOneBefore() throws IOException {
    upgrade("2");
    String bad = digestOf(0);
    for (int left = 2; left >= 0; left--) {
      assertThat(bootByGrub()).isEqualTo("2");
      fail();
      assertThat(machine.actions).containsExactly("reboot");
      machine.actions.clear();
      assertThat(menu()).containsExactly(left > 0 ? "2" : "1", left > 0 ? "1" : "2");
    }
    assertThat(block()).doesNotExist();
    assertThat(told(JournalEntry.UNHEALTHY)).hasSize(3);
    assertThat(told(JournalEntry.ROLLED_BACK))
        .singleElement()
        .asString()
        .startsWith("Went back from " + bad + " to sha256:")
        .endsWith(", because /usr/lib/bootc/health.d/10-web ended with status 1: no page");
    assertThat(told(JournalEntry.ROLLBACK)).hasSize(1);
    machine.judge();

    assertThat(bootByGrub()).isEqualTo("1");
    assertThat(annotations().path("slipway.rolled-back").asString())
        .startsWith(bad + " at ")
        .endsWith(": /usr/lib/bootc/health.d/10-web ended with status 1: no page");
    assertThat(annotations().path("slipway.held").asString()).isEqualTo(bad);
    assertThat(machine.host().status(Host.Format.HUMANREADABLE, false, false))
        .contains("Rolled back: " + bad + " at ")
        .contains("Held back: " + bad + "\n");
    assertThat(health().report().rollback().from()).isEqualTo(bad);

    // The timer leaves it out; a newer one comes, proves well, and all of this is forgotten.
    machine.variables.put("SLIPWAY_UNATTENDED", "1");
    assertThat(machine.host().upgrade(Host.UpgradeOptions.NONE)).isFalse();
    upgrade("3");
    assertThat(bootByGrub()).isEqualTo("3");
    machine.bootComplete = true;
    health().healthy();
    assertThat(annotations().isMissingNode()).isTrue();
    assertThat(health().report().rollback()).isNull();
    machine.judge();
  }

  /** The digest of an entry's image. */
  private String digestOf(int entry) throws IOException {
    Sysroot sysroot = sysroot();
    return sysroot
        .repository()
        .readCommit(sysroot.deployments().get(entry).checksum())
        .string("ostree.manifest-digest")
        .orElseThrow();
  }

  @Test
  void oneThatNeverReachesItsUserspaceIsGivenUpByGrub() throws IOException {
    upgrade("2");
    String bad = digestOf(0);
    for (int i = 0; i < 3; i++) {
      assertThat(bootByGrub()).isEqualTo("2");
    }
    assertThat(bootByGrub()).isEqualTo("1");
    assertThat(menu()).as("not settled yet").containsExactly("2", "1");
    assertThat(bootByGrub()).as("still").isEqualTo("1");
    health().healthy();
    assertThat(menu()).containsExactly("1", "2");
    assertThat(block()).doesNotExist();
    assertThat(machine.actions).doesNotContain("reboot");
    assertThat(annotations().path("slipway.rolled-back").asString())
        .startsWith(bad + " at ")
        .endsWith(": it did not start well in all its tries");
    assertThat(annotations().path("slipway.held").asString()).isEqualTo(bad);
    assertThat(told(JournalEntry.ROLLED_BACK)).hasSize(1);
    assertThat(told(JournalEntry.HEALTHY)).isEmpty();
    assertThat(bootByGrub()).isEqualTo("1");
    machine.judge();
  }

  /** What only tells of it must not keep a machine on what does not start. */
  @Test
  void goesBackWhateverCannotBeToldOfIt() throws IOException {
    upgrade("2");
    for (int i = 0; i < 4; i++) {
      bootByGrub();
    }
    Files.createDirectory(machine.root().resolve("ostree/slipway-health.conf"));
    Files.createDirectories(machine.run().resolve("slipway/health"));
    Files.createDirectory(machine.root().resolve("ostree/slipway.conf"));
    health().healthy();
    assertThat(menu()).containsExactly("1", "2");
    assertThat(health().report().checks()).isEmpty();
    machine.judge();
  }

  @Test
  void whatCannotBeReadIsKeptBesideWhatIsWritten() throws IOException {
    Path record = machine.root().resolve("ostree/slipway-health.conf");
    Path settings = machine.root().resolve("ostree/slipway.conf");
    for (Path file : List.of(record, settings)) {
      Files.writeString(file, "what it was\n");
    }
    health().unhealthy();
    new Deployments(machine.environment()).keep(3);
    for (Path file : List.of(record, settings)) {
      Path aside = file.resolveSibling(file.getFileName() + ".damaged");
      assertThat(aside).hasContent("what it was\n");
      assertThat(Files.readString(file)).startsWith("[");
      assertThat(machine.noted)
          .contains(
              "warning: "
                  + file
                  + ":1: expected [GROUP] or, after one, KEY=VALUE, not \"what it was\"; the file is "
                  + aside
                  + " now, and begins anew");
    }
    // What is sound stays where it is.
    machine.noted.clear();
    health().unhealthy();
    assertThat(machine.noted).noneMatch(note -> note.contains(".damaged"));
  }

  @Test
  void theSystemCountsWhereTheLoaderDoesNot() throws IOException {
    upgrade("2");
    for (int left = 2; left >= 0; left--) {
      boot(0);
      health().attempt();
      health().attempt();
      assertThat(machine.heard())
          .containsExactly(
              "This is try " + (3 - left) + " of 3 of a new deployment, counted by the system");
      assertThat(sysroot().trials().current().orElseThrow().left()).isEqualTo(left);
      machine.actions.clear();
      if (left > 0) {
        fail();
        assertThat(machine.actions).containsExactly("reboot");
        assertThat(sysroot().trials().current().orElseThrow().left())
            .as("counted once")
            .isEqualTo(left);
        machine.heard();
      }
    }
    // The third one hangs, and somebody presses the button.
    boot(0);
    health().attempt();
    assertThat(menu()).containsExactly("1", "2");
    assertThat(machine.actions).containsExactly("reboot");
    machine.judge();
  }

  @Test
  void oneThatIsWellInTheEndStaysEvenWithoutATryLeft() throws IOException {
    upgrade("2");
    for (int i = 0; i < 3; i++) {
      boot(0);
      health().attempt();
    }
    assertThat(sysroot().trials().current().orElseThrow().left()).isZero();
    health().healthy();
    assertThat(menu()).containsExactly("2", "1");
    assertThat(machine.actions).doesNotContain("reboot");
  }

  @Test
  void theOldOneChosenByHandEndsNothing() throws IOException {
    upgrade("2");
    bootByGrub();
    boot(1);
    health().healthy();
    assertThat(menu()).containsExactly("2", "1");
    assertThat(sysroot().trials().current()).isPresent();
    fail();
    assertThat(machine.actions).doesNotContain("reboot");
    assertThat(health().report().trial().booted()).isFalse();
  }

  @Test
  void whatIsStagedMeanwhileDoesNotPushOutTheLastGoodOne() throws IOException {
    upgrade("2");
    bootByGrub();
    machine.publish(NAME, image("3"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    fail();
    assertThat(machine.heard()).contains("Dropped what was staged meanwhile");
    assertThat(machine.host().finalizeStaged().deployment()).isNull();
    assertThat(menu()).containsExactly("2", "1");
  }

  @Test
  void withoutAnotherDeploymentNothingIsRestarted() throws IOException {
    upgrade("2");
    bootByGrub();
    new Deployments(machine.environment()).delete("rollback");
    assertThat(block()).as("there is nothing to start instead").doesNotExist();
    fail();
    assertThat(machine.actions).doesNotContain("reboot");
    assertThat(menu()).containsExactly("2");
  }

  @Test
  void aMenuThatAnotherToolChangedIsOnNoTrial() throws IOException {
    upgrade("2");
    Command.of("grub-editenv", block().toString(), "set", "slipway_deployment=default/other").run();
    boot(0);
    fail();
    assertThat(block()).doesNotExist();
    assertThat(machine.actions).doesNotContain("reboot");
  }

  @Test
  void unitsCountTooAndThoseThatAreOnlyWantedAreAWarning() throws IOException {
    upgrade("2");
    bootByGrub();
    machine.failedUnits.add(new FailedUnit("web-check.service", true));
    machine.failedUnits.add(new FailedUnit("news.service", false));
    health().unhealthy();
    HealthReport report = health().report();
    assertThat(report.reason()).isEqualTo("web-check.service failed");
    assertThat(report.units()).isEqualTo(machine.failedUnits);
    assertThat(machine.actions).containsExactly("reboot");

    bootByGrub();
    machine.failedUnits.removeFirst();
    health().healthy();
    assertThat(health().report().state()).isEqualTo(HealthReport.State.HEALTHY);
    assertThat(health().report().units()).hasSize(1);
  }

  @Test
  void aStartThatIsNotAtItsEndIsPending() throws IOException {
    machine.bootComplete = false;
    assertThat(health().report().state()).isEqualTo(HealthReport.State.PENDING);
    assertThat(health().report().tries()).isEqualTo(3);
    health().setTries(0);
    assertThat(machine.heard())
        .containsExactly("New deployments are not on trial from the next update on");
    upgrade("2");
    assertThat(block()).doesNotExist();
    health().setTries(1);
    assertThat(health().report().tries()).isEqualTo(1);
    assertThat(first.booted()).isFalse();
  }

  @Test
  void theShutdownTellsOfTheTrialAndWhoCounts() throws IOException {
    machine.publish(NAME, image("2"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    machine.heard();
    machine.host().finalizeStaged();
    assertThat(machine.heard())
        .contains("It has 3 tries to start well.")
        .anyMatch(
            line -> line.startsWith("notice: The boot loader of this machine does not count"));
    machine.put("boot/grub/grub.cfg");
    Files.writeString(
        machine.root().resolve("boot/grub/grub.cfg"), "load_env /loader/grubenv boot_counter\n");
    boot(0);
    health().healthy();
    machine.publish(NAME, image("3"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    machine.heard();
    machine.host().finalizeStaged();
    assertThat(machine.heard())
        .contains("It has 3 tries to start well.")
        .noneMatch(line -> line.contains("does not count"));
    assertThat(health().report().trial().countedByLoader()).isTrue();
  }
}
