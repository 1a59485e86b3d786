package slipway.host.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.host.system.HostMachine;
import slipway.host.system.OtherSource;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.TreeCopy;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;
import slipway.ostree.object.TreeRoot;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.write.BootWriter;
import slipway.tree.Node;

/** What is broken on a machine's disk is found, and fetched again from where it came. */
class FsckTest {
  private static final String NAME = HostMachine.NAME;

  private HostMachine machine;
  private Deployment installed;
  private Repository repository;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    machine.publish(NAME, HostMachine.Image.of("1"));
    installed = machine.install();
    repository = Sysroot.open(machine.root()).repository();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private Path object(String file) throws IOException {
    Node.File node = (Node.File) repository.readTree(installed.checksum()).find(file).orElseThrow();
    return repository.objectPath(((ObjectContent) node.content()).checksum(), ObjectType.FILE);
  }

  private Path link(String path) throws IOException {
    Node node = repository.readTree(installed.checksum()).find(path).orElseThrow();
    return repository.objectPath(ObjectContent.linked(node).orElseThrow(), ObjectType.FILE);
  }

  private Path directory(Path parent, String name) throws IOException {
    TreeRoot child =
        java.util.Objects.requireNonNull(
            Objects.dirTree(Files.readAllBytes(parent)).directories().get(OsPath.of(name)));
    return repository.objectPath(child.dirtree(), ObjectType.DIRTREE);
  }

  /** As a disk does that gives other bits than it took. */
  private static void damage(Path object) throws IOException {
    byte[] bytes = Files.readAllBytes(object);
    bytes[bytes.length - 1] ^= 1;
    Files.write(object, bytes);
  }

  @Test
  void aSoundMachineHasNoErrors() throws IOException {
    machine.host().fsck(false);
    assertThat(machine.heard())
        .singleElement()
        .asString()
        .matches("Checked [0-9]+ objects of 3 commits: no errors");
  }

  @Test
  void fetchesAgainWhatIsDamagedOrMissing() throws IOException {
    Path damaged = object("usr/lib/modules/6.1.0/vmlinuz");
    Path missing = object("usr/share/base");
    damage(damaged);
    Files.delete(missing);
    // The tag has moved on: layers are fetched by what they are, not by the name of today.
    ImageSource before = machine.source(NAME);
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.replace(NAME, now -> new Registry(now, before));
    FsckOutcome outcome = machine.host().examine(false);
    assertThat(outcome.left().errors()).hasSize(3);
    assertThat(outcome.mended() + outcome.relinked() + outcome.kernels()).isZero();
    assertThat(machine.heard()).isEqualTo(outcome.left().errors());
    assertThatThrownBy(() -> machine.host().fsck(false))
        .isInstanceOf(Problem.class)
        .hasMessage("the machine has 3 errors; bootc fsck --repair fetches what is broken again");
    assertThat(machine.heard())
        .hasSize(3)
        .anyMatch(l -> l.matches("the object .* is damaged: its checksum is .*"))
        .anyMatch(l -> l.matches("the kernel in boot/ostree/default-.* is damaged: its check.*"))
        .anyMatch(l -> l.contains(" lacks the object "));
    machine.host().fsck(true);
    assertThat(machine.heard())
        .contains("Mended 2 objects, and led 2 files of deployments to what is whole")
        .contains("Put 1 file of kernels into /boot again")
        .last()
        .asString()
        .endsWith(": no errors");
    machine.judge();
    for (Path file : List.of(deployed("usr/lib/modules/6.1.0/vmlinuz"), kernel())) {
      assertThat(file).hasContent("kernel 1");
      assertThat(Files.isSameFile(file, damaged)).isTrue();
    }
    assertThat(machine.root().resolve("ostree/repo/tmp"))
        .isDirectoryNotContaining("glob:**slipway*");
    // The upgrade that waited goes on as if nothing had been.
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    machine.reboot();
    machine.judge();
  }

  private Path deployed(String file) {
    return machine.root().resolve(installed.directory()).resolve(file);
  }

  /** What the boot loader reads. */
  private Path kernel() {
    return BootWriter.kernelDirectory(machine.root(), installed).resolve("vmlinuz-6.1.0");
  }

  /** Another inode with the same content and attributes, as a repair and a copy make it. */
  private static void renew(Path file) throws IOException {
    Path copy = file.resolveSibling("copy");
    TreeCopy.copy(OsPath.of(file), OsPath.of(copy), TreeCopy.FAITHFUL, dropped -> {});
    Posix.rename(OsPath.of(copy), OsPath.of(file), 0);
  }

  @Test
  void whatIsMendedIsUsedAlthoughTheRestCannotBeHad() throws IOException {
    Path base = object("usr/share/base");
    damage(base);
    damage(object("usr/etc/version"));
    Manifest.Image manifest = (Manifest.Image) machine.source(NAME).manifest(null);
    machine.replace(NAME, now -> new Failing(now, manifest.layers().get(1)));
    assertThatThrownBy(() -> machine.host().fsck(true))
        .hasMessageStartingWith("the machine has 1 error that no image of a deployment mends");
    assertThat(machine.heard())
        .contains("Mended 1 object, and led 1 file of deployments to what is whole");
    assertThat(machine.noted)
        .contains("warning: " + NAME + " mends nothing more: the registry answers 503");
    assertThat(deployed("usr/share/base")).hasContent("the same in all");
    assertThat(Files.isSameFile(deployed("usr/share/base"), base)).isTrue();
  }

  @Test
  void oneDeploymentThatCannotBeMendedKeepsNoOtherFromIt() throws IOException {
    ImageSource before = machine.source(NAME);
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    Deployment second = machine.reboot();
    damage(object("usr/share/base"));
    Files.delete(repository.objectPath(second.checksum(), ObjectType.COMMIT));
    Manifest.Image manifest = (Manifest.Image) machine.source(NAME).manifest(null);
    machine.replace(NAME, now -> new Registry(new Failing(now, manifest.layers().get(1)), before));
    assertThatThrownBy(() -> machine.host().fsck(true)).isInstanceOf(Problem.class);
    assertThat(deployed("usr/share/base")).hasContent("the same in all");
    machine.replace(NAME, now -> ((Failing) ((Registry) now).source()).source());
    machine.host().fsck(true);
    machine.judge();
    assertThat(machine.root().resolve(second.directory()).resolve("usr/share/base"))
        .hasContent("the same in all");
  }

  @Test
  void findsWhatARepairThatWasCutLeft() throws IOException {
    Path base = object("usr/share/base");
    renew(base);
    Path moved = object("usr/lib/os-release");
    renew(moved);
    damage(deployed("usr/share/base"));
    assertThatThrownBy(() -> machine.host().fsck(false))
        .hasMessageStartingWith("the machine has 1 error; bootc fsck --repair");
    assertThat(machine.heard())
        .singleElement()
        .asString()
        .matches("the file usr/share/base of the deployment default .* is not what its object .*");
    machine.host().fsck(true);
    assertThat(machine.heard())
        .contains("Mended 0 objects, and led 1 file of deployments to what is whole");
    assertThat(Files.isSameFile(deployed("usr/share/base"), base)).isTrue();
    assertThat(Files.isSameFile(deployed("usr/lib/os-release"), moved))
        .as("a copy that is whole stays")
        .isFalse();
    Files.delete(deployed("usr/share/base"));
    assertThatThrownBy(() -> machine.host().fsck(false)).isInstanceOf(Problem.class);
    machine.host().fsck(true);
    assertThat(deployed("usr/share/base")).hasContent("the same in all");
  }

  @Test
  void mendsAKernelOfWhichBootHasACopy() throws IOException {
    renew(kernel());
    machine.host().fsck(false);
    damage(kernel());
    assertThatThrownBy(() -> machine.host().fsck(false)).isInstanceOf(Problem.class);
    machine.host().fsck(true);
    assertThat(kernel()).hasContent("kernel 1");
    Files.delete(kernel());
    machine.host().fsck(true);
    assertThat(kernel()).hasContent("kernel 1");
    // A deployment that is worse than what boots must not spread.
    renew(kernel());
    damage(object("usr/lib/modules/6.1.0/vmlinuz"));
    machine.unpublish(NAME);
    assertThatThrownBy(() -> machine.host().fsck(true)).isInstanceOf(Problem.class);
    assertThat(kernel()).hasContent("kernel 1");
  }

  @Test
  void mendsFilesAndTheMergeAtOnce() throws IOException {
    damage(object("usr/lib/os-release"));
    Files.delete(link("bin"));
    Path tree =
        repository.objectPath(
            repository.readCommit(installed.checksum()).root().dirtree(), ObjectType.DIRTREE);
    // Of the merge alone, and one that a layer has too.
    Path usr = directory(tree, "usr");
    damage(directory(usr, "share"));
    damage(tree);
    machine.host().fsck(true);
    assertThat(machine.heard())
        .contains("Mended 4 objects, and led 2 files of deployments to what is whole");
    machine.judge();
  }

  @Test
  void mendsWhatLiesInTheSealedDirectoryItself() throws IOException {
    Path object = link("bin");
    Files.delete(object);
    machine.host().fsck(true);
    assertThat(inode(deployed("bin"))).isEqualTo(inode(object));
    assertThatThrownBy(() -> Files.createFile(deployed("x")))
        .as("it is sealed again")
        .isInstanceOf(FileSystemException.class);
  }

  private static long inode(Path file) throws IOException {
    return Posix.lstat(OsPath.of(file)).inode();
  }

  @Test
  void whatIsBegunLiesWhereItIsSwept() throws IOException {
    damage(object("usr/share/base"));
    Files.delete(deployed("usr/share/base"));
    Files.createDirectory(deployed("usr/share/base"));
    assertThatThrownBy(() -> machine.host().fsck(true)).isInstanceOf(Problem.class);
    assertThat(machine.noted).anyMatch(l -> l.contains(" is not mended, or not all of it: "));
    assertThat(deployed("usr/share")).isDirectoryNotContaining("glob:**/.*");
    assertThat(machine.root().resolve("ostree/repo/tmp"))
        .isDirectoryNotContaining("glob:**slipway*");
  }

  /** A registry that one layer cannot be had from. */
  private record Failing(ImageSource source, Descriptor layer) implements OtherSource {
    @Override
    public InputStream blob(Descriptor descriptor, long offset) throws IOException {
      if (descriptor.digest().equals(layer.digest())) {
        throw Problem.unavailable("the registry answers 503", null);
      }
      return source.blob(descriptor, offset);
    }
  }

  /** A registry keeps the layers of the version before. */
  private record Registry(ImageSource source, ImageSource before) implements OtherSource {
    @Override
    public InputStream blob(Descriptor descriptor, long offset) throws IOException {
      try {
        return source.blob(descriptor, offset);
      } catch (Problem e) {
        return before.blob(descriptor, offset);
      }
    }
  }

  @Test
  void mendsDirectoriesAndCommitsOfTheMerge() throws IOException {
    Checksum tree = repository.readCommit(installed.checksum()).root().dirtree();
    damage(repository.objectPath(tree, ObjectType.DIRTREE));
    machine.host().fsck(true);
    machine.judge();
    Files.delete(repository.objectPath(installed.checksum(), ObjectType.COMMIT));
    assertThatThrownBy(() -> machine.host().fsck(false)).isInstanceOf(Problem.class);
    machine.host().fsck(true);
    machine.judge();
  }

  @Test
  void saysWhatCannotBeMended() throws IOException {
    Path damaged = object("usr/share/base");
    damage(damaged);
    machine.unpublish(NAME);
    assertThatThrownBy(() -> machine.host().fsck(true))
        .isInstanceOf(Problem.class)
        .hasMessage(
            "the machine has 1 error that no image of a deployment mends: switch to another"
                + " image, or install anew");
    assertThat(machine.noted).contains("warning: " + NAME + " mends nothing: no image " + NAME);
    assertThat(damaged).as("what is broken is not taken away").exists();
    assertThat(
            Command.of("ostree", "fsck", "--repo=" + machine.root().resolve("ostree/repo"))
                .tryRun()
                .status())
        .isNotZero();
  }

  /** The root that a deployment starts with is no object, and is made of the commit again. */
  @Test
  void aDamagedComposefsImageIsFoundAndWrittenAgain() throws IOException {
    machine.publish(
        NAME,
        HostMachine.Image.of("2")
            .file("usr/lib/ostree/prepare-root.conf", "[composefs]\nenabled = yes\n"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    Deployment now = machine.reboot();
    machine.host().fsck(false);
    machine.heard();
    Path directory = machine.root().resolve(now.directory());
    Path image = directory.resolve(".ostree.cfs");
    byte[] whole = Files.readAllBytes(image);
    for (boolean missing : new boolean[] {false, true}) {
      slipway.linux.posix.Ioctls.setImmutable(OsPath.of(directory), false);
      if (missing) {
        Files.delete(image);
      } else {
        damage(image);
      }
      slipway.linux.posix.Ioctls.setImmutable(OsPath.of(directory), true);
      assertThatThrownBy(() -> machine.host().fsck(false))
          .isInstanceOf(Problem.class)
          .hasMessageStartingWith("the machine has 1 error");
      assertThat(machine.heard())
          .containsExactly(
              "the composefs image .ostree.cfs of the deployment "
                  + now.id()
                  + (missing ? " is missing" : " is damaged"));
      machine.host().fsck(true);
      assertThat(machine.heard()).contains("Wrote 1 composefs image of deployments again");
      assertThat(image).hasBinaryContent(whole);
      assertThat(directory).isDirectoryNotContaining("glob:**.tmp");
    }
    machine.judge();
  }
}
