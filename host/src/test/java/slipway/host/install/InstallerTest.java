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
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.host.system.HostEnvironment;
import slipway.host.system.SystemActions;
import slipway.sysroot.state.ContainerReference;

/** Which image is installed; disks are written in {@code DeviceInstallTest}. */
class InstallerTest {
  private static final String ID = "ab".repeat(32);

  @TempDir Path directory;
  private final List<ContainerReference> opened = new ArrayList<>();
  private Path run;

  @BeforeEach
  void folders() throws IOException {
    run = Files.createDirectory(directory.resolve("run"));
  }

  private void install(@Nullable String source, @Nullable String target, @Nullable Path keys)
      throws IOException {
    HostEnvironment host =
        new HostEnvironment(
            directory,
            run,
            Map.of(),
            line -> {},
            Progress.NONE,
            reference -> {
              opened.add(reference);
              throw Problem.notFound("opened");
            },
            SystemActions.systemd(),
            InstantSource.system());
    new Installer(host)
        .toDisk(
            new Installer.Options(source, target, null, "default", List.of(), List.of(), keys),
            new Installer.Disk(directory.resolve("none"), false, false, 0));
  }

  @ParameterizedTest
  @CsvSource({
    "docker://quay.io/x/y:1,   registry:quay.io/x/y:1",
    "registry:quay.io/x/y,     registry:quay.io/x/y:latest",
    "oci:/a/b:c,               oci:/a/b:c",
    "containers-storage:[vfs@/g]x, containers-storage:[vfs@/g]x"
  })
  void theImageIsTheOneThatIsNamed(String source, String place) {
    assertThatThrownBy(() -> install(source, "quay.io/x/z:1", null)).hasMessage("opened");
    assertThat(opened).hasSize(1);
    ContainerReference found = opened.getFirst();
    assertThat(found.transport() + ":" + found.name()).isEqualTo(place);
  }

  @Test
  void inAContainerItIsTheContainersOwn() throws Exception {
    Path file = run.resolve(".containerenv");
    Files.writeString(
        file,
        """
        engine="podman-4.3.1"
        name="busy_heisenberg"
        id="%s"
        image="localhost/web:1"
        imageid="%s"
        rootless=0
        """
            .formatted("cd".repeat(32), ID));
    assertThatThrownBy(() -> install(null, null, null)).hasMessage("opened");
    assertThat(opened.getFirst().transport() + ":" + opened.getFirst().name())
        .isEqualTo("containers-storage:@" + ID);
    // Without --privileged podman writes an empty file.
    Files.writeString(file, "");
    assertThatThrownBy(() -> install(null, null, null))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.USAGE))
        .hasMessageContaining("name the image by --source-imgref");
  }

  @Test
  void whatIsNotSaidAndCannotBeKnownIsAskedFor() {
    assertThatThrownBy(() -> install(null, null, null))
        .hasMessageContaining("nothing says which image to install");
    assertThatThrownBy(() -> install("oci:/a/b", null, null))
        .hasMessageContaining("name it by --target-imgref");
    assertThatThrownBy(() -> install("oci:/a/b", "no:such:name", null))
        .hasMessageStartingWith("--target-imgref: ");
    assertThatThrownBy(() -> install("floppy:x", "quay.io/x/z:1", null))
        .hasMessageContaining("\"floppy:x\" does not begin with docker://");
    assertThatThrownBy(() -> install("oci:/a/b", "quay.io/x/z:1", directory.resolve("keys")))
        .hasMessageContaining("--root-ssh-authorized-keys: there is no file");
    assertThat(opened).isEmpty();
  }
}
