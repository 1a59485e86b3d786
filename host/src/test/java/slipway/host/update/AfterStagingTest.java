package slipway.host.update;

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
import slipway.host.deployment.ArgumentEdit;
import slipway.host.deployment.MachineArguments;
import slipway.host.status.StatusReader;
import slipway.host.system.HostMachine;
import slipway.host.system.OtherSource;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Manifest;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;
import slipway.sysroot.Sysroot;

/** What is said, and what is no refusal, once something is staged. */
class AfterStagingTest {
  private static final String NAME = HostMachine.NAME;
  private static final String STICK = "/media/stick";

  /** The ref of a layer that no deployment needs. */
  private static final String FORGOTTEN = "ostree/container/blob/sha256_3A_" + "0".repeat(64);

  private HostMachine machine;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    machine.publish(NAME, HostMachine.Image.of("1"));
    machine.install();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private void upgrade() throws IOException {
    machine.host().upgrade(new Host.UpgradeOptions(false, true, false, false, null));
  }

  private static void isNoRefusal(Throwable e) {
    assertThat(e)
        .isInstanceOfSatisfying(Problem.class, p -> assertThat(p.isAfterChange()).isTrue());
  }

  @Test
  void aRebootThatDoesNotComeIsNoRefusal() throws IOException {
    machine.put("usr/bin/reboot.fails");
    machine.publish(NAME, HostMachine.Image.of("2"));
    assertThatThrownBy(this::upgrade)
        .satisfies(AfterStagingTest::isNoRefusal)
        .hasMessageStartingWith("the next boot starts default ")
        .hasMessageEndingWith(", but nobody reboots");
    assertThat(machine.host().status().staged()).isNotNull();
    assertThat(machine.run().resolve("reboot-required")).exists();
  }

  /** A process that was ended right after its commit point left the rest to the next one. */
  @Test
  void whatAnEndedProcessDidNotDoIsDoneByTheNext() throws IOException {
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    leaveUnfinished();
    assertThat(machine.host().upgrade(Host.UpgradeOptions.NONE)).isFalse();
    assertFinished();
    leaveUnfinished();
    assertThat(machine.host().switchTo(Host.SwitchOptions.to(NAME))).isFalse();
    assertFinished();
  }

  private void leaveUnfinished() throws IOException {
    Repository repository = machine.environment().sysroot().repository();
    Files.delete(machine.run().resolve("reboot-required"));
    try (Transaction transaction = repository.begin()) {
      transaction.setRef(
          FORGOTTEN, machine.environment().sysroot().staged().orElseThrow().checksum());
      transaction.commit();
    }
    repository.changeDetachedMetadata(
        booted(), detached -> detached.put(StatusReader.CACHED_DIGEST, GVariant.string("newer")));
  }

  private Checksum booted() throws IOException {
    return machine.environment().sysroot().booted().orElseThrow().checksum();
  }

  private void assertFinished() throws IOException {
    assertThat(machine.run().resolve("reboot-required")).exists();
    assertThat(machine.environment().sysroot().repository().refs("ostree/container"))
        .doesNotContainKey(FORGOTTEN);
    assertThat(machine.environment().sysroot().repository().readDetachedMetadata(booted()))
        .doesNotContainKey(StatusReader.CACHED_DIGEST);
  }

  /** What is staged is dropped before the menu is written. */
  @Test
  void aRollbackThatFailsTellsWhatIsLeft() throws IOException {
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    machine.reboot();
    machine.publish(NAME, HostMachine.Image.of("3"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    Path inTheWay = machine.root().resolve("boot/loader.tmp");
    Files.createDirectories(inTheWay.resolve("x"));
    assertThatThrownBy(() -> machine.host().rollback(false))
        .satisfies(AfterStagingTest::isNoRefusal)
        .hasMessage(inTheWay + " is not empty; nothing is staged now");
  }

  @Test
  void whatTheShutdownCouldNotMergeIsNoRefusal() throws IOException {
    machine.publish(NAME, HostMachine.Image.of("2").file("etc/thing/x", "x"));
    Path etc =
        machine
            .root()
            .resolve(machine.environment().sysroot().booted().orElseThrow().directory())
            .resolve("etc");
    Files.writeString(etc.resolve("thing"), "mine");
    assertThatThrownBy(this::upgrade)
        .satisfies(AfterStagingTest::isNoRefusal)
        .hasMessageStartingWith("staged, but not rebooting: ");
  }

  /** Whatever it is that fails. */
  @Test
  void aFailureTellsWhatIsStaged() throws IOException {
    machine.publish(NAME, HostMachine.Image.of("2"));
    Sysroot sysroot = machine.environment().sysroot();
    ChangeGuard guard = new ChangeGuard(sysroot);
    assertThatThrownBy(
            () ->
                guard.run(
                    () -> {
                      machine.host().upgrade(Host.UpgradeOptions.NONE);
                      throw new IOException("the disk is gone");
                    }))
        .satisfies(AfterStagingTest::isNoRefusal)
        .hasMessageStartingWith("the disk is gone; staged is " + NAME + " (sha256:")
        .hasMessageEndingWith("), which the next boot starts");
    assertThatThrownBy(
            () ->
                guard.run(
                    () -> {
                      throw Problem.input("no");
                    }))
        .isInstanceOfSatisfying(Problem.class, p -> assertThat(p.isAfterChange()).isFalse())
        .hasMessage("no");
  }

  /** A source that cannot be closed in order. */
  private record Unclosed(ImageSource source) implements OtherSource {
    @Override
    public void close() throws IOException {
      throw new IOException("still open");
    }
  }

  @Test
  void aSourceThatIsNotClosedIsANote() throws IOException {
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.replace(NAME, Unclosed::new);
    assertThat(machine.host().upgrade(Host.UpgradeOptions.NONE)).isTrue();
    assertThat(machine.noted).anyMatch(line -> line.endsWith("closed in order: still open"));
  }

  // ---- taken for one time ----

  @Test
  void whatWasTakenForOneTimeIsCalledByItsOwnName() throws IOException {
    Manifest.Image two = machine.publish(STICK, HostMachine.Image.of("2"));
    machine
        .host()
        .switchTo(
            new Host.SwitchOptions(STICK, "oci", false, false, true, false, Host.Demands.NONE));
    machine.heard();
    String taken = "ostree-unverified-image:oci:" + STICK + " (" + two.digest() + ")";
    new MachineArguments(machine.environment()).change(ArgumentEdit.add(List.of("more=1"), false));
    assertThat(machine.heard()).contains("Queued for next boot: " + taken);
    machine.reboot();
    assertThat(machine.host().status(Host.Format.HUMANREADABLE, false, true))
        .contains("Booted image: " + NAME, "Taken from: oci:" + STICK);
    // Of the image that is followed it is no longer said.
    machine.publish(NAME, HostMachine.Image.of("3"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    machine.reboot();
    assertThat(machine.host().status(Host.Format.HUMANREADABLE, false, true))
        .doesNotContain("Taken from");
    machine.judge();
  }

  // ---- software in /var ----

  @Test
  void softwareThatIsNoLongerSeenIsWarnedOf() throws IOException {
    Path booted =
        machine.root().resolve(machine.environment().sysroot().booted().orElseThrow().directory());
    slipway.linux.posix.Ioctls.setImmutable(slipway.linux.posix.OsPath.of(booted), false);
    Files.createSymbolicLink(booted.resolve("opt"), Path.of("var/opt"));
    Files.createSymbolicLink(booted.resolve("usr/local"), Path.of("../var/usrlocal"));
    Path data = machine.root().resolve("var");
    Files.createDirectories(data.resolve("opt/vendor"));
    Files.createDirectories(data.resolve("usrlocal"));
    machine.publish(
        NAME, HostMachine.Image.of("2").file("opt/tool/x", "x").file("usr/local/bin/y", "y"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    assertThat(machine.noted)
        .anyMatch(line -> line.startsWith("warning: /opt of the new image"))
        .noneMatch(line -> line.contains("/usr/local"));
  }
}
