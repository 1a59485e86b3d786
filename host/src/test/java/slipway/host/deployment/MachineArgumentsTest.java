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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.host.system.HostEnvironment;
import slipway.host.system.HostMachine;
import slipway.host.update.Host;
import slipway.host.update.ImageRefs;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;
import slipway.system.kargs.KernelArguments;

/** Kernel arguments of a machine, through reboots and upgrades. */
class MachineArgumentsTest {
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

  private MachineArguments verbs() {
    return new MachineArguments(machine.environment());
  }

  private MachineArguments.Outcome add(String... words) throws IOException {
    return verbs().change(ArgumentEdit.add(List.of(words), false));
  }

  private void upgrade(HostMachine.Image image) throws IOException {
    machine.publish(NAME, image);
    machine.host().upgrade(Host.UpgradeOptions.NONE);
  }

  /** The default entry of the menu that GRUB and ostree read. */
  private String entry() throws IOException {
    Path entries = machine.root().resolve("boot/loader/entries");
    return Files.readString(entries.resolve("ostree-2.conf"));
  }

  /** Nobody could take it back on a machine that does not start. */
  @Test
  void whatTheMachineFindsItsRootByGoesByForceAlone() {
    KernelArguments present =
        KernelArguments.of("root=UUID=1", "rootflags=x", "composefs=1", "rd.luks.uuid=u", "quiet");
    for (String word : List.of("root", "root=UUID=1", "rootflags", "composefs", "rd.luks.uuid")) {
      assertThatThrownBy(() -> ArgumentEdit.delete(List.of(word), false, false).apply(present))
          .isInstanceOf(Problem.class)
          .hasMessageStartingWith("this machine may not start without \"" + word)
          .hasMessageEndingWith(
              "\": give it another value (bootc kargs replace), or delete it with --force");
      assertThat(ArgumentEdit.delete(List.of(word), false, true).apply(present).list()).hasSize(4);
    }
    KernelArguments twice = KernelArguments.of("root=UUID=1", "root=UUID=1");
    assertThat(ArgumentEdit.delete(List.of("root=UUID=1"), false, false).apply(twice))
        .hasToString("root=UUID=1");
  }

  /** Another process may replace what was staged while this one still tidies up. */
  @Test
  void tidyingUpMissesNothingThatAnotherProcessTookAway() throws Exception {
    add("mine");
    HostEnvironment host = machine.environment();
    assertThat(machine.beginWhileStaging(() -> ImageRefs.collect(host, host.sysroot()))).isNull();
    assertThat(machine.stagedArguments()).contains("theirs");
    assertThat(machine.noted).noneMatch(note -> note.startsWith("warning: "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "a b=1 b=2 | add     | c 'd e'     | -   | false | a b=1 b=2 c d e",
        "a b=1 b=2 | add     | a           | -   | false | a b=1 b=2 a",
        "a b=1 b=2 | add     | a b=1 b=3   | -   | true  | a b=1 b=2 b=3",
        "a b=1 b=2 | delete  | b=1         | -   | false | a b=2",
        "a b=1     | delete  | b           | -   | false | a",
        "a b=1     | delete  | c b=2       | -   | true  | a b=1",
        "a b=1 c   | replace | b=2         | -   | false | a b=2 c",
        "a b=1 c   | replace | b           | -   | false | a b c",
        "a b=1 b=2 | replace | b=3         | b=1 | false | a b=3 b=2",
        "a b=1     | replace | c=3         | -   | true  | a b=1",
        "a c=\"d e\" f | delete | c='d e' | - | false | a f",
        "a c=\"d e\" | add | c='d e' | - | true | a c=\"d e\"",
        "c=\"d e\" a | replace | c=2 | c=d e | false | c=2 a",
      })
  void changesThem(
      String before, String verb, String words, String old, boolean idempotent, String after) {
    List<String> given = KernelArguments.parse(words.replace('\'', '"')).list();
    List<String> bare = given.stream().map(word -> word.replace("\"", "")).toList();
    ArgumentEdit edit =
        switch (verb) {
          case "add" -> ArgumentEdit.add(bare, idempotent);
          case "delete" -> ArgumentEdit.delete(bare, idempotent, false);
          default -> ArgumentEdit.replace(bare, old, idempotent);
        };
    assertThat(edit.apply(KernelArguments.parse(before))).hasToString(after);
  }

  @Test
  void refusesWhatDoesNotFit() {
    KernelArguments present = KernelArguments.of("a", "b=1", "b=2");
    assertThatThrownBy(() -> ArgumentEdit.delete(List.of("b"), true, false).apply(present))
        .isInstanceOf(Problem.class)
        .hasMessage("several kernel arguments have the key b, name one: b=1, b=2");
    assertThatThrownBy(() -> ArgumentEdit.delete(List.of("c"), false, false).apply(present))
        .hasMessage("no kernel argument is \"c\"; bootc kargs list shows those of the next boot");
    assertThatThrownBy(() -> ArgumentEdit.replace(List.of("c=1"), null, false).apply(present))
        .hasMessage("no kernel argument is \"c\"; bootc kargs list shows those of the next boot");
    for (String bad : List.of("a\nb", "a=\"b", "ostree=/x", "\"ostree=/x\"", "a\u202eb", " ")) {
      assertThatThrownBy(() -> ArgumentEdit.add(List.of(bad), false)).isInstanceOf(Problem.class);
      assertThatThrownBy(() -> ArgumentEdit.replace(List.of(bad), null, false))
          .isInstanceOf(Problem.class);
    }
    assertThatThrownBy(() -> ArgumentEdit.replace(List.of("a", "c"), "a", false))
        .isInstanceOf(Problem.class);
  }

  @Test
  void stagesTheSameImageOtherwise() throws IOException {
    Files.writeString(machine.root().resolve(first.directory()).resolve("etc/mine"), "x\n");
    MachineArguments.Outcome outcome = add("quiet");
    assertThat(outcome)
        .isEqualTo(
            new MachineArguments.Outcome(
                List.of("root=UUID=1", "rw", "quiet"), List.of("+quiet"), true));
    assertThat(machine.actions).containsExactly("finalizer");
    assertThat(machine.heard())
        .anyMatch(l -> l.startsWith("Queued for next boot: " + NAME))
        .contains("  Kernel arguments: +quiet");
    assertThat(machine.run().resolve("reboot-required")).exists();
    assertThat(machine.host().status(Host.Format.HUMANREADABLE, false, false))
        .contains("   Kernel args: +quiet\n");
    assertThat(verbs().list(false)).containsExactly("root=UUID=1", "rw", "quiet");
    assertThat(verbs().list(true)).containsExactly("root=UUID=1", "rw");
    verbs().change(ArgumentEdit.add(List.of("quiet"), true));
    assertThat(machine.heard()).containsExactly("No changes.");
    verbs().change(ArgumentEdit.replace(List.of("root=UUID=2"), null, false));
    machine.judge();
    Deployment second = machine.reboot();
    assertThat(second.checksum()).isEqualTo(first.checksum());
    assertThat(second.kargs()).isEqualTo(KernelArguments.of("root=UUID=2", "rw", "quiet"));
    assertThat(entry()).contains("\noptions root=UUID=2 rw quiet ostree=/ostree/boot.");
    assertThat(machine.root().resolve(second.directory()).resolve("etc/mine")).hasContent("x");
    machine.judge();
    upgrade(HostMachine.Image.of("2"));
    assertThat(machine.reboot().kargs().toString()).isEqualTo("root=UUID=2 rw quiet");
    machine.judge();
  }

  @Test
  void goesWithWhatIsStaged() throws IOException {
    upgrade(HostMachine.Image.of("2").file("usr/lib/bootc/kargs.d/1.toml", "kargs = [\"two\"]"));
    add("quiet");
    upgrade(HostMachine.Image.of("3").file("usr/lib/bootc/kargs.d/1.toml", "kargs = [\"three\"]"));
    machine.judge();
    Deployment third = machine.reboot();
    assertThat(third.kargs().toString()).isEqualTo("root=UUID=1 rw three quiet");
    assertThat(HostMachine.version(Sysroot.open(machine.root()), third)).isEqualTo("3");
    machine.judge();
  }

  @Test
  void staysLockedAndIsTakenBack() throws IOException {
    add("quiet");
    machine.environment().sysroot().setStagedLocked(true);
    add("loud");
    assertThat(machine.environment().sysroot().staged().orElseThrow().locked()).isTrue();
    machine.heard();
    MachineArguments.Outcome outcome =
        verbs().change(ArgumentEdit.delete(List.of("quiet", "loud"), false, false));
    assertThat(outcome.staged()).isFalse();
    assertThat(machine.environment().sysroot().staged()).isEmpty();
    assertThat(machine.run().resolve("reboot-required")).doesNotExist();
    assertThat(machine.heard()).singleElement().asString().contains("nothing is staged any more");
    machine.judge();
  }

  @Test
  void takesASoftRebootBackThatWasPrepared() throws IOException {
    Files.createFile(machine.environment().runState().nextRootFile());
    verbs().change(ArgumentEdit.add(List.of("rw"), true));
    assertThat(machine.actions).isEmpty();
    add("quiet");
    assertThat(machine.actions).containsExactly("finalizer", "prepare-soft-reboot --reset");
  }

  @Test
  void changesNothingWhenAnotherIsStagedMeanwhile() throws Exception {
    assertThat(machine.beginWhileStaging(() -> add("quiet")))
        .isInstanceOf(Problem.class)
        .hasMessage("another process changed the deployments meanwhile; run the command again");
    assertThat(machine.stagedArguments()).isEqualTo("root=UUID=1 rw theirs");
    add("quiet");
    assertThat(machine.stagedArguments()).isEqualTo("root=UUID=1 rw theirs quiet");
    assertThat(
            machine.beginWhileStaging(
                () ->
                    verbs().change(ArgumentEdit.delete(List.of("theirs", "quiet"), false, false))))
        .isInstanceOf(Problem.class);
    assertThat(machine.stagedArguments()).isEqualTo("root=UUID=1 rw theirs");
    machine.judge();
  }

  @Test
  void refusesWhenAnotherDeploymentBootsNext() throws IOException {
    upgrade(HostMachine.Image.of("2"));
    machine.reboot();
    machine.host().rollback(false);
    assertThatThrownBy(() -> add("quiet"))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("another deployment than the booted one is the next to boot");
  }

  @Test
  void whatSeveralWantStaysWhileOneOfThemDoes() throws IOException {
    verbs().setOptionsForSource("one", "shared=1");
    verbs().setOptionsForSource("two", "shared=1 own=2");
    verbs().setOptionsForSource("two", "");
    assertThat(verbs().list(false)).containsOnlyOnce("shared=1").doesNotContain("own=2");
    verbs().setOptionsForSource("one", "");
    assertThat(verbs().list(false)).doesNotContain("shared=1");
  }

  @Test
  void keepsTheOptionsOfSourcesApart() throws IOException {
    verbs().setOptionsForSource("tuned", "nohz=on isolcpus=1-3");
    verbs().setOptionsForSource("other_1", "x=1");
    assertThat(verbs().list(false))
        .containsExactly("root=UUID=1", "rw", "nohz=on", "isolcpus=1-3", "x=1");
    machine.heard();
    verbs().setOptionsForSource("other_1", "x=1");
    verbs().setOptionsForSource("tuned", "nohz=on isolcpus=1-3");
    assertThat(machine.heard()).containsExactly("No changes.", "No changes.");
    machine.reboot();
    assertThat(entry())
        .contains(
            "\nx-options-source-tuned nohz=on isolcpus=1-3\n", "\nx-options-source-other_1 x=1\n");
    add("mine");
    verbs().setOptionsForSource("tuned", "isolcpus=0");
    upgrade(HostMachine.Image.of("2"));
    Deployment second = machine.reboot();
    assertThat(second.kargs().toString()).isEqualTo("root=UUID=1 rw x=1 mine isolcpus=0");
    assertThat(entry()).contains("\nx-options-source-tuned isolcpus=0\n");
    verbs().setOptionsForSource("tuned", "");
    Deployment third = machine.reboot();
    assertThat(third.kargs().toString()).isEqualTo("root=UUID=1 rw x=1 mine");
    assertThat(entry()).doesNotContain("source-tuned").contains("x-options-source-other_1 x=1\n");
    machine.judge();
    for (String bad : List.of("", "a b", "a/b", "x\ny")) {
      assertThatThrownBy(() -> verbs().setOptionsForSource(bad, "a"))
          .isInstanceOf(Problem.class)
          .hasMessageStartingWith("--source is a name");
    }
    assertThatThrownBy(() -> verbs().setOptionsForSource("a", "a\nb")).isInstanceOf(Problem.class);
    assertThatThrownBy(() -> verbs().setOptionsForSource("a", "ostree=x"))
        .isInstanceOf(Problem.class);
  }

  @Test
  void argumentsThatAreThoseThatRunAgainAreNoEmptyLine() throws IOException {
    upgrade(HostMachine.Image.of("2"));
    add("x");
    machine.heard();
    verbs().change(ArgumentEdit.delete(List.of("x"), false, false));
    assertThat(machine.heard()).contains("  Kernel arguments: as they run now");
  }
}
