package slipway.host.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.host.system.HostMachine;
import slipway.host.update.Host;
import slipway.sysroot.write.EtcMerge;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is changed in /etc of a machine, and what an update makes of it. */
class EtcChangesTest {
  private static final String NAME = HostMachine.NAME;
  private static final Host.UpgradeOptions APPLY =
      new Host.UpgradeOptions(false, true, false, false, null);

  private HostMachine machine;
  private Path etc;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    machine.publish(NAME, HostMachine.Image.of("1"));
    etc = machine.root().resolve(machine.install().directory()).resolve("etc");
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private EtcChanges verb() {
    return new EtcChanges(machine.environment());
  }

  private List<String> diff(String... paths) throws IOException {
    return verb().diff(List.of(paths)).stream().map(EtcMerge.Change::toString).toList();
  }

  private JsonNode status() throws IOException {
    return JsonMapper.shared().readTree(machine.host().status(Host.Format.JSON, false, false));
  }

  @Test
  void listsAndTakesBack() throws IOException {
    assertThat(diff()).isEmpty();
    Files.writeString(etc.resolve("added"), "x\n");
    Files.delete(etc.resolve("hosts"));
    Files.writeString(etc.resolve("version"), "mine\n");
    assertThat(diff()).containsExactly("M    version", "D    hosts", "A    added");
    assertThat(diff("/etc/")).isEqualTo(diff());
    assertThat(diff("/etc/hosts", "added")).containsExactly("D    hosts", "A    added");
    verb().restore(List.of("/etc//hosts"));
    assertThat(machine.heard()).containsExactly("Restored /etc/hosts");
    verb().restore(List.of("hosts"));
    assertThat(machine.heard()).containsExactly("No changes.");
    assertThat(diff()).containsExactly("M    version", "A    added");
    machine.judge();
    assertThatThrownBy(() -> verb().restore(List.of("/usr/lib/os-release")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("is no path below /etc");
    for (String missing : List.of("/etc/nowhere", "hosts/below", "no/where")) {
      for (HostMachine.Work work :
          List.<HostMachine.Work>of(
              () -> diff("version", missing), () -> verb().restore(List.of(missing)))) {
        assertThatThrownBy(work::run)
            .isInstanceOfSatisfying(
                Problem.class,
                problem -> assertThat(problem.kind()).isEqualTo(Problem.Kind.NOT_FOUND))
            .hasMessageStartingWith("neither the image nor this machine has /etc/");
      }
    }
    assertThatThrownBy(() -> verb().restore(List.of("/etc")))
        .isInstanceOfSatisfying(
            Problem.class, problem -> assertThat(problem.kind()).isEqualTo(Problem.Kind.USAGE))
        .hasMessageStartingWith("/etc is no path below /etc");
    Files.createDirectory(machine.root().resolve("etc"));
    assertThatThrownBy(this::diff)
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("/etc is not the deployment's own");
  }

  @Test
  void tellsConflictsAndDoesNotRebootForNothing() throws IOException {
    Files.writeString(etc.resolve("thing"), "mine\n");
    machine.publish(NAME, HostMachine.Image.of("2").file("etc/thing/x", "x\n"));
    assertThatThrownBy(() -> machine.host().upgrade(APPLY))
        .isInstanceOf(Problem.class)
        .hasMessage(
            "staged, but not rebooting: Modified config file newly defaults to directory 'thing',"
                + " cannot merge: rename or remove /etc/thing, then reboot");
    assertThat(machine.actions).doesNotContain("reboot");
    assertThat(machine.noted)
        .anyMatch(l -> l.startsWith("warning: Modified config file newly defaults"));
    assertThat(status().at("/metadata/annotations/slipway.etc-conflicts").asString())
        .isEqualTo("/etc/thing");
    assertThat(machine.host().status(Host.Format.HUMANREADABLE, false, false))
        .contains(" /etc conflict: /etc/thing\n");
    Files.delete(etc.resolve("thing"));
    assertThat(status().at("/metadata/annotations").isMissingNode()).isTrue();
    machine.host().upgrade(APPLY);
    assertThat(machine.actions).contains("reboot");
    machine.reboot();
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("2");
    machine.judge();
  }

  @Test
  void tellsWhichVersionsOfTheImageAreKeptOut() throws IOException {
    Files.writeString(etc.resolve("version"), "mine\n");
    Files.writeString(etc.resolve("hosts"), "mine\n");
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    assertThat(machine.noted)
        .contains(
            "changes of this machine stay, and keep the image's new version out of /etc/version;"
                + " bootc etc restore takes them back");
  }
}
