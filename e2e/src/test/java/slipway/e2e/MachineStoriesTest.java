package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What else may happen to a machine in its life: ostree's own commands, a soft reboot, an image
 * from a stick, a new beginning. After each of them ostree finds its repository whole and the
 * deployments that our status names.
 */
class MachineStoriesTest {
  private static final String APP = "registry.example/app:1";
  private static final String FIRST_STATE = "default";

  @TempDir Path dir;

  @Test
  @Tag("soak")
  void oneMachine() throws Exception {
    try (Releases releases = Releases.start(dir)) {
      String[] stick = UpgradingMachine.disk("stick", stick(releases));
      String[] letsIn = UpgradingMachine.letsIn(UpgradingMachine.key(dir));
      try (UpgradingMachine machine =
          UpgradingMachine.start(releases, 0, dir, spec -> spec.withMore(stick).withMore(letsIn))) {
        machine.change();
        ostreeChangesDeployments(machine);
        softReboot(releases, machine);
        switchToAStick(machine);
        beginAnew(machine);
      }
    }
  }

  /** A disk with version 2 of the image and one that is bound to it, in one folder. */
  private Path stick(Releases releases) throws Exception {
    Path app = Files.createDirectory(dir.resolve("app"));
    Files.writeString(app.resolve("note"), "of the application\n");
    Files.writeString(app.resolve("Containerfile"), "FROM scratch\nCOPY note /note\n");
    releases.publishAlone(app, "app:1");
    Path os = Files.createDirectory(dir.resolve("os"));
    Files.writeString(
        os.resolve("Containerfile"),
        """
        ARG BASE
        FROM $BASE
        RUN mkdir -p /usr/share/containers/systemd /usr/lib/bootc/bound-images.d \\
         && printf '[Image]\\nImage=%s\\n' > /usr/share/containers/systemd/app.image \\
         && ln -s /usr/share/containers/systemd/app.image /usr/lib/bootc/bound-images.d/app.image
        """
            .formatted(APP));
    releases.publishOnto(2, os, "web:stick");
    Path folder = Files.createDirectory(dir.resolve("stick"));
    copy(releases.source("web:stick"), folder + "/images:web");
    copy(releases.source("app:1"), folder + "/images:" + APP);
    Path disk = dir.resolve("stick.raw");
    Command.of("mke2fs", "-q", "-F", "-t", "ext4", "-d", folder.toString(), disk.toString(), "1G")
        .run();
    return disk;
  }

  private static void copy(String image, String place) {
    Command.of("skopeo", "copy", "--quiet", "--src-tls-verify=false", image, "oci:" + place)
        .idleLimit(Cli.IDLE_LIMIT)
        .run();
  }

  private static void restart(UpgradingMachine machine) throws Exception {
    machine.goDown();
    machine.boot();
  }

  private static void ostreeChangesDeployments(UpgradingMachine machine) {
    String commit = UpgradingMachine.commit(machine.sound(), "booted");
    machine.must("ostree admin pin 0");
    assertThat(machine.agreed().at("/status/booted/pinned").asBoolean()).isTrue();
    assertThat(machine.must("bootc unpin booted && ostree admin status")).doesNotContain("Pinned");
    assertThat(machine.must("bootc pin booted && ostree admin status")).contains("Pinned: yes");
    machine.must("ostree admin pin --unpin 0");
    assertThat(machine.sound().at("/status/booted/pinned").asBoolean()).isFalse();

    machine.must(
        "ostree admin deploy --karg-append=extra=1 --origin-file=/ostree/deploy/default/deploy/%1$s.0.origin %1$s"
            .formatted(commit));
    JsonNode two = machine.sound();
    assertThat(two.at("/status/booted/ostree/deploySerial").asInt()).isZero();
    assertThat(two.at("/status/rollback/ostree/deploySerial").asInt()).isEqualTo(1);
    assertThat(two.at("/status/rollback/ostree/checksum").asString()).isEqualTo(commit);
    assertThat(two.at("/status/rollbackQueued").asBoolean()).as("it boots next").isTrue();
    machine.must("ostree admin undeploy 0");
    JsonNode one = machine.sound();
    assertThat(one.at("/status/rollback").isNull()).isTrue();
    assertThat(one.at("/status/rollbackQueued").asBoolean()).isFalse();
  }

  private static void softReboot(Releases releases, UpgradingMachine machine) throws Exception {
    releases.publish(1);
    String boot = machine.must("cat /proc/sys/kernel/random/boot_id");
    machine.restartSoftly("bootc upgrade --soft-reboot=required --apply", 1);
    assertThat(machine.must("cat /proc/sys/kernel/random/boot_id")).isEqualTo(boot);
    judge(machine, 1);
    machine.sound();
  }

  private static JsonNode judge(UpgradingMachine machine, int release) {
    UpgradingMachine.Probe probe = machine.probe();
    assertThat(probe.release()).isEqualTo(release);
    assertThat(probe.failedUnits()).isEmpty();
    assertThat(probe.motd()).isEqualTo("mine");
    return probe.status();
  }

  private void switchToAStick(UpgradingMachine machine) throws Exception {
    machine.must("mkdir -p /mnt/stick && mount -o ro /dev/vdb /mnt/stick");
    assertThat(machine.must("bootc switch --transport oci /mnt/stick/images:web"))
        .contains("Bound images stored: 1", "Queued for next boot: ");
    machine.sound();
    machine.goDown();
    assertThat(boundImages(machine)).contains(APP);
    machine.boot();
    JsonNode status = judge(machine, 2);
    assertThat(status.at("/spec/image/transport").asString()).isEqualTo("oci");
    assertThat(status.at("/metadata/annotations/slipway.bound-images").asString()).isEqualTo(APP);
    assertThat(machine.must("bootc image list --type logical")).contains(APP);
    machine.must("mount -o ro /dev/vdb /mnt/stick");
    assertThat(machine.must("bootc upgrade")).contains("No update available.");
    machine.must("umount /mnt/stick");
    machine.sound();
  }

  /** The images that podman finds in the store of bound images, and can unpack. */
  private String boundImages(UpgradingMachine machine) throws Exception {
    Path copy = dir.resolve("look.raw");
    UpgradingMachine.copy(machine.disk(), copy);
    Path run = Files.createDirectory(dir.resolve("podman"));
    String found =
        MountedDisk.ask(
            Disk.read(copy),
            dir,
            0,
            sysroot -> {
              Command podman =
                  Command.of("podman", "--root", sysroot.root() + "/ostree/bootc/storage")
                      .with("--runroot", run.toString())
                      .with("--storage-driver", "overlay", "--events-backend", "none");
              String names = podman.with("images", "--format", "{{.Repository}}:{{.Tag}}").output();
              Path mounted = Path.of(podman.with("image", "mount", APP).output());
              assertThat(mounted.resolve("note")).hasContent("of the application");
              podman.with("image", "unmount", "--all").run();
              Command.of("umount", sysroot.root() + "/ostree/bootc/storage/overlay").tryRun();
              return names;
            });
    Files.delete(copy);
    return found;
  }

  private static void beginAnew(UpgradingMachine machine) throws Exception {
    String name =
        JsonMapper.shared()
            .readTree(machine.must("bootc install reset --json"))
            .path("stateroot")
            .asString();
    JsonNode staged = machine.sound();
    assertThat(staged.at("/status/staged/ostree/stateroot").asString())
        .isEqualTo(name)
        .startsWith("state-");
    restart(machine);
    JsonNode begun = machine.sound();
    assertThat(begun.at("/status/booted/ostree/stateroot").asString()).isEqualTo(name);
    assertThat(machine.must("systemctl is-system-running --wait")).isEqualTo("running\n");
    assertThat(machine.must("cat /etc/motd")).isEqualTo("Welcome to Slipway web, version 2.\n");
    machine.must("test ! -e /etc/rounds -a ! -e /var/lib/rounds -a -e /etc/release.d/unwanted");
    machine.must("test -e /sysroot/ostree/deploy/%s/var/lib/rounds".formatted(FIRST_STATE));

    assertThat(machine.must("bootc install remove-state"))
        .contains("Removed the stateroot " + FIRST_STATE);
    JsonNode alone = machine.sound();
    assertThat(alone.at("/status/rollback").isNull()).isTrue();
    assertThat(alone.at("/status/otherDeployments").isMissingNode()).isTrue();
    machine.must("test ! -e /sysroot/ostree/deploy/" + FIRST_STATE);
    restart(machine);
    assertThat(machine.sound().at("/status/booted/ostree/stateroot").asString()).isEqualTo(name);
    assertThat(machine.must("systemctl is-system-running --wait")).isEqualTo("running\n");
  }
}
