package slipway.host.install;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
import slipway.host.system.HostMachine;
import slipway.host.system.SystemActions;
import slipway.oci.model.Reference;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.tree.FileTree;
import slipway.tree.TreeBuilder;

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

  private HostEnvironment host(List<String> said, Map<String, String> variables) {
    return host(directory, said, variables);
  }

  private HostEnvironment host(Path root, List<String> said, Map<String, String> variables) {
    return new HostEnvironment(
        root,
        run,
        variables,
        said::add,
        Progress.NONE,
        reference -> {
          opened.add(reference);
          throw Problem.notFound("opened");
        },
        SystemActions.systemd(),
        InstantSource.system());
  }

  private void install(@Nullable String source, @Nullable String target, @Nullable Path keys)
      throws IOException {
    new Installer(host(new ArrayList<>(), Map.of()))
        .toDisk(
            new Installer.Options(
                source,
                target == null ? null : Reference.parse(target),
                null,
                null,
                List.of(),
                List.of(),
                keys,
                false,
                Installer.Bound.STORED,
                null),
            new Installer.Disk(directory.resolve("none"), false, false, null, 0, null));
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
  void oneOfPodmansIsFollowedWhereItCameFrom() {
    assertThatThrownBy(() -> install("containers-storage:r.example/x:1", null, null))
        .hasMessage("opened");
  }

  private static Installer.Options options(Installer.Bound bound) {
    return new Installer.Options(
        null, null, null, null, List.of(), List.of(), null, false, bound, null);
  }

  @Test
  void whatIsBoundComesFromWhereItIsWanted() throws Exception {
    FileTree files =
        new TreeBuilder()
            .file("usr/share/a.image", 0644, "[Image]\nImage=r.example/a:1\n".getBytes(UTF_8))
            .symlink("usr/lib/bootc/bound-images.d/a.image", "/usr/share/a.image")
            .build();
    Path root = directory.resolve("target");
    Installer installer = new Installer(host(new ArrayList<>(), Map.of()));
    installer.bringBound(options(Installer.Bound.SKIP), root, files);
    assertThat(opened).isEmpty();
    assertThat(root.resolve("ostree/bootc/storage/overlay-images")).isDirectory();
    assertThatThrownBy(() -> installer.bringBound(options(Installer.Bound.PULL), root, files))
        .hasMessage("the bound image r.example/a:1: opened");
    assertThatThrownBy(() -> installer.bringBound(options(Installer.Bound.STORED), root, files))
        .hasMessage(
            "the bound image r.example/a:1: opened; --bound-images pull fetches it from its"
                + " registry");
    assertThat(opened.stream().map(r -> r.transport() + ":" + r.name()))
        .containsExactly("registry:r.example/a:1", "containers-storage:r.example/a:1");
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
    assertThatThrownBy(() -> install(null, null, null))
        .hasMessage(
            "this container sees too little of the machine; give podman run"
                + " -v /var/lib/containers:/var/lib/containers, too");
    Files.createDirectories(directory.resolve("var/lib/containers/storage"));
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
    for (String less :
        List.of("containers-storage:web", "containers-storage:[vfs@/g]r.example/x")) {
      assertThatThrownBy(() -> install(less, null, null))
          .hasMessageContaining("name it by --target-imgref");
    }
    assertThatThrownBy(() -> install("floppy:x", "quay.io/x/z:1", null))
        .hasMessageContaining("\"floppy:x\" does not begin with docker://");
    assertThatThrownBy(() -> install("oci:/a/b", "quay.io/x/z:1", directory.resolve("keys")))
        .hasMessageContaining("--root-ssh-authorized-keys: there is no regular file");
    assertThat(opened).isEmpty();
  }

  @Test
  void beforeTheRunningSystemIsReplacedThereIsTimeToRead() throws Exception {
    List<String> said = new ArrayList<>();
    Installer installer = new Installer(host(said, Map.of()), Duration.ZERO);
    installer.warn(false);
    assertThat(said).isEmpty();
    installer.warn(true);
    assertThat(said).singleElement().asString().contains("cannot be undone. Waiting 0 s; Ctrl-C");
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> new Installer(host(said, Map.of())).warn(true))
        .hasMessage("the installation was interrupted");
    assertThat(Thread.interrupted()).isTrue();
  }

  /** That it is the kernel's own command line, and the file system is looked at, is seen. */
  @Test
  void theRunningRootIsFoundAsBefore() throws Exception {
    Files.writeString(
        Files.createDirectories(directory.resolve("proc")).resolve("cmdline"),
        "BOOT_IMAGE=/vmlinuz root=UUID=1 ro rootflags=subvol=@ quiet rd.lvm.lv=a/b\n");
    assertThat(new Installer(host(new ArrayList<>(), Map.of())).inherited().list())
        .containsExactly("root=UUID=1", "rootflags=subvol=@", "rd.lvm.lv=a/b");
  }

  @Test
  void anacondasDeploymentGetsTheImagesArgumentsOnce() throws Exception {
    try (HostMachine machine = new HostMachine()) {
      machine.publish(
          HostMachine.NAME,
          HostMachine.Image.of("1")
              .file("usr/lib/bootc/kargs.d/1.toml", "kargs = [\"of=image\"]\n"));
      machine.install();
      Path system = machine.root();
      Path config = system.resolve("usr/lib/bootc/install");
      Files.createDirectories(config);
      Files.writeString(config.resolve("1.toml"), "[install]\nkargs = [\"of=install\"]\n");
      Files.createDirectories(system.resolve("proc/1/root/run"));
      Map<String, String> variables = Map.of("ANA_INSTALL_PATH", "/mnt/sysroot");
      List<String> said = new ArrayList<>();
      assertThatThrownBy(() -> new Installer(host(system, said, Map.of())).ensureCompletion())
          .hasMessageContaining("Missing environment variable ANA_INSTALL_PATH");
      Installer installer = new Installer(host(system, said, variables));
      installer.ensureCompletion();
      String options = Sysroot.open(system).deployments().getFirst().kargs().toString();
      assertThat(options).endsWith("of=install of=image");
      installer.ensureCompletion();
      assertThat(said).containsExactly("Reconciliation already completed.");
      assertThat(Sysroot.open(system).deployments().getFirst().kargs()).hasToString(options);
      // As after a kill between the boot menu and the mark.
      Files.delete(system.resolve("proc/1/root/run/bootc-install-reconciled"));
      installer.ensureCompletion();
      assertThat(Sysroot.open(system).deployments().getFirst().kargs()).hasToString(options);
      installer.finish(system);
      Files.delete(system.resolve("boot/loader/entries/ostree-1.conf"));
      assertThatThrownBy(() -> installer.finish(system))
          .hasMessageContaining("there is no deployment in " + system);
    }
  }
}
