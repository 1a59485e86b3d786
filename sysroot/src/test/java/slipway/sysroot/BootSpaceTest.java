package slipway.sysroot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.ostree.object.Checksum;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Machine;
import slipway.sysroot.state.Origin;
import slipway.sysroot.write.BootWriter;
import slipway.sysroot.write.DeploymentWriter;
import slipway.system.kargs.KernelArguments;

/** A boot partition with room for two kernels of 3 MiB, not for three. */
class BootSpaceTest {
  private static final KernelArguments KARGS = KernelArguments.of("root=UUID=1");
  private static final int MIB = 1024 * 1024;

  private Machine machine;
  private Sysroot sysroot;

  @BeforeEach
  void start() throws IOException {
    machine = new Machine();
    mountBoot(9, 0);
    sysroot = machine.init();
  }

  private void mountBoot(long mebibytes, int percentForRoot) throws IOException {
    Path image = machine.directory().resolve("boot.img");
    Files.deleteIfExists(image);
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(mebibytes * MIB);
    }
    Command.of("mkfs.ext4", "-q", "-m", "" + percentForRoot, "-O", "^has_journal")
        .with(image.toString())
        .run();
    Path boot = Files.createDirectories(machine.root().resolve("boot"));
    Command.of("mount", "-o", "loop", image.toString(), boot.toString()).run();
  }

  @AfterEach
  void stop() throws IOException {
    Command.of("umount", machine.root().resolve("boot").toString()).run();
    machine.close();
  }

  private Checksum image(String version, int mebibytes) throws IOException {
    Map<String, String> files = Machine.files(version, version);
    return machine.commit(
        files,
        tree -> {
          Path kernel = tree.resolve("usr/lib/modules/6.1.0-test/vmlinuz");
          try (RandomAccessFile file = new RandomAccessFile(kernel.toFile(), "rw")) {
            file.setLength((long) mebibytes * MIB);
          } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
        });
  }

  private List<String> kernels() throws IOException {
    try (var names = Files.list(machine.root().resolve("boot/ostree"))) {
      return names.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void takesTheOldKernelAwayFirstWhenThereIsNoRoomForThree() throws IOException {
    Deployment first =
        sysroot.deploy(DeploySpec.install("default", image("1", 3), Origin.NONE, KARGS));
    sysroot = machine.openBooted(first);
    first = sysroot.booted().orElseThrow();
    Checksum two = image("2", 3);
    assertThat(sysroot.planDeploy(DeploySpec.upgrade(first, two, Origin.NONE)).firstStep())
        .isNull();
    Deployment second = sysroot.deploy(DeploySpec.upgrade(first, two, Origin.NONE));
    assertThat(kernels()).hasSize(2);

    Checksum three = image("3", 3);
    Plan plan = sysroot.planDeploy(DeploySpec.upgrade(first, three, Origin.NONE));
    assertThat(plan.firstStep()).hasSize(1);
    assertThat(plan.describe()).anyMatch(l -> l.contains("first take old kernels out of /boot"));
    sysroot.execute(plan);
    machine.judge();
    assertThat(kernels()).hasSize(2);
    assertThat(sysroot.deployments()).noneMatch(second::isSame).anyMatch(first::isSame);

    sysroot.stage(
        DeploySpec.upgrade(sysroot.booted().orElseThrow(), image("4", 3), Origin.NONE), false);
    assertThat(sysroot.finalizeStaged().outcome()).isEqualTo(Finalization.Outcome.DONE);
    machine.judge();
    assertThat(kernels()).hasSize(2);
  }

  /** Beside what it keeps for root, ext4 has blocks that nobody can write. */
  @Test
  void whatExt4KeepsFromEverybodyIsNoRoom() throws IOException {
    Command.of("umount", machine.root().resolve("boot").toString()).run();
    Command.of("rm", "-rf", machine.root().toString()).run();
    mountBoot(1024, 5);
    sysroot = machine.init();
    Deployment first =
        sysroot.deploy(DeploySpec.install("default", image("1", 1), Origin.NONE, KARGS));
    sysroot = machine.openBooted(first);
    Path boot = machine.root().resolve("boot");
    long left = Files.getFileStore(boot).getUnallocatedSpace() - 17L * MIB;
    Command.of("fallocate", "-l", "" + left, boot.resolve("filling").toString()).run();
    assertThat(Files.getFileStore(boot).getUnallocatedSpace()).isGreaterThan(16L * MIB);
    Checksum two = image("2", 3);
    assertThatThrownBy(
            () ->
                sysroot.stage(
                    DeploySpec.upgrade(sysroot.booted().orElseThrow(), two, Origin.NONE), false))
        .isInstanceOf(Problem.class)
        .hasMessageMatching("/boot has [0-9]+ MiB for a kernel and initramfs of 5 MiB: .*");
    assertThat(sysroot.staged()).isEmpty();
  }

  @Test
  void keepsFewerThanWantedRatherThanNoUpdate() throws IOException {
    Deployment first =
        sysroot.deploy(DeploySpec.install("default", image("1", 3), Origin.NONE, KARGS));
    sysroot = machine.openBooted(first);
    first = sysroot.booted().orElseThrow();
    sysroot.changeSettings(settings -> settings.withKeep(3));
    Deployment second = sysroot.deploy(DeploySpec.upgrade(first, image("2", 3), Origin.NONE));
    assertThat(sysroot.planDeploy(DeploySpec.upgrade(first, image("3", 1), Origin.NONE)).order())
        .hasSize(3);
    Checksum three = image("4", 3);
    List<String> warnings = new ArrayList<>();
    sysroot = Sysroot.open(machine.root(), machine.runState(), warnings::add);
    sysroot.stage(DeploySpec.upgrade(first, three, Origin.NONE), false);
    assertThat(warnings)
        .anyMatch(w -> w.startsWith("no room to keep " + second.id() + ": /boot has "));
    assertThat(sysroot.finalizeStaged().outcome()).isEqualTo(Finalization.Outcome.DONE);
    assertThat(sysroot.deployments()).hasSize(2).noneMatch(second::isSame);
    assertThat(kernels()).hasSize(2);
    machine.judge();
  }

  @Test
  void refusesBeforeItWritesWhatCanNeverFit() throws IOException {
    Deployment first =
        sysroot.deploy(DeploySpec.install("default", image("1", 3), Origin.NONE, KARGS));
    sysroot = machine.openBooted(first);
    Deployment booted = sysroot.booted().orElseThrow();
    Checksum large = image("2", 7);
    Map<String, String> before = machine.listing("boot");
    assertThatThrownBy(() -> sysroot.stage(DeploySpec.upgrade(booted, large, Origin.NONE), false))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("/boot has")
        .hasMessageContaining("initramfs of 9 MiB");
    assertThat(machine.listing("boot")).isEqualTo(before);
    assertThat(DeploymentWriter.ids(machine.root(), "default")).containsExactly(first.id());
    assertThat(sysroot.staged()).isEmpty();
  }

  /** At each level of what is left a change is made whole, or refused before it begins. */
  @Test
  void aFullFileSystemTakesAMenuWholeOrNotAtAll() throws IOException {
    Deployment first =
        sysroot.deploy(DeploySpec.install("default", image("1", 1), Origin.NONE, KARGS));
    sysroot = machine.openBooted(first);
    first = sysroot.booted().orElseThrow();
    sysroot.deploy(DeploySpec.upgrade(first, image("2", 1), Origin.NONE));
    Path boot = machine.root().resolve("boot");
    Path filling = boot.resolve("filling");
    int refused = 0;
    int taken = 0;
    for (int kibibytes = 0; kibibytes <= 512; kibibytes = kibibytes * 2 + 1) {
      Files.deleteIfExists(filling);
      Command.of("sh", "-c", "dd if=/dev/zero of=\"$0\" bs=1k 2>&1 || truncate -s -$1K \"$0\"")
          .with(filling.toString(), "" + kibibytes)
          .run();
      Map<String, String> before = machine.listing("boot");
      try {
        sysroot.setBootOrder(sysroot.deployments().reversed(), Sysroot.Before.NOTHING);
        taken++;
      } catch (Problem e) {
        assertThat(e).hasMessageContaining("/boot is full: it has ");
        assertThat(machine.listing("boot")).isEqualTo(before);
        refused++;
      }
      machine.judge();
    }
    assertThat(refused).isPositive();
    assertThat(taken).isPositive();
  }

  /** What would not have been kept is no news of a change that is refused. */
  @Test
  void ofWhatCanNeverFitOneSentenceSpeaks() throws IOException {
    Deployment first =
        sysroot.deploy(DeploySpec.install("default", image("1", 3), Origin.NONE, KARGS));
    sysroot = machine.openBooted(first);
    Deployment booted = sysroot.booted().orElseThrow();
    sysroot.changeSettings(settings -> settings.withKeep(3));
    sysroot.deploy(DeploySpec.upgrade(booted, image("2", 3), Origin.NONE));
    Checksum large = image("3", 7);
    List<String> warnings = new ArrayList<>();
    sysroot = Sysroot.open(machine.root(), machine.runState(), warnings::add);
    assertThatThrownBy(() -> sysroot.stage(DeploySpec.upgrade(booted, large, Origin.NONE), false))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("/boot has");
    assertThat(warnings).isEmpty();
  }

  @Test
  void removesKernelsThatACrashLeft() throws IOException {
    Path left = machine.root().resolve("boot/ostree/default-" + "ab".repeat(32));
    Files.createDirectories(left);
    try (RandomAccessFile file = new RandomAccessFile(left.resolve("vmlinuz-x").toFile(), "rw")) {
      file.write(new byte[6 * MIB]);
    }
    sysroot.deploy(DeploySpec.install("default", image("1", 5), Origin.NONE, KARGS));
    assertThat(left).doesNotExist();
    machine.judge();
  }

  /** The folder of a kernel is there, and a part of a file that takes the room of the next copy. */
  @Test
  void goesOnWhereAPowerCutStoppedACopy() throws IOException {
    Deployment first =
        sysroot.deploy(DeploySpec.install("default", image("1", 3), Origin.NONE, KARGS));
    sysroot = machine.openBooted(first);
    first = sysroot.booted().orElseThrow();
    Checksum two = image("2", 4);
    Plan plan = sysroot.planDeploy(DeploySpec.upgrade(first, two, Origin.NONE));
    Path folder = BootWriter.kernelDirectory(machine.root(), plan.order().getFirst());
    Path half = Files.createDirectories(folder).resolve(".vmlinuz-6.1.0-test.1f.tmp");
    Files.write(half, new byte[3 * MIB]);
    plan = sysroot.planDeploy(DeploySpec.upgrade(first, two, Origin.NONE));
    assertThat(plan.bootBytes()).isGreaterThan(4L * MIB);
    sysroot.execute(plan);
    assertThat(half).doesNotExist();
    assertThat(kernels()).hasSize(2);
    machine.judge();
  }

  @Test
  void whatAPowerCutLeftOfOriginsGoes() throws IOException {
    Path deploy = Files.createDirectories(machine.root().resolve("ostree/deploy/default/deploy"));
    Path origin = Files.createFile(deploy.resolve("." + "ab".repeat(32) + ".0.origin.1f.tmp"));
    Path stamp =
        Files.createFile(
            Files.createDirectories(machine.root().resolve("boot/ostree"))
                .resolve(".finalize-failure.stamp.1f.tmp"));
    sysroot.deploy(DeploySpec.install("default", image("1", 3), Origin.NONE, KARGS));
    assertThat(origin).doesNotExist();
    assertThat(stamp).doesNotExist();
    machine.judge();
  }
}
