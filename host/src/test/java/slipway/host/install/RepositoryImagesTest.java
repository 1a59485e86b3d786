package slipway.host.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.host.system.BoundStore;
import slipway.host.system.HostMachine;
import slipway.host.system.Meanwhile;
import slipway.host.update.Host;
import slipway.linux.process.Command;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Repository;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;

/** Into sysroots and repositories that ostree made, as installers do it. */
class RepositoryImagesTest {
  private static final ContainerReference IMAGE = ContainerReference.registry(HostMachine.NAME);
  private static final String APP = "registry.example/app:1";

  @TempDir Path dir;
  private HostMachine machine;
  private Path sysroot;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    machine.publish(APP, HostMachine.Image.of("app"));
    machine.publish(
        HostMachine.NAME,
        HostMachine.Image.of("1")
            .file("usr/lib/bootc/kargs.d/1.toml", "kargs = [\"of.image\"]\n")
            .file("usr/share/app.image", "[Image]\nImage=" + APP + "\n")
            .link("usr/lib/bootc/bound-images.d/app.image", "/usr/share/app.image"));
    sysroot = Files.createDirectory(dir.resolve("sysroot"));
  }

  @AfterEach
  void stop() throws IOException {
    Command.of("chattr", "-R", "-f", "-i", dir.toString()).tryRun();
    machine.close();
  }

  private RepositoryImages images() {
    return new RepositoryImages(machine.environment());
  }

  private Checksum deploy(@Nullable String target, boolean named, String... kargs)
      throws IOException {
    return images()
        .deploy(
            new RepositoryImages.Deploy(
                sysroot,
                "os",
                IMAGE,
                target == null ? null : ContainerReference.parse(target),
                named,
                List.of(kargs)));
  }

  private void initSysroot() {
    Command.of("ostree", "admin", "init-fs", "--modern", sysroot.toString()).run();
    Command.of("ostree", "admin", "os-init", "--sysroot=" + sysroot, "os").run();
  }

  @Test
  void whatIsDeployedOstreeKnows() throws Exception {
    initSysroot();
    Checksum commit =
        deploy("ostree-unverified-registry:quay.io/x/y:stable", true, "root=LABEL=r", "rw");
    String status = Command.of("ostree", "admin", "status", "--sysroot=" + sysroot).output();
    assertThat(status).contains("os " + commit.hex() + ".0");
    Deployment deployment = Sysroot.open(sysroot).deployments().getFirst();
    assertThat(deployment.kargs().toString()).isEqualTo("root=LABEL=r rw of.image");
    assertThat(deployment.origin().containerText())
        .contains("ostree-unverified-registry:quay.io/x/y:stable");
    assertThat(Command.of("ostree", "refs", "--repo=" + sysroot.resolve("ostree/repo")).output())
        .contains("ostree/container/image/docker_3A__2F__2F_quay_2E_io/x/y_3A_stable");
    assertThat(
            Command.of("podman", "--root", sysroot.resolve(BoundStore.FOLDER).toString())
                .with("--runroot", dir.resolve("run").toString(), "--storage-driver", "overlay")
                .with("--events-backend", "none", "images", "--format")
                .with("{{.Repository}}:{{.Tag}}")
                .run()
                .text())
        .isEqualTo(APP + "\n");
    Command.of("umount", sysroot.resolve(BoundStore.FOLDER + "/overlay").toString()).tryRun();
    Command.of("ostree", "fsck", "--quiet", "--repo=" + sysroot.resolve("ostree/repo")).run();
    // A second one takes over the arguments and keeps the first for rollback.
    machine.publish(HostMachine.NAME, HostMachine.Image.of("2"));
    deploy(null, true);
    List<Deployment> both = Sysroot.open(sysroot).deployments();
    assertThat(both).hasSize(2);
    assertThat(both.getFirst().kargs().toString()).isEqualTo("root=LABEL=r rw");
  }

  /** What it brings belongs to no deployment yet, and no other command takes it away. */
  @Test
  void whatComesIsNotTakenAwayByAnotherCommand() throws Exception {
    machine.publish(HostMachine.NAME, HostMachine.Image.of("0"));
    machine.install();
    String bound = "registry.example/bound:1";
    machine.publish(
        bound,
        HostMachine.Image.of("2")
            .file("usr/share/app.image", "[Image]\nImage=" + APP + "\n")
            .link("usr/lib/bootc/bound-images.d/app.image", "/usr/share/app.image"));
    String bad = "registry.example/bad:1";
    machine.publish(bad, HostMachine.Image.of("bad").file("usr/lib/modules/6.1.0/vmlinuz", null));
    machine.replace(
        APP,
        source ->
            new Meanwhile(
                source,
                () ->
                    assertThatThrownBy(() -> machine.host().switchTo(Host.SwitchOptions.to(bad)))
                        .hasMessageStartingWith("the image has no kernel")));
    Checksum commit =
        images()
            .deploy(
                new RepositoryImages.Deploy(
                    null, null, ContainerReference.registry(bound), null, true, List.of()));
    Sysroot own = machine.environment().sysroot();
    assertThat(own.staged().orElseThrow().checksum()).isEqualTo(commit);
    Command.of("ostree", "fsck", "--quiet", "--repo=" + own.repository().path()).run();
  }

  @Test
  void takesASoftRebootBackThatWasPrepared() throws Exception {
    machine.publish(HostMachine.NAME, HostMachine.Image.of("1"));
    machine.install();
    machine.publish(HostMachine.NAME, HostMachine.Image.of("2"));
    Files.createFile(machine.environment().runState().nextRootFile());
    images().deploy(new RepositoryImages.Deploy(null, null, IMAGE, null, true, List.of()));
    assertThat(machine.actions).containsExactly("finalizer", "prepare-soft-reboot --reset");
    assertThat(machine.run().resolve("reboot-required"))
        .content()
        .startsWith("bootc: Reboot required for image: sha256:");
  }

  @Test
  void itsNameNeedNotStay() throws Exception {
    initSysroot();
    deploy(null, false);
    String refs = Command.of("ostree", "refs", "--repo=" + sysroot.resolve("ostree/repo")).output();
    assertThat(refs).contains("ostree/container/blob/").doesNotContain("ostree/container/image/");
    Command.of("ostree", "prune", "--refs-only", "--repo=" + sysroot.resolve("ostree/repo")).run();
    Command.of("ostree", "fsck", "--quiet", "--repo=" + sysroot.resolve("ostree/repo")).run();
  }

  @Test
  void whatIsMissingIsTold() throws Exception {
    Command.of("ostree", "admin", "init-fs", "--modern", sysroot.toString()).run();
    assertThatThrownBy(() -> deploy(null, true))
        .hasMessageStartingWith("there is no stateroot os in " + sysroot + "; make it: ostree");
    Command.of("ostree", "admin", "os-init", "--sysroot=" + sysroot, "os").run();
    machine.unpublish(APP);
    assertThatThrownBy(() -> deploy(null, true)).hasMessageContaining("the bound image " + APP);
    assertThat(Sysroot.open(sysroot).deployments()).isEmpty();
  }

  @Test
  void aRepositoryTakesImagesToo() throws Exception {
    Path repo = dir.resolve("repo");
    Command.of("ostree", "init", "--mode=bare", "--repo=" + repo).run();
    Repository repository = Repository.open(repo);
    assertThat(images().newer(repository, IMAGE)).isPresent();
    RepositoryImages.Pulled first = images().pull(repository, IMAGE);
    assertThat(first.fresh()).isTrue();
    assertThat(images().pull(repository, IMAGE))
        .isEqualTo(new RepositoryImages.Pulled(first.commit(), first.manifest(), false));
    assertThat(images().newer(repository, IMAGE)).isEmpty();
    assertThat(RepositoryImages.stored(repository, IMAGE).manifestDigest())
        .isEqualTo(first.manifest().digest());
    assertThatThrownBy(
            () -> RepositoryImages.stored(repository, ContainerReference.registry("a.b/c:1")))
        .hasMessage("No such image: a.b/c:1; image list shows those that are there");
    assertThat(Command.of("ostree", "ls", "--repo=" + repo, first.commit().hex(), "/usr").output())
        .contains("/usr/etc");
  }
}
