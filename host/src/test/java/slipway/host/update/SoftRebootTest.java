package slipway.host.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.host.status.HostStatus;
import slipway.host.system.HostMachine;

/** The running kernel goes on with another deployment, or it is said why not. */
class SoftRebootTest {
  private static final String NAME = HostMachine.NAME;

  private HostMachine machine;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    machine.publish(NAME, HostMachine.Image.of("1"));
    machine.install();
    machine.put("usr/lib/systemd/system/soft-reboot.target");
    machine.put("usr/bin/ostree");
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  /** The second version, with the kernel of the first. */
  private static HostMachine.Image sameKernel() {
    return HostMachine.Image.of("2")
        .file("usr/lib/modules/6.1.0/vmlinuz", "kernel 1")
        .file("usr/lib/modules/6.1.0/initramfs.img", "initramfs 1");
  }

  private void upgrade(boolean apply, Host.@Nullable SoftReboot soft) throws IOException {
    machine
        .host()
        .upgrade(
            new Host.UpgradeOptions(
                false, apply, false, false, null, null, new Host.Demands(soft, null)));
  }

  private static Host.RollbackOptions back(boolean apply) {
    return new Host.RollbackOptions(null, apply, false, false, Host.SoftReboot.REQUIRED);
  }

  private HostStatus.Entry staged() throws IOException {
    return java.util.Objects.requireNonNull(machine.host().status().staged());
  }

  @Test
  void goesOnWithTheSameKernel() throws IOException {
    machine.publish(NAME, sameKernel());
    upgrade(true, Host.SoftReboot.REQUIRED);
    assertThat(machine.heard())
        .contains("Staged deployment is soft-reboot capable, preparing for soft-reboot...");
    assertThat(machine.actions)
        .containsExactly("finalizer", "prepare-soft-reboot 0", "soft-reboot");
    assertThat(machine.run().resolve("reboot-required")).doesNotExist();
    assertThat(staged().softReboot()).isTrue();
    // What was downloaded already is prepared too, and so is the way back.
    machine.actions.clear();
    upgrade(false, Host.SoftReboot.AUTO);
    assertThat(machine.actions).containsExactly("finalizer", "prepare-soft-reboot 0");
    machine.actions.clear();
    machine.reboot();
    machine.host().rollback(back(true));
    assertThat(machine.heard())
        .contains("Rollback deployment is soft-reboot capable, preparing for soft-reboot...");
    assertThat(machine.actions).containsExactly("prepare-soft-reboot 0", "soft-reboot");
    machine.judge();
  }

  @Test
  void rebootsFullyWithAnotherKernelUnlessTheUserWantsNothingElse() throws IOException {
    machine.publish(NAME, HostMachine.Image.of("2"));
    assertThatThrownBy(() -> upgrade(true, Host.SoftReboot.REQUIRED))
        .isInstanceOf(Problem.class)
        .hasMessage(
            "Soft reboot was required but the deployment is not soft-reboot capable: its kernel or"
                + " initramfs is another one; nothing was changed");
    assertThat(machine.host().status().staged()).isNull();
    assertThat(machine.actions).doesNotContain("reboot", "soft-reboot");
    machine.judge();
    upgrade(true, Host.SoftReboot.AUTO);
    assertThat(machine.actions).contains("reboot").doesNotContain("prepare-soft-reboot 0");
    assertThat(staged().softReboot()).isFalse();
    machine.reboot();
    assertThatThrownBy(() -> machine.host().rollback(back(true)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("its kernel or initramfs is another one");
    assertThat(machine.host().status().rollbackQueued()).isFalse();
  }

  @Test
  void otherArgumentsOfTheKernelNeedAFullReboot() throws IOException {
    machine.publish(NAME, sameKernel().file("usr/lib/bootc/kargs.d/1.toml", "kargs = [\"x=1\"]"));
    assertThatThrownBy(() -> upgrade(true, Host.SoftReboot.REQUIRED))
        .hasMessageContaining("its kernel arguments are others");
  }

  @Test
  void anotherSelinuxPolicyNeedsAFullReboot() throws IOException {
    String config = "etc/selinux/config";
    String policy = "etc/selinux/targeted/policy/policy.33";
    HostMachine.Image first =
        sameKernel().file(config, "SELINUX=enforcing\nSELINUXTYPE=targeted\n").file(policy, "a");
    machine.publish(NAME, first);
    upgrade(false, null);
    assertThat(staged().softReboot()).as("SELinux is off").isTrue();
    machine.put("sys/fs/selinux/enforce");
    assertThat(staged().softReboot()).as("only one has a policy").isFalse();
    machine.reboot();
    machine.publish(NAME, first.file("etc/version", "3"));
    upgrade(false, null);
    assertThat(staged().softReboot()).as("the same policy").isTrue();
    machine.publish(NAME, first.file(policy, "b"));
    upgrade(false, null);
    assertThat(staged().softReboot()).as("another policy").isFalse();
  }

  @Test
  void anOstreeThatCannotPrepareIsNoWay() throws IOException {
    machine.put("usr/bin/ostree.old");
    machine.publish(NAME, sameKernel());
    assertThatThrownBy(() -> upgrade(true, Host.SoftReboot.REQUIRED))
        .hasMessageStartingWith(
            "this machine cannot soft-reboot: its ostree command cannot prepare the new root");
    assertThat(machine.host().status().staged()).isNull();
    upgrade(true, Host.SoftReboot.AUTO);
    assertThat(staged().softReboot()).isFalse();
    assertThat(machine.actions).containsExactly("finalizer", "reboot");
  }

  @Test
  void tellsWhatTheMachineLacksBeforeAnythingIsFetched() throws IOException {
    Files.delete(machine.root().resolve("usr/bin/ostree"));
    assertThatThrownBy(() -> upgrade(true, Host.SoftReboot.REQUIRED))
        .hasMessage(
            "this machine cannot soft-reboot: it has no ostree command, which prepares the new"
                + " root");
    machine.composefs = false;
    machine.reboot();
    assertThatThrownBy(
            () ->
                machine
                    .host()
                    .switchTo(
                        new Host.SwitchOptions(
                            "no.example/image",
                            "registry",
                            false,
                            false,
                            false,
                            false,
                            new Host.Demands(Host.SoftReboot.REQUIRED, null))))
        .hasMessage(
            "this machine cannot soft-reboot: its root file system does not come out of a"
                + " composefs image");
    Path target = machine.root().resolve("usr/lib/systemd/system/soft-reboot.target");
    Files.delete(target);
    assertThatThrownBy(() -> machine.host().rollback(back(false)))
        .hasMessage("this machine cannot soft-reboot: its systemd has none");
  }

  @Test
  void aRootThatCannotBePreparedNeedsAFullReboot() throws IOException {
    machine.publish(NAME, sameKernel());
    machine.put("usr/bin/ostree.fails");
    assertThatThrownBy(() -> upgrade(true, Host.SoftReboot.REQUIRED))
        .hasMessageEndingWith(", but it needs a full reboot: no new root")
        .hasMessageStartingWith("the next boot starts default ");
    upgrade(true, Host.SoftReboot.AUTO);
    assertThat(machine.noted).contains("warning: a full reboot is needed: no new root");
    assertThat(machine.actions.getLast()).isEqualTo("reboot");
  }

  @Test
  void preparesNothingThatTheShutdownCouldNotFinish() throws IOException {
    machine.publish(NAME, sameKernel().file("etc/thing/x", "x"));
    Path etc = machine.root().resolve(running()).resolve("etc");
    Files.writeString(etc.resolve("thing"), "mine\n");
    assertThatThrownBy(() -> upgrade(false, Host.SoftReboot.AUTO))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("staged, but not rebooting: ")
        .hasMessageEndingWith(": rename or remove /etc/thing, then reboot");
    assertThat(machine.actions).containsExactly("finalizer");
    Files.delete(etc.resolve("thing"));
    upgrade(false, Host.SoftReboot.AUTO);
    assertThat(machine.actions).contains("prepare-soft-reboot 0");
  }

  private String running() throws IOException {
    return machine.environment().sysroot().booted().orElseThrow().directory().toString();
  }

  @Test
  void whatWasPreparedIsTakenBackWhenSomethingElseComesNext() throws IOException {
    machine.publish(NAME, sameKernel());
    upgrade(false, Host.SoftReboot.AUTO);
    Files.writeString(machine.run().resolve("ostree/nextroot-booted"), "");
    machine.publish(NAME, HostMachine.Image.of("3"));
    machine.actions.clear();
    upgrade(false, null);
    assertThat(machine.actions).containsExactly("finalizer", "prepare-soft-reboot --reset");
  }

  @Test
  void optionsThatExcludeEachOther() {
    assertThatThrownBy(
            () ->
                new Host.UpgradeOptions(
                    true,
                    false,
                    false,
                    false,
                    null,
                    null,
                    new Host.Demands(Host.SoftReboot.AUTO, null)))
        .hasMessage("--soft-reboot excludes --check and --download-only");
  }
}
