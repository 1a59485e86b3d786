package slipway.host.update;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.host.status.HostStatus;
import slipway.host.status.StatusReader;
import slipway.host.system.HostMachine;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.ObjectType;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;

/** A commit that a power cut or a bad disk took harms its own deployment alone. */
class DamagedCommitTest {
  private static final String NAME = HostMachine.NAME;

  private HostMachine machine;

  @BeforeEach
  void start() throws Exception {
    machine = new HostMachine();
  }

  @AfterEach
  void stop() throws Exception {
    machine.close();
  }

  /** The files of the deployment are whole, and this may be the moment when it is needed. */
  @Test
  void whatIsDamagedCanBeGoneBackTo() throws Exception {
    Deployment rollback = damagedRollback();
    machine.host().rollback(false);
    assertThat(machine.heard()).contains("Next boot: rollback deployment");
    assertThat(machine.environment().sysroot().deployments().getFirst().isSame(rollback)).isTrue();
  }

  @Test
  void whatCannotBeHeldBackIsTold() throws Exception {
    Deployment bad = damagedRollback();
    Sysroot sysroot = machine.environment().sysroot();
    machine.host().rollBackAutomatically(sysroot, bad, sysroot.booted().orElseThrow(), "a test");
    assertThat(machine.heard())
        .anyMatch(line -> line.startsWith("warning: Unattended updates may bring the image of "));
  }

  private Deployment damagedRollback() throws Exception {
    machine.publish(NAME, HostMachine.Image.of("1"));
    machine.install();
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    machine.reboot();
    Sysroot sysroot = machine.environment().sysroot();
    Deployment rollback = sysroot.deployments().getLast();
    Files.write(commit(sysroot, rollback), new byte[0]);
    return rollback;
  }

  private static Path commit(Sysroot sysroot, Deployment deployment) throws Exception {
    return sysroot.repository().objectPath(deployment.checksum(), ObjectType.COMMIT);
  }

  @Test
  void anImageStaysWhoseNameADamagedOriginHides() throws Exception {
    String other = "other.example/os:1";
    machine.publish(NAME, HostMachine.Image.of("1"));
    Deployment old = machine.install();
    machine.publish(other, HostMachine.Image.of("2"));
    machine.host().switchTo(Host.SwitchOptions.to(other));
    machine.reboot();
    Path origin = machine.root().resolve(old.directory() + ".origin");
    Files.writeString(origin, "damaged\n");
    Set<String> images =
        machine.environment().sysroot().repository().refs("ostree/container/image").keySet();
    machine.publish(other, HostMachine.Image.of("3"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    assertThat(machine.environment().sysroot().repository().refs("ostree/container/image"))
        .containsKeys(images.toArray(String[]::new))
        .hasSize(2);
    assertThat(machine.host().status(Host.Format.JSON, false, false))
        .contains(origin + ":1: expected", "; it is kept while there is room");
  }

  @Test
  void goesBackToWhatRunsWhereItsTreeIsDamaged() throws Exception {
    String other = "other.example/os:1";
    machine.publish(NAME, HostMachine.Image.of("1"));
    Deployment running = machine.install();
    machine.publish(other, HostMachine.Image.of("2"));
    machine.host().switchTo(Host.SwitchOptions.to(other));
    Sysroot sysroot = machine.environment().sysroot();
    String tree = sysroot.repository().readCommit(running.checksum()).root().dirtree().hex();
    Files.delete(
        machine
            .root()
            .resolve("ostree/repo/objects")
            .resolve(tree.substring(0, 2))
            .resolve(tree.substring(2) + ".dirtree"));
    assertThat(machine.host().switchTo(Host.SwitchOptions.to(NAME))).isTrue();
  }

  /** What runs cannot be removed. */
  @Test
  void theStatusAdvisesWhatHelpsWhereTheOriginOfWhatRunsIsDamaged() throws Exception {
    machine.publish(NAME, HostMachine.Image.of("1"));
    Path origin = machine.root().resolve(machine.install().directory() + ".origin");
    Files.writeString(origin, "damaged\n");
    assertThat(machine.host().status(Host.Format.JSON, false, false))
        .contains(origin + ":1: expected", "; bootc switch names the image again")
        .doesNotContain("bootc delete");
  }

  /** Notes have no checksum of their own, and only tell that something newer was seen. */
  @Test
  void neitherNotesNorLabelsEndTheStatus() throws Exception {
    machine.publish(NAME, HostMachine.Image.of("1"));
    machine.install();
    machine.publish(NAME, sameKernel());
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    machine.reboot();
    Sysroot sysroot = machine.environment().sysroot();
    Deployment rollback = sysroot.deployments().getLast();
    machine.put("sys/fs/selinux/enforce");
    Files.createDirectories(sysroot.path(rollback).resolve("usr/etc/selinux/config"));
    sysroot
        .repository()
        .changeDetachedMetadata(
            rollback.checksum(),
            notes -> {
              notes.put(StatusReader.CACHED_DIGEST, GVariant.string("sha256:1"));
              notes.put(StatusReader.CACHED_CONFIG, GVariant.string("{"));
            });
    HostStatus.Entry shown = machine.host().status().rollback();
    assertThat(shown.image()).isNotNull();
    assertThat(shown.update()).isNull();
    assertThat(shown.softReboot()).isFalse();
  }

  private static HostMachine.Image sameKernel() {
    HostMachine.Image first = HostMachine.Image.of("1");
    HostMachine.Image image = HostMachine.Image.of("2");
    for (String file : List.of("vmlinuz", "initramfs.img")) {
      String path = "usr/lib/modules/6.1.0/" + file;
      image = image.file(path, first.files().get(path));
    }
    return image;
  }

  @Test
  void theRollbacksDamageEndsNeitherStatusNorUpgrades() throws Exception {
    Deployment rollback = damagedRollback();
    Sysroot sysroot = machine.environment().sysroot();
    Path commit = commit(sysroot, rollback);
    Set<String> layers = sysroot.repository().refs("ostree/container/blob").keySet();

    assertThat(machine.host().status(Host.Format.JSON, false, false))
        .contains("the commit of " + rollback.directory() + " is missing or damaged");
    machine.publish(NAME, HostMachine.Image.of("3"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    assertThat(machine.environment().sysroot().staged()).isPresent();
    assertThat(machine.environment().sysroot().repository().refs("ostree/container/blob"))
        .containsKeys(layers.toArray(String[]::new));
    assertThat(machine.noted)
        .anyMatch(
            note ->
                note.contains("old images could not be removed")
                    && note.contains(commit + " is damaged (")
                    && note.contains("bootc fsck --repair"));
  }
}
