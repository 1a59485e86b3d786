package slipway.host.update;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.host.deployment.MachineArguments;
import slipway.host.system.HostMachine;
import slipway.linux.mount.Mount;
import slipway.linux.posix.Ioctls;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;
import slipway.oci.model.Reference;
import slipway.ostree.object.ObjectType;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;

/** A machine begins anew; ostree finds it sound all the way. */
class FactoryResetTest {
  private static final String NAME = HostMachine.NAME;
  private static final String OTHER = "registry.example/other:1";

  private HostMachine machine;
  private Deployment first;
  private Path etc;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    machine.publish(
        NAME,
        HostMachine.Image.of("1")
            .file("etc/fstab", "# of the image")
            .file("usr/lib/bootc/kargs.d/1.toml", "kargs = [\"of=image\"]\n"));
    first = machine.install();
    etc = machine.root().resolve(first.directory()).resolve("etc");
    Files.writeString(etc.resolve("mine"), "mine");
    Files.writeString(
        etc.resolve("fstab"), "UUID=b /boot ext4 defaults 0 2\nUUID=d /data ext4 defaults 0 2\n");
    Files.writeString(machine.root().resolve("ostree/deploy/default/var/data"), "data");
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private FactoryReset verb() {
    return new FactoryReset(machine.environment());
  }

  private static FactoryReset.Options options(
      @Nullable String stateroot, @Nullable String image, boolean apply) {
    return new FactoryReset.Options(
        stateroot, image == null ? null : Reference.parse(image), List.of("added=1"), false, apply);
  }

  private Path stateroot(String name) {
    return machine.root().resolve("ostree/deploy").resolve(name);
  }

  @Test
  void keepsTheMountOfBootThatIsAKernelArgument() throws IOException {
    String boot = "systemd.gpt_auto=0 systemd.mount-extra=UUID=b:/boot:auto:ro,nofail";
    new MachineArguments(machine.environment())
        .setOptionsForSource("x", boot + " systemd.mount-extra=UUID=d:/data:ext4");
    machine.reboot();
    verb().run(options(null, null, false));
    assertThat(machine.stagedArguments()).contains(boot).doesNotContain("/data");
  }

  /** A person may take the new system's empty folders for what is lost. */
  @Test
  void tellsWhichFileSystemsStayAndAreNotMounted() throws IOException {
    String notice =
        "notice: File systems of their own are neither erased nor mounted in the new one, unless"
            + " its image does: ";
    verb().run(options("one", null, false));
    assertThat(machine.heard()).contains(notice + "/data");
    new MachineArguments(machine.environment())
        .setOptionsForSource("x", "systemd.mount-extra=UUID=e:/extra:ext4");
    Path now = machine.root().resolve(machine.reboot().directory());
    Path var = Files.createDirectories(machine.root().resolve("var"));
    Files.writeString(
        now.resolve("etc/fstab"), "UUID=b /boot ext4\nUUID=h /home/ xfs\nUUID=s none swap\n");
    try (Mount apart = Mount.of("none", var, "tmpfs", 0, null)) {
      verb().run(options("two", null, false));
      assertThat(machine.heard()).contains(notice + "/extra, /home, /var");
    }
  }

  @Test
  void theSameImageBeginsAnewAndTheOldStateGoesByOneVerb() throws IOException {
    FactoryReset.Begun begun = verb().run(options(null, null, false));
    int year = machine.environment().clock().instant().atOffset(ZoneOffset.UTC).getYear();
    String name = "state-" + year + "-0";
    assertThat(begun.stateroot()).isEqualTo(name);
    assertThat(begun.before()).isEqualTo("default");
    assertThat(machine.heard()).contains("  New stateroot: " + name);
    assertThat(machine.actions).containsExactly("finalizer");
    machine.judge();
    assertThatThrownBy(() -> verb().forget(null))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(name + " cannot be removed: a deployment of it is staged");
    Deployment now = machine.reboot();
    machine.judge();
    assertThat(now.stateroot()).isEqualTo(name);
    assertThatThrownBy(() -> machine.host().rollback(false))
        .hasMessageContaining("of another stateroot")
        .hasMessageContaining("bootc rollback --to INDEX");
    assertThat(now.checksum()).isEqualTo(first.checksum());
    assertThat(now.kargs()).hasToString("root=UUID=1 rw of=image added=1");
    Path fresh = machine.root().resolve(now.directory()).resolve("etc");
    assertThat(fresh.resolve("mine")).doesNotExist();
    assertThat(fresh.resolve("fstab")).hasContent("# of the image\nUUID=b /boot ext4 defaults 0 2");
    assertThat(stateroot(name).resolve("var/data")).doesNotExist();
    // What was there is there, until it is removed.
    assertThat(etc.resolve("mine")).hasContent("mine");
    assertThat(stateroot("default").resolve("var/data")).hasContent("data");
    assertThat(Command.of("ostree", "admin", "status", "--sysroot=" + machine.root()).output())
        .contains("default ", name + " ");
    assertThatThrownBy(() -> verb().forget(name))
        .hasMessage("the stateroot " + name + " cannot be removed: it runs");
    assertThat(verb().forget(null)).isEqualTo("default");
    assertThat(stateroot("default")).doesNotExist();
    assertThat(machine.root().resolve("boot/ostree").toFile().list())
        .as("kernels, of which both had the same")
        .allMatch(kernel -> kernel.startsWith(name + "-"))
        .hasSize(1);
    assertThat(Sysroot.open(machine.root()).deployments()).hasSize(1);
    machine.judge();
    // And it goes on as any machine.
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    assertThat(HostMachine.version(Sysroot.open(machine.root()), machine.reboot())).isEqualTo("2");
    machine.judge();
    assertThatThrownBy(() -> verb().forget(null)).hasMessageContaining("no stateroot but " + name);
    assertThatThrownBy(() -> verb().forget("other"))
        .hasMessage("there is no stateroot other; there is only " + name);
  }

  @Test
  void whatAKilledRemovalLeftOfImagesGoesWithTheNext() throws IOException {
    machine.publish(OTHER, HostMachine.Image.of("7"));
    verb().run(options("fresh", OTHER, false));
    machine.reboot();
    Sysroot sysroot = machine.environment().sysroot();
    sysroot.removeStateroot("default", Sysroot.Before.NOTHING);
    assertThat(sysroot.repository().refs("ostree/container/image")).hasSize(2);
    assertThatThrownBy(() -> verb().forget("default"))
        .isInstanceOf(Problem.class)
        .hasMessage("there is no stateroot default; there is only fresh");
    assertThat(sysroot.repository().refs("ostree/container/image")).hasSize(1);
    assertThat(sysroot.repository().has(first.checksum(), ObjectType.COMMIT)).isFalse();
    machine.judge();
  }

  @Test
  void anotherImageIsFetchedAndFollowed() throws IOException {
    machine.publish(OTHER, HostMachine.Image.of("7"));
    verb().run(options("fresh", OTHER, true));
    assertThat(machine.actions).containsExactly("finalizer", "reboot");
    Deployment now = machine.reboot();
    assertThat(now.stateroot()).isEqualTo("fresh");
    assertThat(HostMachine.version(Sysroot.open(machine.root()), now)).isEqualTo("7");
    assertThat(now.origin().container().orElseThrow().name()).isEqualTo(OTHER);
    machine.judge();
  }

  /** Whatever the power cut left in the new stateroot, the same command begins it anew. */
  @Test
  void aResetThatLostThePowerIsDoneAgain() throws IOException {
    verb().run(options("fresh", null, false));
    // Killed before it could tell that it is done.
    assertThat(verb().run(options("fresh", null, false)).stateroot()).isEqualTo("fresh");
    Deployment half = machine.environment().sysroot().staged().orElseThrow();
    assertThat(stateroot("fresh").resolve("deploy").toFile().list())
        .containsExactlyInAnyOrder(half.id(), half.id() + ".origin");
    Path mark = stateroot("fresh").resolve(".slipway-unstarted");
    assertThat(mark).exists();
    machine.boot(first);
    // As a finalization leaves it that was cut before the menu was written.
    Files.writeString(stateroot("fresh").resolve("var/half"), "");
    Ioctls.setImmutable(OsPath.of(machine.root().resolve(half.directory())), true);
    assertThat(verb().run(options("fresh", null, false)).stateroot()).isEqualTo("fresh");
    assertThat(stateroot("fresh").resolve("var/half")).doesNotExist();
    Deployment now = machine.reboot();
    assertThat(now.stateroot()).isEqualTo("fresh");
    assertThat(mark).doesNotExist();
    machine.judge();
    // What a machine has started from is no rubbish, nor what somebody else made.
    Files.createFile(mark);
    Files.writeString(stateroot("fresh").resolve("var/.updated"), "");
    machine.boot(Sysroot.open(machine.root()).deployments().getLast());
    machine.environment().sysroot().setBootOrder(List.of(first), Sysroot.Before.NOTHING);
    Files.createDirectories(stateroot("theirs").resolve("var/lib"));
    for (String taken : List.of("fresh", "theirs")) {
      assertThatThrownBy(() -> verb().run(options(taken, null, false)))
          .hasMessage("there is a stateroot " + taken + " already; give another name");
    }
    Files.createDirectory(stateroot("cut"));
    assertThat(verb().run(options("cut", null, false)).stateroot()).isEqualTo("cut");
  }

  /** The first content of a /var is that of the image that starts with it. */
  @Test
  void anotherResetBeforeTheRebootBeginsAnewToo() throws IOException {
    machine.publish(OTHER, HostMachine.Image.of("7").file("var/lib/other/data", "of other"));
    String before = verb().run(options(null, OTHER, false)).stateroot();
    assertThat(stateroot(before).resolve("var/lib/other/data")).exists();
    String name = verb().run(options(null, null, false)).stateroot();
    assertThat(name).isNotEqualTo(before);
    assertThat(stateroot(before)).as("it never started").doesNotExist();
    assertThat(stateroot(name).resolve("var/lib/other")).doesNotExist();
    verb().run(options("fresh", OTHER, false));
    assertThat(stateroot("fresh").resolve("var/lib/other/data")).exists();
    verb().run(options("fresh", null, false));
    assertThat(stateroot("fresh").resolve("var/lib/other")).doesNotExist();
    assertThat(machine.reboot().checksum()).isEqualTo(first.checksum());
    machine.judge();
  }

  @Test
  void linesOfMountsAreTakenOverByteForByte() throws IOException {
    String line = "UUID=b /boot ext4 x-name=caf\u00e9 0 2\n";
    Files.write(etc.resolve("fstab"), line.getBytes(ISO_8859_1));
    verb().run(options("fresh", null, false));
    Path fresh = machine.root().resolve(machine.reboot().directory()).resolve("etc/fstab");
    assertThat(Files.readString(fresh, ISO_8859_1)).isEqualTo("# of the image\n" + line);
  }

  @Test
  void whatCannotBeLeavesNothing() throws IOException {
    assertThatThrownBy(() -> verb().run(options("default", null, false)))
        .hasMessage("there is a stateroot default already; give another name");
    assertThatThrownBy(() -> options("../x", null, false))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.USAGE));
    assertThatThrownBy(() -> verb().run(options("fresh", "registry.example/none:1", false)))
        .hasMessageContaining("no image registry.example/none:1");
    machine.publish(OTHER, HostMachine.Image.of("7").file("usr/lib/modules/6.1.0/vmlinuz", null));
    assertThatThrownBy(() -> verb().run(options("fresh", OTHER, false)))
        .hasMessageContaining("the image has no kernel");
    assertThat(stateroot("fresh")).doesNotExist();
    assertThat(machine.environment().sysroot().staged()).isEmpty();
    assertThatThrownBy(() -> verb().forget("none")).hasMessageContaining("no stateroot none");
    machine.judge();
  }

  /** What another process stages while it fetches the image, such as the timer. */
  @Test
  void dropsNothingThatAnotherStagedMeanwhile() throws Exception {
    machine.publish(OTHER, HostMachine.Image.of("2"));
    for (String image : new @Nullable String[] {null, OTHER}) {
      assertThat(machine.beginWhileStaging(() -> verb().run(options("anew", image, false))))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.UNAVAILABLE))
          .hasMessage("another process changed the deployments meanwhile; run the command again");
      assertThat(machine.stagedArguments()).endsWith(" theirs");
      assertThat(stateroot("anew")).doesNotExist();
    }
    verb().run(options("anew", null, false));
    assertThat(machine.environment().sysroot().staged().orElseThrow().stateroot())
        .isEqualTo("anew");
    machine.judge();
  }
}
