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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.sysroot.BootTrials;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.MirroredMenu;
import slipway.sysroot.NewSysroot;
import slipway.sysroot.Sysroot;
import slipway.system.kargs.KernelArguments;

/** The copy of the boot menu that systemd-boot reads; ostree judges the one in /boot. */
class EspMenuTest {
  private Machine machine;
  private Path esp;
  private Deployment first;
  private Sysroot sysroot;

  @BeforeEach
  void start() throws IOException {
    machine = new Machine();
    Sysroot made = NewSysroot.make(machine.root(), "default", true);
    made.deploy(
        DeploySpec.install(
            "default",
            machine.commit(Machine.files("1", "one")),
            Origin.NONE,
            KernelArguments.of("root=UUID=1", "rw")));
    esp = Files.createDirectories(machine.root().resolve(EspMenu.PLACE));
    new MirroredMenu(made).begin(esp);
    sysroot = machine.openBooted(made.deployments().getFirst());
    first = sysroot.booted().orElseThrow();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private BootTrials trials() {
    return sysroot.trials();
  }

  private List<String> entries() throws IOException {
    try (Stream<Path> all = Files.list(esp.resolve("loader/entries"))) {
      return all.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  private String entry(String name) throws IOException {
    return Files.readString(esp.resolve("loader/entries").resolve(name));
  }

  private String loader() throws IOException {
    return Files.readString(esp.resolve("loader/loader.conf"));
  }

  private List<String> kernels() throws IOException {
    try (Stream<Path> all = Files.list(esp.resolve("ostree"))) {
      return all.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  private void upgrade(Map<String, String> files) throws IOException {
    sysroot.stage(DeploySpec.upgrade(first, machine.commit(files), Origin.NONE), false);
    sysroot.finalizeStaged();
  }

  /** What systemd-boot would start (boot.c, "config_select_default_entry"): id, then tries. */
  private String starts() throws IOException {
    String set = loader().replaceFirst("(?s)default ostree-(.)-.*", "$1");
    return entries().stream()
        .filter(name -> name.startsWith("ostree-" + set + "-"))
        .max(
            java.util.Comparator.comparing((String name) -> !name.contains("+0"))
                .thenComparing(name -> name.replaceFirst("[+.].*", "")))
        .orElseThrow();
  }

  private String deploymentOf(String name) throws IOException {
    String link = BootEntry.parse(entry(name)).options().value("ostree").orElseThrow();
    return Files.readSymbolicLink(machine.root().resolve(link.substring(1)))
        .getFileName()
        .toString();
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
    Files.writeString(esp.resolve("loader/loader.conf"), "timeout 9\ndefault windows*\n");
    assertThat(new MirroredMenu(sysroot).update()).isTrue();
    assertThat(loader()).isEqualTo("default ostree-b-*\ntimeout 9\n");
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
