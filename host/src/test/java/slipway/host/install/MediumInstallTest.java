package slipway.host.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.config.RootFileSystem;
import slipway.host.kickstart.InstallAnswers;
import slipway.host.system.HostEnvironment;
import slipway.host.system.SystemActions;
import slipway.system.kargs.KernelArguments;

class MediumInstallTest {
  private static final InstallAnswers.Disk ANY =
      new InstallAnswers.Disk(List.of(), List.of(), true, true);

  @TempDir Path dir;

  private final List<String> said = new ArrayList<>();

  @BeforeEach
  void medium() throws IOException {
    write("run/slipway-live/device", "sda1\n");
    write("run/slipway-live/medium/slipway/answers", "target=reg.example/os:1\nrootfs=xfs\n");
    write("run/slipway-live/medium/slipway/config.toml", "[customizations]\nhostname = \"box\"\n");
    disk("sda", 1000, "0");
    write("sys/block/sda/sda1/size", "900\n");
    disk("sr0", 500, "0");
    disk("loop0", 500, "1");
    disk("vda", 20_000_000, "0");
  }

  @Test
  void theMediumIsNoTarget() throws IOException {
    assertThat(install("").candidates())
        .extracting(MediumInstall.Candidate::name)
        .containsExactly("vda");
  }

  /** Else the medium could be taken for a disk to erase. */
  @Test
  void aMediumThatIsNotKnownStopsAll() throws IOException {
    write("run/slipway-live/device", "\n");
    assertThatThrownBy(() -> install("").candidates())
        .isInstanceOf(Problem.class)
        .hasMessageContaining("which drive is the installer medium");
  }

  @Test
  void whatTheMediumSaysIsRead() throws IOException {
    MediumInstall.Wishes wishes = install("").wishes();
    assertThat(wishes.target()).hasToString("reg.example/os:1");
    assertThat(wishes.rootfs()).isEqualTo(RootFileSystem.XFS);
    assertThat(wishes.config().hostname()).isEqualTo("box");
  }

  @Test
  void theOnlyDiskNeedNotBeNamed() throws IOException {
    for (MediumInstall.Mode mode :
        List.of(MediumInstall.Mode.CONFIRM, MediumInstall.Mode.UNATTENDED)) {
      assertThat(install("").choose(mode, KernelArguments.NONE, ANY).orElseThrow().name())
          .isEqualTo("vda");
    }
    assertThat(said).isEmpty();
  }

  @Test
  void nobodyChoosesAmongSeveral() throws IOException {
    disk("vdb", 40_000_000, "0");
    MediumInstall install = install("");
    assertThatThrownBy(
            () -> install.choose(MediumInstall.Mode.UNATTENDED, KernelArguments.NONE, ANY))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("slipway.disk=NAME; there are /dev/vda  10.2 GB; /dev/vdb  20.5 GB");
    KernelArguments named = KernelArguments.of("slipway.disk=/dev/vdb");
    assertThat(install.choose(MediumInstall.Mode.UNATTENDED, named, ANY).orElseThrow().name())
        .isEqualTo("vdb");
  }

  @ParameterizedTest
  @CsvSource({"vdb, vdb", "/dev/vda, vda", "sda,", "'',"})
  void whoIsAskedChooses(String typed, String name) throws IOException {
    disk("vdb", 40_000_000, "0");
    assertThat(
            install(typed)
                .choose(MediumInstall.Mode.CONFIRM, KernelArguments.NONE, ANY)
                .map(MediumInstall.Candidate::name)
                .orElse(null))
        .isEqualTo(name);
    assertThat(said).contains("  /dev/vdb  20.5 GB");
  }

  @Test
  void whoDoesNotSayYesKeepsTheDisk() throws IOException {
    write("proc/cmdline", "quiet slipway.installer=confirm\n");
    assertThatThrownBy(() -> install("y").run())
        .isInstanceOf(Problem.class)
        .hasMessage("nothing was installed, and no disk was changed");
  }

  @Test
  void anotherNameThanADisksIsRefused() throws IOException {
    KernelArguments medium = KernelArguments.of("slipway.disk=sda");
    assertThatThrownBy(() -> install("").choose(MediumInstall.Mode.UNATTENDED, medium, ANY))
        .hasMessageContaining("slipway.disk=sda names no disk that can be installed to");
  }

  private MediumInstall install(String typed) {
    return new MediumInstall(
        new HostEnvironment(
            dir,
            dir.resolve("run"),
            Map.of(),
            said::add,
            Progress.NONE,
            reference -> {
              throw new AssertionError("nothing is opened");
            },
            SystemActions.systemd(),
            InstantSource.system()),
        () -> typed);
  }

  private void disk(String name, long sectors, String readOnly) throws IOException {
    write("sys/block/" + name + "/size", sectors + "\n");
    write("sys/block/" + name + "/ro", readOnly + "\n");
  }

  private void write(String path, String text) throws IOException {
    Files.createDirectories(dir.resolve(path).getParent());
    Files.writeString(dir.resolve(path), text);
  }
}
