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
import slipway.host.status.DeploymentChoice;
import slipway.host.status.StatusReader;
import slipway.host.system.HostMachine;
import slipway.host.update.Host;
import slipway.linux.process.Command;
import slipway.ostree.object.ObjectType;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.MachineSettings;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What stays and what goes, ostree looking at it after each step. */
class DeploymentsTest {
  private static final String NAME = HostMachine.NAME;

  private HostMachine machine;
  private Deployment first;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    machine.publish(NAME, HostMachine.Image.of("1"));
    first = machine.install();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private Deployments verbs() {
    return new Deployments(machine.environment());
  }

  private Sysroot sysroot() throws IOException {
    return machine.environment().sysroot();
  }

  private void stage(String version) throws IOException {
    machine.publish(NAME, HostMachine.Image.of(version));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
  }

  /** Upgrades to a version and boots it. */
  private Deployment upgrade(String version) throws IOException {
    stage(version);
    Deployment booted = machine.reboot();
    machine.judge();
    return booted;
  }

  /** The versions of the menu, the default first. */
  private List<String> menu() throws IOException {
    Sysroot sysroot = sysroot();
    return sysroot.deployments().stream().map(d -> HostMachine.version(sysroot, d)).toList();
  }

  private JsonNode status() throws IOException {
    return JsonMapper.shared().readTree(machine.host().status(Host.Format.JSON, false, false));
  }

  private String admin(String... arguments) {
    return Command.of("ostree", "admin")
        .with(arguments)
        .with("--sysroot=" + machine.root())
        .output();
  }

  @Test
  void pinsAsOstreeDoes() throws IOException {
    upgrade("2");
    machine.heard();
    Deployments.Named pinned = verbs().pin("1", true);
    assertThat(pinned.commit()).isEqualTo(first.checksum().hex());
    assertThat(pinned.pinned()).isTrue();
    assertThat(machine.heard()).singleElement().asString().startsWith("Deployment 1 is now pinned");
    assertThat(admin("status")).containsOnlyOnce("Pinned: yes");
    assertThat(status().at("/status/rollback/pinned").asBoolean()).isTrue();
    verbs().pin("1", true);
    assertThat(machine.heard()).containsExactly("Deployment 1 is already pinned");
    upgrade("3");
    upgrade("4");
    assertThat(menu()).containsExactly("4", "3", "1");

    admin("pin", "--unpin", "2");
    admin("pin", "1");
    assertThat(status().at("/status/rollback/pinned").asBoolean()).isTrue();
    assertThat(verbs().pin("2", false).pinned()).isFalse();
    upgrade("5");
    assertThat(menu()).containsExactly("5", "4", "3");
    verbs().pin("rollback", true);
    verbs().pin(sysroot().deployments().get(2).checksum().hex().substring(0, 12), false);
    assertThat(admin("status")).containsOnlyOnce("Pinned: yes");
    upgrade("6");
    assertThat(menu()).containsExactly("6", "5", "4");
    machine.judge();
  }

  @Test
  void deletesAnyButTheBootedAndPinnedOnes() throws IOException {
    verbs().pin("booted", true);
    upgrade("2");
    upgrade("3");
    stage("4");
    machine.heard();
    assertThatThrownBy(() -> verbs().delete("booted"))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("the booted deployment cannot be deleted");
    assertThatThrownBy(() -> verbs().delete("3"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("is pinned: unpin it first");
    assertThat(verbs().delete("rollback").index()).isEqualTo(2);
    assertThat(machine.heard()).singleElement().asString().startsWith("Deleted deployment 2: ");
    assertThat(menu()).containsExactly("3", "1");
    assertThat(status().at("/status/staged/image/version").asString()).isEqualTo("4");
    machine.judge();

    verbs().delete("staged");
    assertThat(status().at("/status/staged").isNull()).isTrue();
    assertThat(machine.run().resolve("reboot-required")).doesNotExist();
    assertThat(sysroot().repository().refs("ostree/container/image")).hasSize(1);
    machine.judge();
    assertThatThrownBy(() -> verbs().delete("staged"))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("nothing is staged;");
    stage("4");
    assertThat(machine.reboot().isSame(sysroot().booted().orElseThrow())).isTrue();
    assertThat(menu()).containsExactly("4", "3", "1");
  }

  @Test
  void keepsTheStagedOneWithItsMergeWhenAnotherGoes() throws IOException {
    upgrade("2");
    stage("3");
    Path etc = machine.root().resolve(sysroot().booted().orElseThrow().directory());
    Files.writeString(etc.resolve("etc/mine"), "x\n");
    verbs().delete("rollback");
    assertThat(menu()).containsExactly("2");
    Deployment third = machine.reboot();
    assertThat(machine.root().resolve(third.directory()).resolve("etc/mine")).hasContent("x");
    assertThat(menu()).containsExactly("3", "2");
    machine.judge();
  }

  @Test
  void takesASoftRebootBackThatWasPrepared() throws IOException {
    stage("2");
    Files.createFile(machine.environment().runState().nextRootFile());
    machine.actions.clear();
    verbs().pin("booted", true);
    assertThat(machine.actions).isEmpty();
    verbs().delete("staged");
    assertThat(machine.actions).containsExactly("prepare-soft-reboot --reset");
  }

  @Test
  void whatAKilledDeletionLeftGoesWithTheNext() throws Exception {
    upgrade("2");
    Sysroot sysroot = sysroot();
    Deployment gone = sysroot.deployments().getLast();
    Path half = sysroot.path(gone).resolve("usr/lib");
    sysroot.remove(gone, Sysroot.Before.NOTHING);
    Files.createDirectories(half);
    assertThatThrownBy(() -> verbs().delete("1"))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("no deployment is \"1\"; name one by its index");
    assertThat(sysroot.path(gone)).doesNotExist();
    assertThat(sysroot.repository().has(gone.checksum(), ObjectType.COMMIT)).isFalse();
    assertThat(menu()).containsExactly("2");
    machine.judge();
  }

  @Test
  void deletesNoOtherThanTheOneThatWasMeant() throws Exception {
    stage("2");
    assertThat(machine.beginWhileStaging(() -> verbs().delete("staged")))
        .isInstanceOf(Problem.class)
        .extracting(e -> ((Problem) e).kind())
        .isEqualTo(Problem.Kind.UNAVAILABLE);
    assertThat(machine.stagedArguments()).endsWith(" theirs");
    verbs().delete("staged");
    assertThat(sysroot().staged()).isEmpty();
    machine.judge();
  }

  @Test
  void rollsBackFromNothingThatIsStagedMeanwhile() throws Exception {
    upgrade("2");
    machine.journal.clear();
    assertThat(machine.beginWhileStaging(() -> machine.host().rollback(false)))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("another process changed the deployments meanwhile");
    assertThat(machine.stagedArguments()).endsWith(" theirs");
    assertThat(menu()).containsExactly("2", "1");
    assertThat(sysroot().settings().held()).isEmpty();
    assertThat(machine.journal).isEmpty();
    // With what is staged named, it may go.
    machine.host().rollback(false);
    assertThat(menu()).containsExactly("1", "2");
    assertThat(sysroot().staged()).isEmpty();
    machine.judge();
  }

  /** For whoever reboots machines by {@code /run/reboot-required}. */
  @Test
  void asksForARebootWhileSomethingElseBootsNext() throws IOException {
    upgrade("2");
    upgrade("3");
    Path asked = machine.run().resolve("reboot-required");
    machine.host().rollback(false);
    assertThat(asked).exists();
    stage("4");
    verbs().delete("staged");
    assertThat(asked).as("the rollback is queued still").content().contains(digest("0"));
    verbs().delete("rollback");
    assertThat(asked).as("the running one boots next again").doesNotExist();
    stage("4");
    assertThat(asked).content().contains(digest("staged"));
    machine.host().upgrade(new Host.UpgradeOptions(false, false, true, false, null));
    assertThat(asked).as("the shutdown leaves it alone").doesNotExist();
    machine.host().upgrade(new Host.UpgradeOptions(false, false, false, true, null));
    assertThat(asked).content().contains(digest("staged"));
  }

  private String digest(String word) throws IOException {
    Sysroot sysroot = sysroot();
    return sysroot
        .repository()
        .readCommit(DeploymentChoice.find(sysroot, word).checksum())
        .string(StatusReader.MANIFEST_DIGEST)
        .orElseThrow();
  }

  @Test
  void keepsAsManyAsWanted() throws IOException {
    assertThat(verbs().keep()).isEqualTo(1);
    verbs().keep(3);
    assertThat(machine.heard())
        .containsExactly(
            "Keeping 3 deployments beside the booted one from the next update on, pinned ones not"
                + " counted");
    verbs().pin("booted", true);
    for (int version = 2; version <= 6; version++) {
      upgrade(Integer.toString(version));
    }
    assertThat(menu()).containsExactly("6", "5", "4", "3", "1");
    verbs().keep(1);
    upgrade("7");
    assertThat(menu()).containsExactly("7", "6", "1");
    assertThatThrownBy(() -> verbs().keep(0))
        .isInstanceOf(Problem.class)
        .hasMessage("a machine keeps 1 to 99 deployments beside the booted one");
  }

  @Test
  void damagedSettingsKeepNoUpdateFromComing() throws IOException {
    Path file = MachineSettings.path(machine.root());
    Files.writeString(file, "[deployments]\nkeep=many\n");
    upgrade("2");
    assertThat(machine.noted)
        .anyMatch(l -> l.startsWith("warning: the machine's settings are not obeyed: "));
    assertThat(menu()).containsExactly("2", "1");
    verbs().keep(2);
    assertThat(file).hasContent("[deployments]\nkeep=2");
    Files.writeString(file, "# mine\n[deployments]\nother=1\nkeep=2\n");
    verbs().keep(4);
    assertThat(file).hasContent("# mine\n[deployments]\nother=1\nkeep=4");
  }

  @Test
  void rollsBackToAnyEntry() throws IOException {
    verbs().keep(3);
    upgrade("2");
    upgrade("3");
    machine.heard();
    machine.host().rollback(new Host.RollbackOptions("2", false, false, false));
    assertThat(machine.heard())
        .anyMatch(l -> l.startsWith("Next boot: deployment " + first.id() + " (sha256:"));
    assertThat(menu()).containsExactly("1", "3", "2");
    assertThatThrownBy(
            () -> machine.host().rollback(new Host.RollbackOptions("0", false, false, false)))
        .hasMessageContaining("boots next already");
    machine.host().rollback(new Host.RollbackOptions("booted", false, false, false));
    assertThat(machine.heard()).contains("Next boot: current deployment");
    assertThat(menu()).containsExactly("3", "1", "2");
    String two = status().at("/status/otherDeployments/0/image/imageDigest").asString();
    machine.host().rollback(new Host.RollbackOptions(two.substring(0, 20), false, false, false));
    assertThat(menu()).containsExactly("2", "3", "1");
    machine.reboot();
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("2");
    machine.judge();
  }

  @Test
  void rollsBackWithoutLosingWhatIsStaged() throws IOException {
    upgrade("2");
    Path etc = machine.root().resolve(sysroot().booted().orElseThrow().directory());
    Files.writeString(etc.resolve("etc/mine"), "x\n");
    stage("3");
    machine.heard();
    machine.host().rollback(new Host.RollbackOptions(null, false, true, false));
    assertThat(machine.heard())
        .anyMatch(l -> l.startsWith("notice: The staged deployment is an entry of the boot menu"));
    machine.judge();
    assertThat(menu()).containsExactly("1", "2", "3");
    assertThat(status().at("/status/staged").isNull()).isTrue();
    assertThat(machine.reboot().isSame(first)).isTrue();
    machine.host().rollback(new Host.RollbackOptions("2", false, false, false));
    Deployment third = machine.reboot();
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("3");
    assertThat(machine.root().resolve(third.directory()).resolve("etc/mine")).hasContent("x");
    machine.judge();
  }

  @Test
  void tellsWhatItDoesNotFind() throws IOException {
    upgrade("2");
    for (String word : List.of("7", "sha256:000000", "abcdef0", "next", "sha256:", "..", "-1")) {
      assertThatThrownBy(() -> verbs().pin(word, true))
          .isInstanceOf(Problem.class)
          .hasMessageStartingWith(
              "no deployment is \"" + word + "\"; name one by its index, 0 to 1");
    }
    stage("3");
    assertThatThrownBy(() -> verbs().pin("staged", true))
        .hasMessage("a staged deployment cannot be pinned");
    assertThatThrownBy(
            () -> machine.host().rollback(new Host.RollbackOptions("0", false, false, false)))
        .hasMessageStartingWith("the staged deployment boots next anyway");
  }
}
