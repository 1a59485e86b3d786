package slipway.host.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.host.system.HostEnvironment;
import slipway.host.system.HostMachine;
import slipway.host.system.MachineImages;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.process.Command;
import slipway.oci.copy.Transfer;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;

/** All that an installer medium does, onto a disk that a loop device plays. */
class KickstartInstallTest {
  /** Images of applications that are bound to the image. */
  private static final String ON_BOARD = "reg.example/app:1";

  private static final String ELSEWHERE = "reg.example/db:1";

  @TempDir Path dir;

  private final List<String> said = new ArrayList<>();

  private void write(String path, String text) throws IOException {
    Files.createDirectories(dir.resolve(path).getParent());
    Files.writeString(dir.resolve(path), text);
  }

  private static void copy(
      HostMachine machine, String name, Manifest.Image image, Path layout, @Nullable String tag)
      throws IOException {
    Transfer.copy(
        machine.source(name),
        image.digest().toString(),
        OciLayout.create(layout, null),
        tag,
        Transfer.Options.of(Platform.host()),
        Progress.NONE);
  }

  private void medium(HostMachine machine, String kickstart) throws IOException {
    Manifest.Image image =
        machine.publish(
            HostMachine.NAME,
            HostMachine.Image.of("1")
                .file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
                .file("etc/shadow", "root:*:20000:0:99999:7:::\n")
                .file("etc/group", "root:x:0:\n")
                .file("etc/gshadow", "root:*::\n")
                .file("usr/share/a.image", "[Image]\nImage=" + ON_BOARD + "\n")
                .file("usr/share/b.image", "[Image]\nImage=" + ELSEWHERE + "\n")
                .link("usr/lib/bootc/bound-images.d/a.image", "/usr/share/a.image")
                .link("usr/lib/bootc/bound-images.d/b.image", "/usr/share/b.image"));
    Path medium = Files.createDirectories(dir.resolve("run/slipway-live/medium"));
    copy(machine, HostMachine.NAME, image, medium.resolve("container"), null);
    Manifest.Image app = machine.publish(ON_BOARD, HostMachine.Image.of("app"));
    copy(machine, ON_BOARD, app, medium.resolve("companions"), ON_BOARD);
    write("run/slipway-live/device", "sr0\n");
    write("run/slipway-live/medium/slipway/answers", "target=reg.example/os:1\n");
    write("run/slipway-live/medium/slipway/kickstart.ks", kickstart);
    write("proc/cmdline", "quiet slipway.installer=unattended\n");
    write("sys/block/vda/size", (3L << 21) + "\n");
    Files.createDirectories(dir.resolve("dev"));
    Files.createDirectories(dir.resolve("mnt"));
  }

  /** The machine's disk, empty, which lies in a new file. */
  private LoopDevice vda(Path file) throws IOException {
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(3L << 30);
    }
    LoopDevice disk = LoopDevice.attach(file, 0, 0);
    Path dev = Files.createDirectories(dir.resolve("dev"));
    Files.createSymbolicLink(dev.resolve("vda"), disk.device());
    return disk;
  }

  private void run(HostMachine machine) throws IOException {
    new MediumInstall(
            new HostEnvironment(
                dir,
                dir.resolve("run"),
                Map.of(),
                said::add,
                Progress.NONE,
                new MachineImages(dir, Map.of()),
                machine.environment().system(),
                InstantSource.system()),
            () -> null)
        .run();
  }

  @Test
  @Tag("slow")
  void aKickstartFileIsFollowedToItsEnd() throws Exception {
    Path file = dir.resolve("disk");
    try (HostMachine machine = new HostMachine();
        LoopDevice disk = vda(file)) {
      medium(
          machine,
          """
          zerombr
          clearpart --all --initlabel
          reqpart --add-boot
          part /var/home --fstype=ext4 --size=64
          part swap --size=16
          part / --grow --fstype=ext4
          bootloader --location=none --append="from=kickstart"
          network --hostname=ksbox
          user --name=jane --password=simsalabim
          rootpw --lock
          poweroff
          %post --nochroot --erroronfail
          set -e
          cd "$ANA_INSTALL_PATH"
          test -d var/home/jane
          cat etc/hostname > etc/issue
          %end
          """);
      run(machine);
      assertThat(machine.actions).contains("poweroff");
    }
    assertThat(said).contains("Install finished. The machine stops.");
    List<Long> starts =
        Arrays.stream(Command.of("sfdisk", "-qlo", "Start", file.toString()).output().split("\\s+"))
            .skip(1)
            .map(Long::parseLong)
            .toList();
    assertThat(starts).hasSize(6);
    Path at = Files.createDirectory(dir.resolve("root"));
    try (LoopDevice root = LoopDevice.attach(file, starts.get(5) * 512, 0);
        Mount mounted = Mount.of(root.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      assertThat(mounted.target().resolve("ostree/bootc/storage/overlay-images/images.json"))
          .content()
          .contains(ON_BOARD)
          .doesNotContain(ELSEWHERE);
      Path tree = mounted.target().resolve("ostree/deploy/default/deploy");
      try (var all = Files.newDirectoryStream(tree, "*.0")) {
        tree = all.iterator().next();
      }
      assertThat(tree.resolve("etc/issue")).content().isEqualTo("ksbox\n");
      assertThat(tree.resolve("etc/passwd")).content().contains("jane:x:");
      assertThat(tree.resolve("etc/fstab")).content().contains(" /var/home ext4 ", " swap ");
      assertThat(tree.resolve("usr/etc/issue")).doesNotExist();
    }
    try (LoopDevice home = LoopDevice.attach(file, starts.get(3) * 512, 64L << 20)) {
      assertThat(Command.of("debugfs", "-R", "ls -p /", home.device().toString()).output())
          .contains("/jane/");
    }
  }

  /** Nothing is written when something of the file cannot be had. */
  @Test
  void whatCannotBeHadLeavesTheDiskAlone() throws Exception {
    try (HostMachine machine = new HostMachine()) {
      String end = "\nreboot\n%onerror\necho told of it\n%end\n";
      medium(machine, "autopart --type=thinp" + end);
      assertThatThrownBy(() -> run(machine)).hasMessageContaining("thin volumes are not made");
      medium(machine, "autopart\nclearpart --all --drives=sdz" + end);
      assertThatThrownBy(() -> run(machine))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("leaves no disk to install to: it says sdz; there are /dev/vda");
      assertThat(said).contains("told of it");
      medium(machine, "autopart" + end);
      write("sys/block/vda/vda1/partition", "1\n");
      assertThatThrownBy(() -> run(machine)).hasMessageContaining("add clearpart --all to it");
      // A file that says nothing of the disk does not answer whether it may be erased.
      medium(machine, "lang C.UTF-8" + end);
      assertThatThrownBy(() -> run(machine))
          .hasMessage("nothing was installed, and no disk was changed");
      write("sys/block/vdb/size", (3L << 21) + "\n");
      medium(machine, "autopart\nclearpart --all" + end);
      assertThatThrownBy(() -> run(machine)).hasMessageContaining("which disk is meant?");
      assertThat(machine.actions).isEmpty();
    }
  }

  /** Whoever stands before the machine learns what it was doing. */
  @Test
  @Tag("slow")
  void aFailureSaysWhichStepItWas() throws Exception {
    try (HostMachine machine = new HostMachine();
        LoopDevice disk = vda(dir.resolve("disk"))) {
      medium(
          machine,
          """
          clearpart --all
          autopart
          bootloader --location=none
          %post --nochroot --erroronfail
          exit 3
          %end
          """);
      assertThatThrownBy(() -> run(machine)).hasMessageContaining("%post ended with status 3");
      assertThat(machine.actions).isEmpty();
    }
    assertThat(said.getLast()).matches("Install failed while running .*:4:1: %post\\.");
  }
}
