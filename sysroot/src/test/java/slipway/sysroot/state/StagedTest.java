package slipway.sysroot.state;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.linux.mount.Mount;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;
import slipway.ostree.object.Checksum;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.Finalization;
import slipway.sysroot.Sysroot;
import slipway.sysroot.write.DeploymentWriter;
import slipway.system.kargs.KernelArguments;

/** Deployments that wait for the shutdown, ours finalized by ostree and ostree's by us. */
class StagedTest {
  private static final Origin ORIGIN = Origin.ofRegistry("quay.io/example/os:latest");

  private Machine machine;
  private Deployment first;
  private Sysroot sysroot;
  private final List<String> warnings = new ArrayList<>();

  @BeforeEach
  void start() throws IOException {
    machine = new Machine();
    Sysroot fresh = machine.init();
    first =
        fresh.deploy(
            DeploySpec.install(
                "default",
                machine.commit(Machine.files("1", "one")),
                ORIGIN,
                KernelArguments.of("root=UUID=1", "rw")));
    sysroot = machine.openBooted(first);
    first = sysroot.booted().orElseThrow();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private Path etc(Deployment deployment) {
    return sysroot.path(deployment).resolve("etc");
  }

  @Test
  void waitsForTheShutdown() throws IOException {
    Checksum two = machine.commit(Machine.files("2", "two"));
    Map<String, String> menu = machine.listing("boot");
    Deployment staged = sysroot.stage(DeploySpec.upgrade(first, two, ORIGIN), false);
    assertThat(machine.listing("boot")).isEqualTo(menu);
    assertThat(staged.staged()).isTrue();
    assertThat(sysroot.staged()).isPresent();
    assertThat(sysroot.deployments()).hasSize(1);
    assertThat(sysroot.repository().refs("ostree")).hasSize(2);
    Files.writeString(etc(first).resolve("late"), "changed after staging\n");
    Files.writeString(etc(staged).resolve(".updated"), "");
    Files.writeString(machine.root().resolve("var/.updated"), "");

    Finalization done = sysroot.finalizeStaged();
    assertThat(done.outcome()).isEqualTo(Finalization.Outcome.DONE);
    assertThat(done.etc().summary())
        .isEqualTo("Copying /etc changes: 0 modified, 0 removed, 1 added");
    machine.judge();
    assertThat(sysroot.staged()).isEmpty();
    assertThat(sysroot.deployments()).hasSize(2);
    assertThat(sysroot.deployments().getFirst().checksum()).isEqualTo(two);
    assertThat(sysroot.deployments().getFirst().kargs()).isEqualTo(first.kargs());
    assertThat(etc(staged).resolve("late")).exists();
    assertThat(etc(staged).resolve(".updated")).doesNotExist();
    assertThat(machine.root().resolve("var/.updated")).doesNotExist();
    assertThat(machine.run().resolve("ostree/staged-deployment")).doesNotExist();
    assertThat(sysroot.finalizeStaged().outcome()).isEqualTo(Finalization.Outcome.NOTHING);
  }

  /** What systemd should do once more is less than the update itself. */
  @Test
  void isFinalizedThoughAMarkOfAnEarlierUpdateStays() throws IOException {
    Checksum two = machine.commit(Machine.files("2", "two"));
    sysroot.stage(DeploySpec.upgrade(first, two, ORIGIN), false);
    Files.createDirectories(machine.root().resolve("var/.updated/held"));

    Sysroot told =
        Sysroot.open(machine.root(), RunState.read(machine.run(), machine.root()), warnings::add);
    assertThat(told.finalizeStaged().outcome()).isEqualTo(Finalization.Outcome.DONE);
    assertThat(told.deployments().getFirst().checksum()).isEqualTo(two);
    assertThat(told.finalizationFailure()).isEmpty();
    assertThat(warnings)
        .anyMatch(
            w -> w.startsWith("warning: the next start may leave out what follows an update"));
    machine.judge();
  }

  /** Programs of the machine write to /etc until the very end; files of theirs come and go. */
  @Test
  void isFinalizedWhileEtcChanges() throws Exception {
    Checksum two = machine.commit(Machine.files("2", "two"));
    Deployment staged = sysroot.stage(DeploySpec.upgrade(first, two, ORIGIN), false);
    Path busy = Files.createDirectory(etc(first).resolve("busy"));
    for (int i = 0; i < 200; i++) {
      Files.writeString(busy.resolve("kept" + i), "kept");
    }
    AtomicBoolean stop = new AtomicBoolean();
    Thread writer =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (int i = 0; !stop.get(); i++) {
                    Path file = busy.resolve("name" + i % 100);
                    try {
                      Path fresh = Files.writeString(busy.resolve(file.getFileName() + ".n"), "x");
                      Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING);
                      Files.delete(file);
                    } catch (IOException e) {
                      throw new UncheckedIOException(e);
                    }
                  }
                });
    try {
      assertThat(sysroot.finalizeStaged().outcome()).isEqualTo(Finalization.Outcome.DONE);
    } finally {
      stop.set(true);
      writer.join();
    }
    for (int i = 0; i < 200; i++) {
      assertThat(etc(staged).resolve("busy/kept" + i)).hasContent("kept");
    }
    assertThat(sysroot.finalizationFailure()).isEmpty();
    machine.judge();
  }

  /** A damaged file spoils nothing but its own deployment. */
  @Test
  void anOriginThatIsDamagedHarmsNoOther() throws IOException {
    Deployment second = upgrade("2", first);
    for (String damage : List.of("garbage\n", "[origin]\ncontainer-image-reference=nonsense\n")) {
      Path file = sysroot.path(second).resolveSibling(second.id() + ".origin");
      Files.writeString(file, damage);
      sysroot.reload();
      Deployment damaged =
          sysroot.deployments().stream().filter(second::isSame).findFirst().orElseThrow();
      assertThat(damaged.origin().damage()).isNotNull();
      assertThat(damaged.origin().container()).isEmpty();
      assertThatThrownBy(() -> sysroot.setPinned(damaged, true)).isInstanceOf(Problem.class);
      assertThat(file).hasContent(damage);
    }
    assertThat(
            sysroot.deployments().stream()
                .filter(first::isSame)
                .findFirst()
                .orElseThrow()
                .origin()
                .toString())
        .isEqualTo(ORIGIN.toString());
  }

  /** It may still tell a person what was followed, and an empty one would look sound. */
  @Test
  void anOriginThatIsDamagedIsNeverTakenForAnEmptyOne() throws IOException {
    Checksum two = machine.commit(Machine.files("2", "two"));
    Deployment staged = sysroot.stage(DeploySpec.upgrade(first, two, ORIGIN), false);
    Path file = SysrootState.originFile(sysroot.path(staged));
    String damaged = Files.readString(file) + "one line of damage\n";
    Files.writeString(file, damaged);
    sysroot.reload();
    Deployment waiting = sysroot.staged().orElseThrow();
    assertThatThrownBy(() -> sysroot.stage(DeploySpec.upgrade(first, two, waiting.origin()), false))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("one line of damage")
        .hasMessageEndingWith("; mend the file, or name the image again by bootc switch");
    assertThat(sysroot.finalizeStaged().outcome()).isEqualTo(Finalization.Outcome.DONE);
    assertThat(file).hasContent(damaged);
    assertThat(sysroot.deployments().getFirst().checksum()).isEqualTo(two);
    assertThat(sysroot.deployments().getFirst().origin().damage()).isNotNull();
  }

  @Test
  void replacesAndDropsWhatWasStaged() throws IOException {
    Deployment one =
        sysroot.stage(
            DeploySpec.upgrade(first, machine.commit(Machine.files("2", "two")), ORIGIN), false);
    Deployment two =
        sysroot.stage(
            DeploySpec.upgrade(first, machine.commit(Machine.files("3", "three")), ORIGIN), false);
    assertThat(sysroot.path(one)).doesNotExist();
    assertThat(sysroot.path(two)).exists();
    sysroot.dropStaged(Sysroot.Before.NOTHING);
    assertThat(sysroot.path(two)).doesNotExist();
    assertThat(sysroot.deployments()).hasSize(1);
    machine.judge();
  }

  @Test
  void leavesALockedOneAlone() throws IOException {
    sysroot.stage(
        DeploySpec.upgrade(first, machine.commit(Machine.files("2", "two")), ORIGIN), true);
    assertThat(sysroot.staged().orElseThrow().locked()).isTrue();
    assertThat(sysroot.finalizeStaged().outcome()).isEqualTo(Finalization.Outcome.LOCKED);
    sysroot.setStagedLocked(false);
    assertThat(sysroot.staged().orElseThrow().locked()).isFalse();
    assertThat(sysroot.finalizeStaged().outcome()).isEqualTo(Finalization.Outcome.DONE);
    assertThat(sysroot.deployments()).hasSize(2);
  }

  @Test
  void removesOldDeploymentsWithProtectedFiles() throws IOException {
    Path file = Files.writeString(etc(first).resolve("protected"), "mine\n");
    Path log = Files.writeString(etc(first).resolve("app/log"), "mine\n");
    Command.of("chattr", "+i", file.toString()).run();
    Command.of("chattr", "+a", log.toString()).run();
    Command.of("chattr", "+a", etc(first).resolve("app").toString()).run();
    Deployment second = upgrade("2", first);
    assertThat(etc(second).resolve("protected")).hasContent("mine");
    Deployment third = upgrade("3", second);
    assertThat(third.checksum()).isNotEqualTo(first.checksum());
    assertThat(sysroot.path(first)).doesNotExist();
    assertThat(DeploymentWriter.ids(machine.root(), "default"))
        .containsExactlyInAnyOrder(second.id(), third.id());
    assertThat(warnings).isEmpty();
    machine.judge();
  }

  @Test
  void tellsWhatCannotBeRemovedAndGoesOn() throws IOException {
    Deployment second = upgrade("2", first);
    // What is mounted below it keeps the oldest one from going.
    Path busy = etc(first).resolve("app");
    try (Mount mount =
        Mount.bind(Files.createDirectory(machine.directory().resolve("empty")), busy, false)) {
      Deployment third = upgrade("3", second);
      assertThat(sysroot.deployments()).hasSize(2);
      assertThat(sysroot.deployments().getFirst().isSame(third)).isTrue();
      assertThat(warnings)
          .singleElement()
          .asString()
          .startsWith("warning: the old deployment " + first.id() + " could not be removed: ");
      warnings.clear();
      Deployment fourth = upgrade("4", third);
      assertThat(DeploymentWriter.ids(machine.root(), "default"))
          .containsExactlyInAnyOrder(first.id(), third.id(), fourth.id());
    }
    sysroot.cleanup(false);
    assertThat(DeploymentWriter.ids(machine.root(), "default"))
        .hasSize(2)
        .doesNotContain(first.id());
    machine.judge();
  }

  private Deployment upgrade(String version, Deployment from) throws IOException {
    Checksum commit = machine.commit(Machine.files(version, version));
    sysroot.stage(DeploySpec.upgrade(from, commit, ORIGIN), false);
    assertThat(sysroot.finalizeStaged().outcome()).isEqualTo(Finalization.Outcome.DONE);
    machine.boot(sysroot.deployments().getFirst());
    sysroot =
        Sysroot.open(machine.root(), RunState.read(machine.run(), machine.root()), warnings::add);
    return sysroot.booted().orElseThrow();
  }

  @Test
  void refusesAnImageWithoutEtc() throws IOException {
    Map<String, String> files = Machine.files("2", "two");
    files.keySet().removeIf(f -> f.startsWith("usr/etc/"));
    refuse(machine.commit(files), "the image has no /etc");
    refuse(
        machine.commit(files, tree -> link(tree.resolve("etc"), "usr/etc")),
        "the image's /etc is no directory");
    refuse(
        machine.commit(files, tree -> link(tree.resolve("usr/etc"), "share")),
        "the image's /usr/etc is no directory");
    files = Machine.files("2", "two");
    files.put("usr/lib/os-release", "# Test OS 2\"\n");
    refuse(machine.commit(files), "neither PRETTY_NAME nor ID");
  }

  private static void link(Path path, String target) {
    try {
      Files.createSymbolicLink(path, Path.of(target));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void refuse(Checksum commit, String message) throws IOException {
    assertThatThrownBy(() -> sysroot.stage(DeploySpec.upgrade(first, commit, ORIGIN), false))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(message);
    assertThat(machine.run().resolve("ostree/staged-deployment")).doesNotExist();
    assertThat(DeploymentWriter.ids(machine.root(), "default")).containsExactly(first.id());
  }

  @Test
  void refusesKernelArgumentsThatWouldSpoilTheMenu() throws IOException {
    Map<String, String> files = Machine.files("2", "two");
    files.put("usr/lib/bootc/kargs.d/10-x.toml", "kargs = [\"a=\\\"b\"]\n");
    refuse(
        machine.commit(files), "/usr/lib/bootc/kargs.d/10-x.toml:1: kargs: the double quotes of");
    files.put("usr/lib/bootc/kargs.d/10-x.toml", "kargs = [\"a\\nlinux /evil\"]\n");
    refuse(machine.commit(files), "/usr/lib/bootc/kargs.d/10-x.toml:1: kargs: \"a\\nlinux /evil\"");
  }

  @Test
  void refusesAKernelWhoseNameWouldSpoilTheMenu() throws IOException {
    for (String version : List.of("6.1\nlinux x", "6 1", "$x")) {
      Map<String, String> files = Machine.files("2", "two");
      files.keySet().removeIf(f -> f.startsWith("usr/lib/modules/"));
      files.put("usr/lib/modules/" + version + "/vmlinuz", "k");
      refuse(
          machine.commit(files),
          "kernel version \"" + version.replace("\n", "\\n") + "\" cannot stand in a boot menu");
    }
  }

  @Test
  void followsArgumentsThatShareAString() throws IOException {
    Map<String, String> files = Machine.files("2", "two");
    files.put("usr/lib/bootc/kargs.d/10-x.toml", "kargs = [\"a=1 b=2\"]\n");
    sysroot.stage(DeploySpec.upgrade(first, machine.commit(files), ORIGIN), false);
    sysroot.finalizeStaged();
    machine.boot(sysroot.deployments().getFirst());
    sysroot = Sysroot.open(machine.root(), RunState.read(machine.run(), machine.root()));
    assertThat(sysroot.booted().orElseThrow().kargs())
        .isEqualTo(KernelArguments.of("root=UUID=1", "rw", "a=1", "b=2"));
    Deployment third = upgrade("3", sysroot.booted().orElseThrow());
    assertThat(third.kargs()).isEqualTo(KernelArguments.of("root=UUID=1", "rw"));
    machine.judge();
  }

  @Test
  void keepsBytesOfEntriesAndOriginsThatAreNoText() throws IOException {
    Path entry = machine.root().resolve("boot/loader/entries/ostree-1.conf");
    Files.write(entry, "x-note caf\u00e9\nbare\n".getBytes(ISO_8859_1), StandardOpenOption.APPEND);
    byte[] origin = "[note]\ncity=caf\u00e9\n".getBytes(ISO_8859_1);
    Files.write(sysroot.path(first).resolveSibling(first.id() + ".origin"), origin);
    sysroot.reload();
    first = sysroot.booted().orElseThrow();
    sysroot.stage(
        DeploySpec.upgrade(first, machine.commit(Machine.files("2", "two")), first.origin()),
        false);
    sysroot.finalizeStaged();
    sysroot.setPinned(sysroot.deployments().getFirst(), true);
    Deployment second = sysroot.deployments().getFirst();
    assertThat(
            Files.readString(
                machine.root().resolve("boot/loader/entries/ostree-1.conf"), ISO_8859_1))
        .contains("\nx-note caf\u00e9\n", "\nbare\n");
    assertThat(
            Files.readString(
                machine.root().resolve("boot/loader/entries/ostree-2.conf"), ISO_8859_1))
        .contains("\nx-note caf\u00e9\n", "\nbare\n");
    assertThat(
            Files.readString(
                sysroot.path(second).resolveSibling(second.id() + ".origin"), ISO_8859_1))
        .contains("city=caf\u00e9\n")
        .contains("pinned=true");
  }

  @Test
  void notesAFailureForTheNextBoot() throws IOException {
    Map<String, String> files = Machine.files("2", "two");
    files.put("usr/etc/thing/x", "x\n");
    Checksum two = machine.commit(files);
    Deployment staged = sysroot.stage(DeploySpec.upgrade(first, two, ORIGIN), false);
    Files.writeString(etc(first).resolve("thing"), "made after staging\n");
    assertThatThrownBy(() -> sysroot.finalizeStaged())
        .isInstanceOf(Problem.class)
        .hasMessageContaining("newly defaults to directory 'thing'");
    Path stamp = machine.root().resolve("boot/ostree/finalize-failure.stamp");
    assertThat(stamp).content().contains("newly defaults to directory 'thing'");
    machine.judge();
    sysroot.reload();
    assertThat(sysroot.deployments()).hasSize(1);
    Files.delete(etc(first).resolve("thing"));
    assertThat(sysroot.finalizeStaged().deployment().isSame(staged)).isTrue();
    assertThat(stamp).doesNotExist();
  }

  /** The policy is made of modules, of which the merge knows nothing. */
  @Test
  void tellsThatAPolicyOfSelinuxIsNotMadeAnew() throws IOException {
    Map<String, String> files = Machine.files("2", "two");
    files.put("usr/etc/selinux/targeted/policy/policy.33", "two\n");
    Deployment second = sysroot.deploy(DeploySpec.upgrade(first, machine.commit(files), ORIGIN));
    Path policy = etc(second).resolve("selinux/targeted/policy/policy.33");
    Files.writeString(policy, "mine\n");
    machine.boot(second);
    sysroot =
        Sysroot.open(machine.root(), RunState.read(machine.run(), machine.root()), warnings::add);
    files.put("usr/bin/hello", "other\n");
    sysroot.stage(DeploySpec.upgrade(second, machine.commit(files), ORIGIN), false);
    assertThat(warnings).isEmpty();
    files.put("usr/etc/selinux/targeted/policy/policy.33", "three\n");
    sysroot.stage(DeploySpec.upgrade(second, machine.commit(files), ORIGIN), false);
    assertThat(warnings)
        .hasSize(2)
        .last()
        .asString()
        .startsWith("warning: this machine's SELinux policy was changed (semodule, setsebool -P)");
  }

  @Test
  void tellsAtOnceWhatCannotBeMerged() throws IOException {
    Files.writeString(etc(first).resolve("thing"), "mine\n");
    Files.writeString(etc(first).resolve("app/a.conf"), "mine\n");
    Files.writeString(etc(first).resolve("app/b.conf"), "mine\n");
    Map<String, String> files = Machine.files("2", "two");
    files.put("usr/etc/thing/x", "x\n");
    Checksum two = machine.commit(files);
    sysroot =
        Sysroot.open(machine.root(), RunState.read(machine.run(), machine.root()), warnings::add);
    sysroot.stage(DeploySpec.upgrade(first, two, ORIGIN), false);
    assertThat(warnings)
        .containsExactly(
            "warning: Modified config file newly defaults to directory 'thing', cannot merge: until"
                + " /etc/thing is renamed or removed, a reboot starts the old system again",
            "changes of this machine stay, and keep the image's new version out of"
                + " /etc/app/a.conf; bootc etc restore takes them back");
    assertThat(sysroot.etc().conflicts()).containsExactly(OsPath.of("thing"));
    assertThatThrownBy(() -> sysroot.finalizeStaged()).isInstanceOf(Problem.class);
    Files.delete(etc(first).resolve("thing"));
    assertThat(sysroot.etc().conflicts()).isEmpty();
    assertThat(sysroot.finalizeStaged().outcome()).isEqualTo(Finalization.Outcome.DONE);
    machine.judge();
  }

  @Test
  void neverRemovesTheBootedOne() throws IOException {
    Deployment second =
        sysroot.deploy(
            DeploySpec.upgrade(first, machine.commit(Machine.files("2", "two")), ORIGIN));
    assertThatThrownBy(() -> sysroot.setBootOrder(List.of(second), Sysroot.Before.NOTHING))
        .isInstanceOf(Problem.class);
    sysroot.setBootOrder(List.of(sysroot.booted().orElseThrow(), second), Sysroot.Before.NOTHING);
    assertThat(sysroot.deployments().getFirst().booted()).isTrue();
    machine.judge();
  }

  // ---- in a root of its own, as ostree sees a booted system ----

  @Test
  void ostreeListsAndFinalizesWhatWeStage() throws IOException {
    Checksum two = machine.commit(Machine.files("2", "two"));
    sysroot.stage(DeploySpec.upgrade(first, two, ORIGIN), false);
    Files.writeString(etc(first).resolve("late"), "late\n");
    try (BootedRoot booted = new BootedRoot(machine, first)) {
      assertThat(booted.ostree("admin", "status"))
          .contains("default " + two + ".0 (staged)")
          .contains("* default " + first.id());
      booted.ostree("admin", "finalize-staged");
    }
    machine.judge();
    sysroot.reload();
    assertThat(sysroot.deployments()).hasSize(2);
    Deployment second = sysroot.deployments().getFirst();
    assertThat(second.checksum()).isEqualTo(two);
    assertThat(second.kargs()).isEqualTo(first.kargs());
    assertThat(etc(second).resolve("late")).hasContent("late");
  }

  @Test
  void weListAndFinalizeWhatOstreeStages() throws IOException {
    Checksum two = machine.commit(Machine.files("2", "two"));
    try (BootedRoot booted = new BootedRoot(machine, first)) {
      booted.ostree("admin", "deploy", "--stage", "--karg-append=extra", two.hex());
    }
    sysroot.reload();
    Deployment staged = sysroot.staged().orElseThrow();
    assertThat(staged.checksum()).isEqualTo(two);
    assertThat(staged.kargs()).isEqualTo(first.kargs().append(List.of("extra")));
    Files.writeString(etc(first).resolve("late"), "late\n");
    assertThat(sysroot.finalizeStaged().outcome()).isEqualTo(Finalization.Outcome.DONE);
    machine.judge();
    assertThat(etc(sysroot.deployments().getFirst()).resolve("late")).hasContent("late");
    assertThat(sysroot.deployments().getFirst().kargs().list()).contains("extra");
  }

  @Test
  void ostreeSeesTheLock() throws IOException {
    Checksum two = machine.commit(Machine.files("2", "two"));
    sysroot.stage(DeploySpec.upgrade(first, two, ORIGIN), false);
    Files.writeString(machine.run().resolve("ostree/staged-deployment-locked"), "");
    sysroot.reload();
    assertThat(sysroot.staged().orElseThrow().locked()).isTrue();
    try (BootedRoot booted = new BootedRoot(machine, first)) {
      booted.ostree("admin", "finalize-staged");
    }
    sysroot.reload();
    assertThat(sysroot.deployments()).hasSize(1);
    sysroot.setStagedLocked(false);
    assertThat(sysroot.staged().orElseThrow().locked()).isFalse();
  }
}
