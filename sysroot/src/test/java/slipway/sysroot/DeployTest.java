package slipway.sysroot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.ostree.object.Checksum;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Machine;
import slipway.sysroot.state.Origin;
import slipway.system.kargs.KernelArguments;
import slipway.tree.FileTree;

/** Deployments that we make, judged by ostree, and ostree's read by us. */
class DeployTest {
  private static final Origin ORIGIN = Origin.ofRegistry("quay.io/example/os:latest");

  private Machine machine;

  @BeforeEach
  void start() throws IOException {
    machine = new Machine();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private static DeploySpec install(Checksum commit) {
    return DeploySpec.install(
        "default", commit, ORIGIN, KernelArguments.of("root=UUID=1234", "rw", "console=ttyS0"));
  }

  @Test
  void initializesAsOstreeDoes() throws IOException {
    machine.init();
    try (Machine theirs = new Machine()) {
      Command.of("ostree", "admin", "init-fs", "--modern", theirs.root().toString()).run();
      theirs.admin("os-init", "default");
      Map<String, String> expected = theirs.listing("ostree");
      // Bookworm's ostree makes what later versions leave to the first deployment.
      expected.keySet().removeIf(name -> name.startsWith("deploy/default/var/"));
      Map<String, String> ours = machine.listing("ostree");
      assertThat(ours.keySet()).containsAll(expected.keySet());
      expected.keySet().removeAll(List.of("repo/config", "lock", "repo/.lock"));
      assertThat(ours).containsAllEntriesOf(expected);
    }
    assertThat(machine.listing("boot")).containsEntry("boot", "120777 -> .");
    assertThat(Files.readString(machine.root().resolve("ostree/repo/config")))
        .contains("mode=bare")
        .contains("bootloader=none")
        .contains("readonly=true");
    machine.judge();
  }

  @Test
  void deploysTheFirst() throws IOException {
    Sysroot sysroot = machine.init();
    Checksum commit = machine.commit(Machine.files("1", "one"));
    Deployment deployed = sysroot.deploy(install(commit));

    machine.judge();
    assertThat(machine.admin("status")).contains("default " + commit + ".0");
    String entry = Files.readString(machine.root().resolve("boot/loader/entries/ostree-1.conf"));
    assertThat(entry)
        .isEqualTo(
            "title Test OS 1 (ostree:0)\n"
                + "version 1\n"
                + "options root=UUID=1234 rw console=ttyS0 ostree=/ostree/boot.1/default/"
                + deployed.bootChecksum()
                + "/0\n"
                + "linux /ostree/default-"
                + deployed.bootChecksum()
                + "/vmlinuz-6.1.0-test\n"
                + "initrd /ostree/default-"
                + deployed.bootChecksum()
                + "/initramfs-6.1.0-test.img\n");
    assertThat(Files.readSymbolicLink(machine.root().resolve("boot/loader")))
        .isEqualTo(Path.of("loader.1"));
    assertThat(Files.readSymbolicLink(machine.root().resolve("ostree/boot.1")))
        .isEqualTo(Path.of("boot.1.1"));
    assertThat(
            Files.readString(
                machine
                    .root()
                    .resolve("boot/ostree/default-" + deployed.bootChecksum())
                    .resolve("vmlinuz-6.1.0-test")))
        .isEqualTo("kernel one\n");
    Path directory = sysroot.path(deployed);
    assertThat(Command.of("lsattr", "-d", directory.toString()).output()).contains("i");
    assertThat(directory.resolve("etc/app/a.conf")).hasContent("a of 1");
    assertThat(Files.getAttribute(directory.resolve("etc/app/a.conf"), "unix:nlink")).isEqualTo(1);
    assertThat(Files.readString(directory.resolveSibling(deployed.id() + ".origin")))
        .isEqualTo(
            "[origin]\ncontainer-image-reference=ostree-unverified-registry:quay.io/example/os:latest\n");
    assertThat(sysroot.repository().refs("ostree")).containsOnlyKeys("ostree/1/1/0");
  }

  /** What an image brings for containers in it, which no repository can hold as it is. */
  @Test
  void quotedWhiteoutsBecomeDevicesAsWithOstree() throws IOException {
    Map<String, String> files = Machine.files("1", "one");
    files.put("usr/share/layer/.ostree-wh.gone", "");
    files.put("usr/share/layer/.ostree-wh.open", "not looked at\n");
    files.put("usr/share/layer/.wh.kept", "");
    List<String> told = new ArrayList<>();
    for (boolean ours : List.of(true, false)) {
      try (Machine other = new Machine()) {
        Sysroot sysroot = other.init();
        Checksum commit =
            other.commit(
                files,
                tree ->
                    Command.of("chmod", "600", tree + "/usr/share/layer/.ostree-wh.open").run());
        if (ours) {
          sysroot.deploy(install(commit));
        } else {
          other.admin("deploy", "--os=default", commit.hex());
          sysroot.reload();
        }
        Path layer = sysroot.path(sysroot.deployments().getFirst()).resolve("usr/share/layer");
        told.add(
            Command.of("find", layer.toString(), "-mindepth", "1", "-printf", "%P %y %m %U:%G\n")
                .output()
                .lines()
                .sorted()
                .collect(Collectors.joining(" | ")));
        if (ours) {
          assertThat(Posix.lstat(OsPath.of(layer.resolve("gone"))).rdev()).isZero();
        }
      }
    }
    assertThat(told.getFirst())
        .isEqualTo(".wh.kept f 644 0:0 | gone c 644 0:0 | open c 600 0:0")
        .isEqualTo(told.getLast());
    Sysroot sysroot = machine.init();
    files.put("usr/share/layer/gone", "and not gone\n");
    Checksum both = machine.commit(files);
    assertThatThrownBy(() -> sysroot.deploy(install(both)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(
            "the image has a file /usr/share/layer/.ostree-wh.gone and what it hides");
    for (String name : List.of("", ".", "..")) {
      Map<String, String> nameless = Machine.files("1", "one");
      nameless.put("usr/share/.ostree-wh." + name, "");
      Checksum commit = machine.commit(nameless);
      assertThatThrownBy(() -> sysroot.deploy(install(commit)))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.INPUT))
          .hasMessageContaining("/usr/share/.ostree-wh." + name + ", a whiteout of no name");
    }
  }

  /** Its machines would not start: no file has fs-verity enabled. */
  @Test
  void refusesAnImageThatDemandsVerityBeforeAnythingIsChanged() throws IOException {
    Sysroot sysroot = machine.init();
    for (String mode : List.of("verity", "signed")) {
      Map<String, String> files = Machine.files("1", "one");
      files.put("usr/lib/ostree/prepare-root.conf", "[composefs]\nenabled = " + mode + "\n");
      Checksum commit = machine.commit(files);
      Map<String, String> before = machine.listing("ostree/deploy");
      assertThatThrownBy(() -> sysroot.deploy(install(commit)))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.INPUT))
          .hasMessageContaining("[composefs] enabled=" + mode + ", which demands fs-verity");
      FileTree tree = sysroot.repository().readTree(commit);
      assertThatThrownBy(() -> Deployable.require(tree, "amd64"))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("make it enabled=yes");
      assertThat(machine.listing("ostree/deploy")).isEqualTo(before);
    }
  }

  @Test
  void computesTheBootChecksumOfTheFacts() throws IOException {
    Sysroot sysroot = machine.init();
    Map<String, String> files = Machine.files("1", "one");
    files.put("usr/lib/modules/6.1.0-test/vmlinuz", "kern\n");
    files.put("usr/lib/modules/6.1.0-test/initramfs.img", "initrd\n");
    assertThat(sysroot.planDeploy(install(machine.commit(files))).created().bootChecksum())
        .isEqualTo("36adbac4b4e22e14358bdbcdae17c58412288ad535a5c7a0a9639ec6e4fc1d61");
  }

  /** The kernel's object is gone, so whoever hashes it fails. */
  @Test
  void takesTheSumOfAnUnchangedKernelOver() throws IOException {
    Sysroot sysroot = machine.init();
    Map<String, String> files = Machine.files("1", "one");
    Deployment first = sysroot.deploy(install(machine.commit(files)));
    files.put("usr/bin/more", "more\n");
    Checksum more = machine.commit(files);
    files.put("usr/lib/modules/6.1.0-test/initramfs.img", "another\n");
    Checksum other = machine.commit(files);
    Path kernel = sysroot.path(first).resolve("usr/lib/modules/6.1.0-test/vmlinuz");
    for (Checksum commit : List.of(more, other)) {
      sysroot.repository().readTree(commit);
    }
    Files.delete(objectOf(sysroot, kernel));
    assertThat(sysroot.planDeploy(DeploySpec.upgrade(first, more, ORIGIN)).created().bootChecksum())
        .isEqualTo(first.bootChecksum());
    assertThatThrownBy(() -> sysroot.planDeploy(DeploySpec.upgrade(first, other, ORIGIN)))
        .isInstanceOf(Exception.class);
  }

  private static Path objectOf(Sysroot sysroot, Path file) throws IOException {
    try (var objects = Files.walk(sysroot.repository().path().resolve("objects"))) {
      for (Path object : (Iterable<Path>) objects.filter(Files::isRegularFile)::iterator) {
        if (Files.isSameFile(object, file)) {
          return object;
        }
      }
    }
    throw new AssertionError("no object is " + file);
  }

  @Test
  void upgradesSwapsBackAndRemoves() throws IOException {
    Sysroot sysroot = machine.init();
    Deployment first = sysroot.deploy(install(machine.commit(Machine.files("1", "one"))));
    Deployment second =
        sysroot.deploy(
            DeploySpec.upgrade(first, machine.commit(Machine.files("2", "two")), ORIGIN));
    machine.judge();
    assertThat(sysroot.deployments()).hasSize(2);
    assertThat(sysroot.deployments().getFirst().isSame(second)).isTrue();
    assertThat(second.kargs()).isEqualTo(first.kargs());
    assertThat(Files.readSymbolicLink(machine.root().resolve("boot/loader")))
        .isEqualTo(Path.of("loader.0"));
    assertThat(machine.root().resolve("boot/loader.1")).doesNotExist();

    sysroot.setBootOrder(sysroot.deployments().reversed(), Sysroot.Before.NOTHING);
    machine.judge();
    assertThat(sysroot.deployments().getFirst().isSame(first)).isTrue();
    assertThat(Files.readString(machine.root().resolve("boot/loader/entries/ostree-2.conf")))
        .contains("title Test OS 1 (ostree:0)");

    sysroot.setBootOrder(sysroot.deployments().subList(0, 1), Sysroot.Before.NOTHING);
    machine.judge();
    assertThat(sysroot.path(second)).doesNotExist();
    assertThat(machine.listing("boot/ostree").keySet())
        .noneMatch(name -> name.contains(second.bootChecksum()));
    sysroot.cleanup(true);
    machine.judge();
    assertThat(sysroot.repository().refs("ostree")).hasSize(1);
  }

  @Test
  void changesOnlyLinksWhenTheMenuStays() throws IOException {
    Sysroot sysroot = machine.init();
    Map<String, String> files = Machine.files("1", "one");
    Deployment first = sysroot.deploy(install(machine.commit(files)));
    files.put("usr/bin/more", "more\n");
    sysroot.deploy(DeploySpec.upgrade(first, machine.commit(files), ORIGIN));
    files.put("usr/bin/most", "most\n");
    Map<String, String> boot = machine.listing("boot");
    Deployment third = sysroot.deploy(DeploySpec.upgrade(first, machine.commit(files), ORIGIN));
    assertThat(machine.listing("boot")).isEqualTo(boot);
    assertThat(sysroot.deployments().getFirst().isSame(third)).isTrue();
    assertThat(sysroot.deployments()).hasSize(2);
    machine.judge();
  }

  @Test
  void ostreeContinuesWhatWeBeganAndWeWhatItDid() throws IOException {
    Sysroot sysroot = machine.init();
    Deployment first = sysroot.deploy(install(machine.commit(Machine.files("1", "one"))));
    Checksum two = machine.commit(Machine.files("2", "two"));
    machine.admin("deploy", "--os=default", two.hex());
    sysroot.reload();
    assertThat(sysroot.deployments()).hasSize(2);
    assertThat(sysroot.deployments().getFirst().checksum()).isEqualTo(two);
    assertThat(sysroot.deployments().getFirst().kargs()).isEqualTo(first.kargs());

    Deployment third =
        sysroot.deploy(
            DeploySpec.upgrade(
                sysroot.deployments().getFirst(),
                machine.commit(Machine.files("3", "three")),
                ORIGIN));
    machine.judge();
    assertThat(machine.admin("status")).contains(third.checksum() + ".0").contains(two + ".0");
    machine.admin("undeploy", "1");
    sysroot.reload();
    assertThat(sysroot.deployments()).hasSize(1);
    assertThat(sysroot.deployments().getFirst().isSame(third)).isTrue();
    machine.judge();
  }

  /** The same verb again removes what a kill left of it; the next change all of that. */
  @Test
  void unfinishedFilesOfKilledChangesGo() throws IOException {
    Sysroot sysroot = machine.init();
    Deployment first = sysroot.deploy(install(machine.commit(Machine.files("1", "one"))));
    Path ostree = machine.root().resolve("ostree");
    Path settings = ostree.resolve(".slipway.conf.0123456789abcdef.tmp");
    Path origin =
        sysroot.path(first).resolveSibling("." + first.id() + ".origin.fedcba9876543210.tmp");
    Files.writeString(settings, "[deploy");
    Files.writeString(origin, "[origin]\n");
    sysroot.changeSettings(wanted -> wanted.withKeep(3));
    assertThat(settings).doesNotExist();
    sysroot.setPinned(first, true);
    assertThat(origin).doesNotExist();
    Files.writeString(settings, "[deploy");
    Files.writeString(origin, "[origin]\n");
    Path objects = Files.createDirectory(ostree.resolve("repo/tmp/slipway-0123456789abcdef"));
    sysroot.cleanup(false);
    assertThat(objects).doesNotExist();
    assertThat(settings).doesNotExist();
    assertThat(origin).doesNotExist();
    assertThat(sysroot.settings().keep()).isEqualTo(3);
  }

  @Test
  void keepsPinsAndOtherStateroots() throws IOException {
    Sysroot sysroot = machine.init();
    Deployment first = sysroot.deploy(install(machine.commit(Machine.files("1", "one"))));
    sysroot.setPinned(first, true);
    assertThat(machine.admin("status")).contains("Pinned: yes");
    machine.admin("os-init", "other");
    Checksum two = machine.commit(Machine.files("2", "two"));
    sysroot.deploy(DeploySpec.install("other", two, ORIGIN, KernelArguments.of("root=UUID=1234")));
    assertThat(Files.readString(machine.root().resolve("boot/loader/entries/ostree-2.conf")))
        .contains("(ostree:other:0)");
    Deployment third = sysroot.deploy(install(machine.commit(Machine.files("3", "three"))));
    sysroot.deploy(install(machine.commit(Machine.files("4", "four"))));
    assertThat(sysroot.deployments()).hasSize(3);
    assertThat(sysroot.deployments()).anyMatch(first::isSame).noneMatch(third::isSame);
    sysroot.setPinned(
        sysroot.deployments().stream().filter(first::isSame).findFirst().orElseThrow(), false);
    assertThat(machine.admin("status")).doesNotContain("Pinned: yes");
    machine.judge();
  }

  @Test
  void copiesVarOnceAndFollowsKernelArgumentsOfTheImage() throws IOException {
    Sysroot sysroot = machine.init();
    Map<String, String> files = Machine.files("1", "one");
    files.put("var/lib/app/data", "first\n");
    files.put("usr/lib/bootc/kargs.d/10-a.toml", "kargs = [\"quiet\", \"a=1\"]\n");
    Deployment first =
        sysroot.deploy(
            DeploySpec.install(
                "default",
                machine.commit(files),
                ORIGIN,
                KernelArguments.of("root=UUID=1", "quiet", "a=1", "local=yes")));
    Path var = machine.root().resolve("ostree/deploy/default/var");
    assertThat(var.resolve("lib/app/data")).hasContent("first");

    files.put("var/lib/app/data", "second\n");
    files.put("usr/lib/bootc/kargs.d/10-a.toml", "kargs = [\"a=2\", \"quiet\"]\n");
    files.put(
        "usr/lib/bootc/kargs.d/20-b.toml",
        "match-architectures = [\"s390x\"]\nkargs = [\"mainframe\"]\n");
    Deployment second = sysroot.deploy(DeploySpec.upgrade(first, machine.commit(files), ORIGIN));
    assertThat(var.resolve("lib/app/data")).hasContent("first");
    assertThat(second.kargs())
        .isEqualTo(KernelArguments.of("root=UUID=1", "a=2", "quiet", "local=yes"));
  }

  @Test
  void aMachineHasAnIdOfItsOwn() throws IOException {
    Sysroot sysroot = machine.init();
    Map<String, String> files = Machine.files("1", "one");
    files.put("usr/etc/machine-id", "1".repeat(32) + "\n");
    files.put("var/lib/dbus/machine-id", "1".repeat(32) + "\n");
    Deployment first = sysroot.deploy(install(machine.commit(files)));
    Path id = sysroot.path(first).resolve("etc/machine-id");
    assertThat(id).isEmptyFile();
    assertThat(machine.root().resolve("ostree/deploy/default/var/lib/dbus")).isEmptyDirectory();

    Files.writeString(id, "a".repeat(32) + "\n");
    files.put("usr/etc/machine-id", "2".repeat(32) + "\n");
    Deployment second = sysroot.deploy(DeploySpec.upgrade(first, machine.commit(files), ORIGIN));
    assertThat(sysroot.path(second).resolve("etc/machine-id")).hasContent("a".repeat(32));
    machine.judge();
  }

  /** As ostree makes it, when it deploys such an image. */
  @Test
  void aMachineThatHasItsIdFromAnImageKeepsIt() throws IOException {
    Sysroot sysroot = machine.init();
    Map<String, String> files = Machine.files("1", "one");
    files.put("usr/etc/machine-id", "1".repeat(32) + "\n");
    Deployment first = sysroot.deploy(install(machine.commit(files)));
    Files.writeString(sysroot.path(first).resolve("etc/machine-id"), "1".repeat(32) + "\n");
    files.put("usr/etc/machine-id", "2".repeat(32) + "\n");
    Deployment second = sysroot.deploy(DeploySpec.upgrade(first, machine.commit(files), ORIGIN));
    assertThat(sysroot.path(second).resolve("etc/machine-id")).hasContent("1".repeat(32));
    files.remove("usr/etc/machine-id");
    Deployment third = sysroot.deploy(DeploySpec.upgrade(second, machine.commit(files), ORIGIN));
    assertThat(sysroot.path(third).resolve("etc/machine-id")).hasContent("1".repeat(32));
  }

  @Test
  void keepsWhatOthersHaveInTheBootMenu() throws IOException {
    Sysroot sysroot = machine.init();
    Deployment last = sysroot.deploy(install(machine.commit(Machine.files("1", "one"))));
    Path loader = machine.root().resolve("boot/loader");
    Files.writeString(loader.resolve("entries/other.conf"), "title Other\n");
    Files.writeString(loader.resolve("grub.cfg"), "blscfg\n");
    for (String kernel : List.of("two", "three")) {
      Checksum next = machine.commit(Machine.files(kernel, kernel));
      last = sysroot.deploy(DeploySpec.upgrade(last, next, ORIGIN));
    }
    assertThat(loader.resolve("entries/other.conf")).hasContent("title Other");
    assertThat(loader.resolve("grub.cfg")).hasContent("blscfg");
    assertThat(loader.resolve("entries").toFile().list()).hasSize(3);
    machine.judge();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "grub2/grub.cfg",
        "efi/EFI/fedora/grub.cfg",
        "syslinux/syslinux.cfg",
        "loader/uEnv.txt"
      })
  void refusesAMachineWhoseBootLoaderReadsAListOfOstrees(String list) throws IOException {
    Sysroot sysroot = machine.init();
    Deployment first = sysroot.deploy(install(machine.commit(Machine.files("1", "one"))));
    Path file = machine.root().resolve("boot").resolve(list);
    Files.createDirectories(file.getParent());
    Files.writeString(file, "linux /vmlinuz rw ostree=/ostree/boot.0/default/1/0\n");
    Checksum two = machine.commit(Machine.files("2", "two"));
    Map<String, String> before = machine.listing(".");
    assertThatThrownBy(() -> sysroot.deploy(DeploySpec.upgrade(first, two, ORIGIN)))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("/boot/" + list + " lists the deployments itself");
    assertThat(machine.listing(".")).isEqualTo(before);
  }

  @Test
  void theListOfAGrubThatReadsAnotherOneIsNoHindrance() throws IOException {
    Sysroot sysroot = machine.init();
    Deployment first = sysroot.deploy(install(machine.commit(Machine.files("1", "one"))));
    Path boot = machine.root().resolve("boot");
    Files.writeString(
        boot.resolve("loader/grub.cfg"), "linux /vmlinuz rw ostree=/ostree/boot.0/default/1/0\n");
    Path read = Files.createDirectories(boot.resolve("grub2")).resolve("grub.cfg");
    Files.createSymbolicLink(read, Path.of("../loader/grub.cfg"));
    DeploySpec next = DeploySpec.upgrade(first, machine.commit(Machine.files("2", "two")), ORIGIN);
    assertThatThrownBy(() -> sysroot.deploy(next))
        .hasMessageStartingWith("/boot/grub2/grub.cfg lists the deployments itself")
        .hasMessageEndingWith("bootupctl migrate-static-grub-config");
    // What that command does: the list itself stays where it was.
    Files.delete(read);
    Files.writeString(read, "blscfg\n");
    sysroot.deploy(next);
    assertThat(sysroot.deployments()).hasSize(2);
  }

  @Test
  void anAttemptThatFailsLeavesNoHalfOfAVar() throws IOException {
    Sysroot sysroot = machine.init();
    Map<String, String> files = Machine.files("1", "one");
    files.put("var/lib/app/data", "first\n");
    Checksum commit = machine.commit(files);
    Path var = machine.root().resolve("ostree/deploy/default/var");
    Path origin = machine.root().resolve("ostree/deploy/default/deploy/" + commit + ".0.origin");
    Files.createDirectories(origin.resolve("in-the-way"));
    assertThatThrownBy(() -> sysroot.deploy(install(commit))).isInstanceOf(IOException.class);
    assertThat(var).isEmptyDirectory();
    assertThat(var.resolveSibling(".slipway-new-var")).doesNotExist();
    sysroot.deploy(install(commit));
    assertThat(var.resolve("lib/app/data")).hasContent("first");
  }

  @Test
  void aVarIsFilledBesideAndComesWhole() throws IOException {
    Sysroot sysroot = machine.init();
    Map<String, String> files = Machine.files("1", "one");
    files.put("var/lib/app/data", "first\n");
    Path var = machine.root().resolve("ostree/deploy/default/var");
    Files.setPosixFilePermissions(var, PosixFilePermissions.fromString("rwxr-x---"));
    Object empty = Files.getAttribute(var, "unix:ino");
    // As an interruption leaves it.
    Path beside = var.resolveSibling(".slipway-new-var");
    Files.writeString(Files.createDirectories(beside.resolve("lib/app")).resolve("half"), "fir");
    sysroot.deploy(install(machine.commit(files)));
    assertThat(Files.getAttribute(var, "unix:ino")).isNotEqualTo(empty);
    assertThat(Files.getPosixFilePermissions(var))
        .isEqualTo(PosixFilePermissions.fromString("rwxr-x---"));
    assertThat(var.resolve("lib/app/data")).hasContent("first");
    assertThat(var.resolve("lib/app/half")).doesNotExist();
    assertThat(beside).doesNotExist();
  }

  /** No rename reaches it. */
  @Test
  void aVarThatIsAFileSystemIsFilledInItsPlace() throws IOException {
    Sysroot sysroot = machine.init();
    Map<String, String> files = Machine.files("1", "one");
    files.put("var/lib/app/data", "first\n");
    Checksum commit = machine.commit(files);
    Path var = machine.root().resolve("ostree/deploy/default/var");
    Path origin = machine.root().resolve("ostree/deploy/default/deploy/" + commit + ".0.origin");
    Command.of("mount", "-t", "tmpfs", "none", var.toString()).run();
    try {
      Files.createDirectories(origin.resolve("in-the-way"));
      assertThatThrownBy(() -> sysroot.deploy(install(commit))).isInstanceOf(IOException.class);
      assertThat(var).isEmptyDirectory();
      sysroot.deploy(install(commit));
      assertThat(var.resolve("lib/app/data")).hasContent("first");
    } finally {
      Command.of("umount", var.toString()).run();
    }
  }

  @Test
  void keepsWhatMayBePinned() throws IOException {
    Sysroot sysroot = machine.init();
    Deployment first = sysroot.deploy(install(machine.commit(Machine.files("1", "one"))));
    sysroot.setPinned(first, true);
    Checksum two = machine.commit(Machine.files("2", "two"));
    Deployment second = sysroot.deploy(DeploySpec.upgrade(first, two, ORIGIN));
    Files.writeString(Path.of(sysroot.path(first) + ".origin"), "damaged\n");
    sysroot.reload();
    Checksum three = machine.commit(Machine.files("3", "three"));
    sysroot.deploy(DeploySpec.upgrade(second, three, ORIGIN));
    assertThat(sysroot.deployments()).hasSize(3);
    assertThat(sysroot.deployments().getLast().isSame(first)).isTrue();
    sysroot.remove(sysroot.deployments().getLast(), Sysroot.Before.NOTHING);
    assertThat(sysroot.deployments()).hasSize(2);
  }

  @Test
  void plansWithoutWriting() throws IOException {
    Sysroot sysroot = machine.init();
    Deployment first = sysroot.deploy(install(machine.commit(Machine.files("1", "one"))));
    Files.writeString(sysroot.path(first).resolve("etc/motd"), "mine\n");
    Checksum two = machine.commit(Machine.files("2", "two"));
    Map<String, String> before = machine.listing(".");
    Plan plan = sysroot.planDeploy(DeploySpec.upgrade(first, two, ORIGIN));
    assertThat(machine.listing(".")).isEqualTo(before);
    assertThat(plan.describe())
        .contains("check out commit " + two + " as ostree/deploy/default/deploy/" + two + ".0")
        .contains("boot menu 2: default " + first.id());
    assertThat(plan.etcChanges()).hasSize(1);
    sysroot.execute(plan);
    machine.judge();
    assertThatThrownBy(() -> sysroot.execute(plan)).isInstanceOf(Problem.class);
  }

  @Test
  void refusesImagesThatCannotBoot() throws IOException {
    Sysroot sysroot = machine.init();
    sysroot.deploy(install(machine.commit(Machine.files("1", "one"))));
    Map<String, String> before = machine.listing(".");
    Map<String, String> none = Machine.files("2", "two");
    none.remove("usr/lib/modules/6.1.0-test/vmlinuz");
    Checksum without = machine.commit(none);
    assertThatThrownBy(() -> sysroot.deploy(install(without)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("no kernel");
    none.put("usr/lib/modules/6.1.0-test/vmlinuz", "k");
    none.put("usr/lib/modules/6.2.0-test/vmlinuz", "k");
    Checksum two = machine.commit(none);
    assertThatThrownBy(() -> sysroot.deploy(install(two)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("2 kernels");
    Map<String, String> after = machine.listing(".");
    for (Map<String, String> listing : List.of(before, after)) {
      listing.keySet().removeIf(n -> n.startsWith("ostree/repo") || n.equals("ostree/lock"));
    }
    assertThat(after).isEqualTo(before);
  }
}
