package slipway.host.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.host.system.HostMachine;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;
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
    assertThatThrownBy(() -> machine.host().fsck(false))
        .isInstanceOf(Problem.class)
        .hasMessage(
            "the repository has 2 errors; bootc fsck --repair fetches what is broken again");
    assertThat(machine.heard())
        .hasSize(2)
        .anyMatch(l -> l.contains("is damaged: its checksum is "))
        .anyMatch(l -> l.contains(" lacks the object "));
    machine.host().fsck(true);
    assertThat(machine.heard())
        .contains("Mended 2 objects, and led 2 files of deployments to them")
        .last()
        .asString()
        .endsWith(": no errors");
    machine.judge();
    Path deployment = machine.root().resolve(installed.directory());
    assertThat(deployment.resolve("usr/lib/modules/6.1.0/vmlinuz"))
        .hasContent("kernel 1")
        .satisfies(file -> assertThat(Files.isSameFile(file, damaged)).isTrue());
    assertThat(machine.root().resolve("ostree/repo/tmp"))
        .isDirectoryNotContaining("glob:**slipway*");
    // The upgrade that waited goes on as if nothing had been.
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    machine.reboot();
    machine.judge();
  }

  /** A registry keeps the layers of the version before. */
  private record Registry(ImageSource now, ImageSource before) implements ImageSource {
    @Override
    public String describe() {
      return now.describe();
    }

    @Override
    public Manifest manifest(@Nullable String selector) throws IOException {
      return now.manifest(selector);
    }

    @Override
    public InputStream blob(Descriptor descriptor, long offset) throws IOException {
      try {
        return now.blob(descriptor, offset);
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
            "the repository has 1 errors that no image of a deployment mends: switch to another"
                + " image, or install anew");
    assertThat(machine.noted).contains("warning: " + NAME + " mends nothing: no image " + NAME);
    assertThat(damaged).as("what is broken is not taken away").exists();
    assertThat(
            Command.of("ostree", "fsck", "--repo=" + machine.root().resolve("ostree/repo"))
                .tryRun()
                .status())
        .isNotZero();
  }
}
