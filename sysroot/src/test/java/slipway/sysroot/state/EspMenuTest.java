package slipway.sysroot.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.linux.mount.Mount;
import slipway.linux.process.Command;
import slipway.ostree.object.Checksum;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.MirroredMenu;
import slipway.sysroot.Sysroot;
import slipway.system.kargs.KernelArguments;

/** The copy of the boot menu that systemd-boot reads; ostree judges the one in /boot. */
class EspMenuTest extends EspCase {
  @Test
  void anInstallationBeginsWithoutAnOldMenu() throws IOException {
    EspMenu menu = new EspMenu(esp);
    Path folder = esp.resolve("loader/entries");
    for (String name : List.of("ostree-b-2.conf", "ostree-a-1+3.conf", "other.conf")) {
      Files.writeString(
          folder.resolve(name), "title old\nlinux /ostree/old-" + "0a".repeat(32) + "/vmlinuz\n");
    }
    // The partition is the /boot of another system of ostree, too.
    String others = "fedora-" + "0c".repeat(32);
    Files.writeString(
        folder.resolve("other.conf"), "title other\nlinux /OSTREE/" + others + "/vmlinuz\n");
    Files.createDirectories(esp.resolve("ostree").resolve(others));
    Path cut = Files.createDirectories(esp.resolve("ostree/cut-" + "0b".repeat(32)));
    Files.createDirectories(esp.resolve("ostree/other"));
    Path old = Files.createDirectories(esp.resolve("ostree/old-" + "0a".repeat(32)));
    Files.write(old.resolve("vmlinuz"), new byte[1000]);
    assertThat(menu.clears()).isGreaterThan(1000);
    assertThat(menu.held()).contains("loader/entries/ostree-b-2.conf");
    assertThat(menu.clear())
        .contains("loader/entries/ostree-b-2.conf", "ostree/" + old.getFileName())
        .contains("ostree/" + cut.getFileName())
        .doesNotContain("loader/entries/other.conf");
    assertThat(entries()).containsExactly("other.conf");
    assertThat(kernels()).containsExactly(others, "other");
    assertThat(menu.clears()).isZero();
    assertThat(menu.held()).isEmpty();
  }

  /** The menu of another system of ostree, whose /boot the partition is, stays with its kernels. */
  @Test
  void kernelsOfAnotherSystemStay() throws IOException {
    String others = "fedora-" + "0c".repeat(32);
    Files.writeString(
        esp.resolve("loader/entries/ostree-1.conf"),
        "title other\nlinux /ostree/" + others + "/vmlinuz\n");
    Files.createDirectories(esp.resolve("ostree").resolve(others));
    Files.createDirectories(esp.resolve("ostree/cut-" + "0b".repeat(32)));
    upgrade(Machine.files("2", "two"));
    assertThat(entries()).contains("ostree-1.conf");
    assertThat(kernels()).contains(others).noneMatch(name -> name.startsWith("cut-"));
  }

  @Test
  void holdsWhatTheMenuSaysWithPathsOfThePartition() throws IOException {
    String checksum = first.bootChecksum();
    assertThat(loader()).startsWith("default ostree-b-*\ntimeout 1\n");
    assertThat(Files.readString(esp.resolve("loader/entries.srel"))).isEqualTo("type1\n");
    assertThat(entries()).containsExactly("ostree-b-1.conf");
    assertThat(entry("ostree-b-1.conf"))
        .isEqualTo(
            """
            title Test OS 1 (ostree:0)
            version 1
            options root=UUID=1 rw ostree=/ostree/boot.1/default/%1$s/0
            linux /ostree/default-%1$s/vmlinuz-6.1.0-test
            initrd /ostree/default-%1$s/initramfs-6.1.0-test.img
            """
                .formatted(checksum));
    assertThat(esp.resolve("ostree/default-" + checksum + "/vmlinuz-6.1.0-test"))
        .hasContent("kernel one\n");
    machine.judge();
  }

  @Test
  void followsEachChange() throws IOException {
    upgrade(Machine.files("2", "two"));
    assertThat(loader()).startsWith("default ostree-a-*\n");
    assertThat(entries()).containsExactly("ostree-a-1.conf", "ostree-a-2.conf");
    assertThat(deploymentOf(starts())).isEqualTo(sysroot.deployments().getFirst().id());
    assertThat(kernels()).hasSize(2);

    sysroot.setBootOrder(sysroot.deployments().reversed(), Sysroot.Before.NOTHING);
    assertThat(deploymentOf(starts())).isEqualTo(first.id());
    assertThat(entries()).containsExactly("ostree-b-1.conf", "ostree-b-2.conf");

    sysroot.setBootOrder(List.of(sysroot.deployments().getFirst()), Sysroot.Before.NOTHING);
    assertThat(entries()).containsExactly("ostree-a-1.conf");
    assertThat(kernels()).containsExactly("default-" + first.bootChecksum());
    machine.judge();
  }

  @Test
  void aMenuThatStaysAsItIsNeedsNoWriteThere() throws IOException {
    upgrade(Machine.files("1", "one"));
    String before = loader() + entries();
    Map<String, String> files = Machine.files("1", "one");
    files.put("usr/bin/hello", "another\n");
    first = sysroot.booted().orElseThrow();
    upgrade(files);
    assertThat(loader() + entries()).isEqualTo(before);
    assertThat(deploymentOf(starts())).isEqualTo(sysroot.deployments().getFirst().id());
  }

  /**
   * Cut off between the rename in /boot and the byte on the partition: what booted before boots,
   * and all that it leads to is there, until somebody makes up for it.
   */
  @Test
  void untilTheByteIsWrittenTheOldSetBootsAndKeepsAllThatItNeeds() throws IOException {
    List<String> warnings = new ArrayList<>();
    sysroot = Sysroot.open(machine.root(), machine.runState(), warnings::add);
    upgrade(Machine.files("2", "two"));
    Deployment second = sysroot.deployments().getFirst();
    Path conf = esp.resolve("loader/loader.conf");
    Command.of("chattr", "+i", conf.toString()).run();
    List<Deployment> order = sysroot.deployments().reversed();
    sysroot.setBootOrder(order, Sysroot.Before.NOTHING);
    assertThat(warnings)
        .anyMatch(w -> w.contains("not in force on the EFI system partition yet"))
        .anyMatch(w -> w.contains("nothing old is removed"));
    assertThat(sysroot.deployments().getFirst().id()).isEqualTo(first.id());
    assertThat(loader()).startsWith("default ostree-a-*");
    assertThat(entries())
        .containsExactly(
            "ostree-a-1.conf", "ostree-a-2.conf", "ostree-b-1.conf", "ostree-b-2.conf");
    assertThat(deploymentOf(starts())).isEqualTo(second.id());
    // Nor may the next change write over what it leads to.
    assertThatThrownBy(
            () -> sysroot.setBootOrder(sysroot.deployments().reversed(), Sysroot.Before.NOTHING))
        .isInstanceOf(IOException.class);
    assertThat(deploymentOf(starts())).isEqualTo(second.id());

    Command.of("chattr", "-i", conf.toString()).run();
    assertThat(new MirroredMenu(sysroot).update()).isTrue();
    assertThat(deploymentOf(starts())).isEqualTo(first.id());
    assertThat(new MirroredMenu(sysroot).update()).as("nothing to do").isFalse();
    machine.judge();
  }

  @Test
  void aStaterootStaysWhileTheOldSetMayLeadThere() throws IOException {
    sysroot.makeStateroot("other", Sysroot.Before.NOTHING);
    Checksum two = machine.commit(Machine.files("2", "two"));
    Deployment other =
        sysroot.deploy(DeploySpec.install("other", two, Origin.NONE, KernelArguments.of("rw")));
    Path folder = machine.root().resolve("ostree/deploy/other");
    freeze(true);
    for (boolean changes : List.of(true, false)) {
      assertThatThrownBy(() -> sysroot.removeStateroot("other", Sysroot.Before.NOTHING))
          .isInstanceOfSatisfying(
              Exception.class,
              e ->
                  assertThat(e instanceof Problem p && p.isAfterChange())
                      .as("%s", e)
                      .isEqualTo(changes));
      sysroot.reload();
      assertThat(sysroot.deployments()).hasSize(1);
      assertThat(deploymentOf(starts())).isEqualTo(other.id());
      assertThat(sysroot.path(other).resolve("usr/bin/hello")).exists();
    }
    // Nor do the objects go, whatever else keeps them no more.
    Command.of("ostree", "refs", "--repo=" + machine.root().resolve("ostree/repo"))
        .with("--delete", "ostree")
        .run();
    machine.commit(Machine.files("3", "three"));
    sysroot.cleanup(true);
    assertThat(sysroot.repository().readCommit(two)).isNotNull();
    freeze(false);
    sysroot.removeStateroot("other", Sysroot.Before.NOTHING);
    assertThat(folder).doesNotExist();
    assertThat(deploymentOf(starts())).isEqualTo(first.id());
    machine.judge();
  }

  @Test
  void theSecondStepWaitsUntilTheFirstIsInForceThere() throws IOException {
    mountPartition("6m");
    try {
      upgrade(large("2"));
      Deployment second = sysroot.deployments().getFirst();
      first = sysroot.booted().orElseThrow();
      Checksum three = machine.commit(large("3"));
      sysroot.stage(DeploySpec.upgrade(first, three, Origin.NONE), false);
      freeze(true);
      assertThatThrownBy(() -> sysroot.finalizeStaged()).isInstanceOf(IOException.class);
      assertThat(deploymentOf(starts())).isEqualTo(second.id());
      assertThat(sysroot.path(second).resolve("usr/bin/hello")).exists();
      freeze(false);
      assertThat(new MirroredMenu(sysroot).update()).isTrue();
      assertThat(deploymentOf(starts())).isEqualTo(first.id());
    } finally {
      unmountPartition();
    }
  }

  @Test
  void whatIsStagedStaysWhenTheMenuCannotCatchUp() throws IOException {
    upgrade(Machine.files("2", "two"));
    first = sysroot.booted().orElseThrow();
    Checksum three = machine.commit(Machine.files("3", "three"));
    Deployment staged = sysroot.stage(DeploySpec.upgrade(first, three, Origin.NONE), false);
    Files.delete(esp.resolve("loader/entries/ostree-a-1.conf"));
    freeze(true);
    assertThatThrownBy(() -> sysroot.finalizeStaged()).isInstanceOf(IOException.class);
    assertThatThrownBy(
            () -> sysroot.setBootOrder(sysroot.deployments().reversed(), Sysroot.Before.NOTHING))
        .isInstanceOf(IOException.class);
    sysroot.reload();
    assertThat(sysroot.staged()).isPresent();
    freeze(false);
    sysroot.finalizeStaged();
    assertThat(deploymentOf(starts())).isEqualTo(staged.id());
  }

  @Test
  void aFileThatBootHasLostIsMendedByAChange() throws IOException {
    String name = "ostree/default-" + first.bootChecksum() + "/vmlinuz-6.1.0-test";
    Path lost = machine.root().resolve("boot").resolve(name);
    Files.delete(lost);
    upgrade(Machine.files("2", "two"));
    assertThat(lost).hasContent("kernel one\n");
    Files.delete(lost);
    Files.delete(esp.resolve(name));
    assertThatThrownBy(() -> new MirroredMenu(sysroot).update())
        .isInstanceOf(Problem.class)
        .hasMessage(
            "the file "
                + name
                + " of the boot menu is missing in /boot and on the EFI system partition; bootc"
                + " fsck --repair puts it there");
    assertThat(sysroot.repair().mendKernel(sysroot.booted().orElseThrow())).isEqualTo(2);
    assertThat(new MirroredMenu(sysroot).update()).isFalse();
  }

  @Test
  void rubbishMakesRoomForTheMenuOfAnother() throws IOException {
    mountPartition("5m");
    try {
      Path left = Files.createDirectories(esp.resolve("ostree/default-" + "ab".repeat(32)));
      Files.write(left.resolve("vmlinuz"), new byte[2 << 20]);
      machine.commit(large("2"));
      machine.admin("deploy", "--os=default", "test");
      assertThat(new MirroredMenu(sysroot).update()).isTrue();
      assertThat(left).doesNotExist();
      assertThat(kernels()).hasSize(2);
    } finally {
      unmountPartition();
    }
  }

  @Test
  void withoutThePartitionNobodySpeaksOfRoom() throws IOException {
    List<String> warnings = new ArrayList<>();
    sysroot = Sysroot.open(machine.root(), machine.runState(), warnings::add);
    sysroot.changeSettings(settings -> settings.withKeep(3));
    upgrade(Machine.files("2", "two"));
    first = sysroot.booted().orElseThrow();
    Checksum three = machine.commit(Machine.files("3", "three"));
    Files.move(esp, esp.resolveSibling("elsewhere"));
    assertThatThrownBy(() -> sysroot.stage(DeploySpec.upgrade(first, three, Origin.NONE), false))
        .hasMessageContaining("not mounted on /boot/efi");
    assertThat(warnings).isEmpty();
  }

  /** ostree's own tools change /boot alone. */
  @Test
  void catchesUpWithOstree() throws IOException {
    upgrade(Machine.files("2", "two"));
    machine.admin("deploy", "--os=default", "--karg=theirs=1", "test");
    assertThat(new MirroredMenu(sysroot).update()).isTrue();
    sysroot.reload();
    assertThat(deploymentOf(starts())).isEqualTo(sysroot.deployments().getFirst().id());
    assertThat(entry(starts())).contains("theirs=1", "linux /ostree/default-");
    machine.admin("undeploy", "1");
    assertThat(new MirroredMenu(sysroot).update()).isTrue();
    assertThat(kernels()).hasSize(1);
    machine.judge();
  }

  @Test
  void withoutThePartitionNothingChanges() throws IOException {
    Files.move(esp, esp.resolveSibling("elsewhere"));
    Map<String, String> before = machine.listing("boot");
    assertThatThrownBy(() -> upgrade(Machine.files("2", "two")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("not mounted on /boot/efi");
    assertThat(machine.listing("boot")).isEqualTo(before);
    assertThat(sysroot.staged()).isEmpty();
  }

  @Test
  void aTrialIsCountedInTheName() throws IOException {
    upgrade(BootTrialTest.assessed("2", "two"));
    assertThat(entries()).containsExactly("ostree-a-1.conf", "ostree-a-2+3.conf");
    BootTrial begun = trials().current().orElseThrow();
    assertThat(begun.countedByLoader()).isFalse();
    assertThat(machine.root().resolve("boot/loader/slipway-counts")).exists();

    rename("ostree-a-2+3.conf", "ostree-a-2+2-1.conf");
    BootTrial counted = trials().current().orElseThrow();
    assertThat(counted.left()).isEqualTo(2);
    assertThat(counted.countedByLoader()).isTrue();
    trials().count(counted, 2);
    assertThat(trials().current()).contains(begun.withLeft(2));
    assertThat(entries()).containsExactly("ostree-a-1.conf", "ostree-a-2+2-1.conf");

    // What the firmware could not rename the system does.
    trials().count(trials().current().orElseThrow(), 1);
    assertThat(entries()).containsExactly("ostree-a-1.conf", "ostree-a-2+1-2.conf");
    sysroot.setBootOrder(sysroot.deployments(), Sysroot.Before.NOTHING);
    assertThat(entries()).containsExactly("ostree-b-1.conf", "ostree-b-2+1-2.conf");

    rename("ostree-b-2+1-2.conf", "ostree-b-2+0-3.conf");
    assertThat(trials().current().orElseThrow().isUsedUp()).isTrue();
    assertThat(deploymentOf(starts())).isEqualTo(first.id());
    sysroot.setBootOrder(sysroot.deployments().reversed(), Sysroot.Before.NOTHING);
    assertThat(entries()).containsExactly("ostree-a-1.conf", "ostree-a-2.conf");
    assertThat(deploymentOf(starts())).isEqualTo(first.id());
    machine.judge();
  }

  @Test
  void itsEndTakesTheNumberAwayWhoeverDoesIt() throws IOException {
    upgrade(BootTrialTest.assessed("2", "two"));
    rename("ostree-a-2+3.conf", "ostree-a-2+2-1.conf");
    trials().end();
    assertThat(entries()).containsExactly("ostree-a-1.conf", "ostree-a-2.conf");
    assertThat(trials().current()).isEmpty();

    first = sysroot.booted().orElseThrow();
    upgrade(BootTrialTest.assessed("3", "three"));
    assertThat(entries()).contains("ostree-b-2+3.conf");
    // systemd-bless-boot(8)
    rename("ostree-b-2+3.conf", "ostree-b-2.conf");
    assertThat(trials().current()).isEmpty();
    trials().end();
    assertThat(BootTrial.isNoted(machine.root())).isFalse();
  }

  /** A cut between the new name and the end of the old one. */
  @Test
  void twoNamesOfOneEntryAreOne() throws IOException {
    upgrade(BootTrialTest.assessed("2", "two"));
    Files.copy(
        esp.resolve("loader/entries/ostree-a-2+3.conf"),
        esp.resolve("loader/entries/ostree-a-2.conf"));
    assertThat(trials().current()).isEmpty();
    trials().end();
    assertThat(entries()).containsExactly("ostree-a-1.conf", "ostree-a-2.conf");
  }

  private void rename(String from, String to) throws IOException {
    Path entries = esp.resolve("loader/entries");
    Files.move(entries.resolve(from), entries.resolve(to));
  }

  @Test
  void keepsWhatAnAdministratorSaysInItsConfiguration() throws IOException {
    Files.writeString(
        esp.resolve("loader/loader.conf"), "timeout 9\ndefault ostree-b-*\neditor no\n");
    upgrade(Machine.files("2", "two"));
    assertThat(loader()).isEqualTo("timeout 9\ndefault ostree-a-*\neditor no\n");
    String german = "# f\u00fcr alle \u20ac\ntimeout 9\ndefault ostree-a-*\n";
    Files.writeString(esp.resolve("loader/loader.conf"), german);
    sysroot.setBootOrder(sysroot.deployments().reversed(), Sysroot.Before.NOTHING);
    assertThat(loader()).isEqualTo(german.replace("ostree-a", "ostree-b"));
    Files.writeString(esp.resolve("loader/loader.conf"), "timeout 9\ndefault windows*\n");
    assertThat(new MirroredMenu(sysroot).update()).isTrue();
    assertThat(loader()).isEqualTo("default ostree-a-*\ntimeout 9\n");
    assertThat(deploymentOf(starts())).isEqualTo(sysroot.deployments().getFirst().id());
  }

  @Test
  void removesWhatIsLeftAndKeepsWhatIsNotOurs() throws IOException {
    Path left = Files.createDirectories(esp.resolve("ostree/default-" + "ab".repeat(32)));
    Files.writeString(left.resolve("vmlinuz"), "old");
    Files.writeString(esp.resolve("loader/entries/.ostree-a-9.conf.12ab.tmp"), "half");
    Files.writeString(esp.resolve("loader/entries/other.conf"), "title Other\n");
    Files.writeString(esp.resolve("loader/entries/ostree-a-7.conf"), "title Old\n");
    sysroot.cleanup(false);
    assertThat(left).doesNotExist();
    assertThat(entries()).containsExactly("ostree-b-1.conf", "other.conf");
  }

  /** As on a FAT that is damaged. */
  @Test
  void whatCannotBeRemovedKeepsNoChangeAway() throws IOException {
    Path left = Files.createDirectories(esp.resolve("ostree/default-" + "ab".repeat(32)));
    try (Mount busy = Mount.of("tmpfs", left, "tmpfs", 0, null)) {
      upgrade(Machine.files("2", "two"));
      assertThat(deploymentOf(starts())).isEqualTo(sysroot.deployments().getFirst().id());
      sysroot.setBootOrder(sysroot.deployments().reversed(), Sysroot.Before.NOTHING);
      assertThat(deploymentOf(starts())).isEqualTo(first.id());
      assertThat(busy.target()).exists();
    }
    sysroot.cleanup(false);
    assertThat(left).doesNotExist();
  }

  @Test
  void aDamagedKernelThereIsFoundAndMended() throws IOException {
    Path kernel = esp.resolve("ostree/default-" + first.bootChecksum() + "/vmlinuz-6.1.0-test");
    assertThat(sysroot.repair().checkKernel(first)).isEmpty();
    Files.writeString(kernel, "kernel oNe\n");
    assertThat(sysroot.repair().checkKernel(first))
        .containsExactly(
            "the kernel in boot/efi/ostree/default-"
                + first.bootChecksum()
                + " has another vmlinuz-6.1.0-test than its image");
    assertThat(sysroot.repair().mendKernel(first)).isEqualTo(1);
    assertThat(kernel).hasContent("kernel one\n");
  }

  @Test
  void anEntryThatLeadsOutIsNotCopied() throws IOException {
    Path file = machine.root().resolve("boot/loader/entries/ostree-1.conf");
    Files.writeString(
        file, Files.readString(file).replaceFirst("initrd .*", "initrd /boot/../etc/shadow"));
    assertThatThrownBy(() -> new MirroredMenu(sysroot).update())
        .isInstanceOf(Problem.class)
        .hasMessageContaining("\"/../etc/shadow\"");
  }

  @Test
  void noLinkAndNoModeIsNeeded() throws IOException {
    try (Stream<Path> all = Files.walk(esp)) {
      assertThat(all.filter(Files::isSymbolicLink)).isEmpty();
    }
    upgrade(Machine.files("2", "two"));
    List<Integer> links = new ArrayList<>();
    try (Stream<Path> all = Files.walk(esp)) {
      for (Path each : (Iterable<Path>) all.filter(Files::isRegularFile)::iterator) {
        links.add((Integer) Files.getAttribute(each, "unix:nlink", LinkOption.NOFOLLOW_LINKS));
      }
    }
    assertThat(links).containsOnly(1);
  }
}
