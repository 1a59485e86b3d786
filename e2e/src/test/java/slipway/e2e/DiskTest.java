package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.Ioctls;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A disk of the base image with some awkward files, before any machine has booted it: the tools of
 * others take it apart and find the image inside.
 */
@Tag("vm")
class DiskTest {
  private static final String NAME = "localhost/slipway-test-disk:1";
  private static final String CONTAINERFILE =
      """
      FROM localhost/debian-bootc:trixie
      RUN mkdir -p /usr/lib/probe/private /etc/probe && cd /usr/lib/probe \\
       && echo setuid > setuid && chmod 4755 setuid \\
       && echo both > setgid && chown 12:34 setgid && chmod 2751 setgid \\
       && echo tagged > tagged && setfattr -n user.probe -v 'a value' tagged \\
       && echo capable > capable \\
       && setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 capable \\
       && chmod 1770 private && chown 4000000000:65536 private \\
       && ln setuid linked && : > empty && ln -s ../../nowhere dangling && ln -s /usr/bin/env absolute \\
       && head -c 5000000 /dev/zero > zeros \\
       && mkdir /opt/app && echo "of the image" > /opt/app/run \\
       && echo local > /etc/probe/file && chmod 600 /etc/probe/file && ln -s file /etc/probe/link
      """;

  /** Of the file setuid. */
  private static final String SETUID_DIGEST =
      "fcd249947a42433f3ca96fd828ace5d07193ea0d7023210bfffd1453f1860a75";

  private static final String JVM = "/usr/lib/slipway/runtime/bin/java";
  private static final Duration LOGIN_LIMIT = Duration.ofSeconds(60);
  private static final long PEAK_LIMIT = 80L << 20;

  /** Against a JVM that does nothing. It is 2.5 on one machine and 6 on another. */
  private static final double CPU_RATIO_LIMIT = 9;

  /**
   * Of what loads many classes, against the same without the caches of classes: 0.42 to 0.62 on
   * three machines.
   */
  private static final double CACHED_STATUS_LIMIT = 0.85;

  /** Of what loads hardly any: the caches must not be in its way. It is 1.0 on one machine. */
  private static final double CACHED_VERSION_LIMIT = 1.3;

  @TempDir static Path dir;
  private static Disk disk;

  private static Podman podman;

  /** The image as podman unpacks it. */
  private static Path unpacked = Path.of("");

  @BeforeAll
  static void make() throws Exception {
    Cli cli = BaseImages.trixie();
    Path context = Files.createDirectory(dir.resolve("context"));
    Files.writeString(context.resolve("Containerfile"), CONTAINERFILE);
    cli.must("build", "-t", NAME, context.toString());
    try {
      cli.must(
          "disk", "build", "--type", "raw", "--rootfs", "ext4", "--output", dir.toString(), NAME);
      disk = Disk.read(dir.resolve("image/disk.raw"));
      Path archive = dir.resolve("image.tar");
      cli.must("save", "-o", archive.toString(), NAME);
      podman = new Podman(dir.resolve("podman"));
      podman.must("load", "--quiet", "-i", archive.toString());
      unpacked = Path.of(podman.must("image", "mount", NAME));
    } finally {
      cli.must("rmi", NAME);
    }
  }

  @AfterAll
  static void forget() {
    if (podman != null) {
      podman.must("image", "unmount", "--all", "--force");
      podman.close();
    }
  }

  private static Path deployment(MountedDisk sysroot) throws IOException {
    try (var list = Files.list(sysroot.root().resolve("ostree/deploy/default/deploy"))) {
      return list.filter(p -> p.toString().endsWith(".0")).findFirst().orElseThrow();
    }
  }

  private static String checksum(MountedDisk sysroot) throws IOException {
    return deployment(sysroot).getFileName().toString().replace(".0", "");
  }

  @Test
  void checkersFindNothingWrong() throws Exception {
    Command.of("sfdisk", "--verify", disk.file().toString()).run();
    try (LoopDevice esp = disk.attach("EFI-SYSTEM")) {
      Command.of("fsck.fat", "-n", esp.device().toString()).run();
    }
    for (String part : new String[] {"boot", "root"}) {
      try (LoopDevice device = disk.attach(part)) {
        Command.of("e2fsck", "-f", "-n", device.device().toString()).run();
      }
    }
  }

  @Test
  void ostreeFindsItsRepositoryAndOurDeployment() throws Exception {
    MountedDisk.look(
        disk,
        dir,
        Mounts.MS_RDONLY,
        sysroot -> {
          Path repo = sysroot.root().resolve("ostree/repo");
          assertThat(Command.of("ostree", "fsck", "--repo=" + repo).output())
              .contains("no errors found");
          assertThat(
                  Command.of("ostree", "admin", "status", "--sysroot=" + sysroot.root()).output())
              .contains("default " + checksum(sysroot) + ".0");
          assertThat(Command.of("ostree", "refs", "--repo=" + repo).output())
              .contains("ostree/container/image/");
        });
  }

  @Test
  void theComposefsImageShowsTheFilesOfTheImage() throws Exception {
    MountedDisk.look(
        disk,
        dir,
        Mounts.MS_RDONLY,
        sysroot -> {
          Path image = deployment(sysroot).resolve(".ostree.cfs");
          Path lower = Files.createDirectory(dir.resolve("cfs"));
          Path shown = Files.createDirectory(dir.resolve("shown"));
          String objects = sysroot.root().resolve("ostree/repo/objects").toString();
          // The file lies on a read-only mount, where mount(8) asks for no more than reading.
          Command.of("mount", "-t", "erofs", "-o", "ro,loop", image.toString(), lower.toString())
              .run();
          try (Mount merged =
              Mount.of(
                  "overlay",
                  shown,
                  "overlay",
                  Mounts.MS_RDONLY,
                  "metacopy=on,redirect_dir=on,lowerdir=" + lower + "::" + objects)) {
            Path root = merged.target();
            same(
                Listing.of(root.resolve("usr"), "etc"), Listing.of(unpacked.resolve("usr"), "etc"));
            same(Listing.of(root.resolve("usr/etc")), Listing.of(unpacked.resolve("etc")));
            assertThat(root.resolve("opt/app/run")).hasContent("of the image\n");
            assertThat(Listing.of(root.resolve("usr/lib/probe")))
                .containsEntry("./private", "d 1770 4000000000:65536 ")
                .containsEntry("./setuid", "f 4755 0:0 7 " + SETUID_DIGEST)
                .containsEntry("./linked", "f 4755 0:0 7 " + SETUID_DIGEST)
                .hasEntrySatisfying("./tagged", line -> assertThat(line).contains("user.probe=0x"))
                .hasEntrySatisfying(
                    "./capable", line -> assertThat(line).contains("security.capability=0x01"));
          } finally {
            Command.of("umount", lower.toString()).run();
          }
        });
  }

  private static void same(SortedMap<String, String> got, SortedMap<String, String> wanted) {
    SortedMap<String, String> differences = new TreeMap<>();
    wanted.forEach(
        (path, line) -> {
          if (!line.equals(got.get(path))) {
            differences.put(path, "image: " + line + "; disk: " + got.get(path));
          }
        });
    got.keySet().stream()
        .filter(path -> !wanted.containsKey(path))
        .forEach(path -> differences.put(path, "on the disk alone"));
    // What a container's run leaves in an image is not a machine's.
    differences.remove("./hostname");
    differences.remove("./resolv.conf");
    assertThat(differences).isEmpty();
    assertThat(got).hasSizeGreaterThan(100);
  }

  @Test
  void theNewestOstreeWritesTheSameComposefsImage() throws Exception {
    Path copy = dir.resolve("copy.raw");
    Command.of("cp", "--sparse=always", disk.file().toString(), copy.toString()).run();
    String peer =
        Command.of(Cli.ROOT.resolve("tools/peers").toString(), "ostree").output() + "/ostree";
    MountedDisk.look(
        new Disk(copy, disk.parts()),
        dir,
        0,
        sysroot -> {
          Command.of(
                  peer,
                  "admin",
                  "deploy",
                  "--sysroot=" + sysroot.root(),
                  "--os=default",
                  checksum(sysroot))
              .run();
          Path theirs = deployment(sysroot).resolveSibling(checksum(sysroot) + ".1/.ostree.cfs");
          Path ours = deployment(sysroot).resolve(".ostree.cfs");
          assertThat(Files.size(ours)).isEqualTo(Files.size(theirs)).isGreaterThan(1_000_000);
          assertThat(Files.mismatch(ours, theirs)).isEqualTo(-1);
          assertThat(
                  Command.of("ostree", "admin", "status", "--sysroot=" + sysroot.root()).output())
              .contains(checksum(sysroot) + ".0", checksum(sysroot) + ".1");
        });
    Files.delete(copy);
  }

  @Test
  void theDeployedTreeBootsInAContainerAndItsAgentIsSmall() throws Exception {
    MountedDisk.look(
        disk,
        dir,
        Mounts.MS_RDONLY,
        sysroot -> {
          try (Nspawn system = Nspawn.boot(deployment(sysroot))) {
            System.out.println("nspawn: login after " + system.awaitLogin(LOGIN_LIMIT));
            JsonNode status =
                JsonMapper.shared()
                    .readTree(small(system, CACHED_STATUS_LIMIT, "bootc", "status", "--json"));
            assertThat(status.path("kind").asString()).isEqualTo("BootcHost");
            assertThat(status.at("/status/booted").isNull()).isTrue();
            assertThat(small(system, CACHED_VERSION_LIMIT, "bootc", "--version"))
                .startsWith("bootc ");
          }
        });
  }

  /** From staging to the boot menu, by the units and the agent that are in the image. */
  @Test
  void theDeployedTreeIsSwitchedAndFinalizesAtShutdown() throws Exception {
    Path shared = Files.createDirectory(dir.resolve("shared"));
    BaseImages.trixie()
        .must("save", "-o", shared.resolve("base.tar").toString(), BaseImages.TRIXIE);
    Path copy = dir.resolve("machine.raw");
    Command.of("cp", "--sparse=always", disk.file().toString(), copy.toString()).run();
    MountedDisk.look(
        new Disk(copy, disk.parts()),
        dir,
        0,
        sysroot -> {
          Path deployment = deployment(sysroot);
          String installed = checksum(sysroot);
          Ioctls.setImmutable(OsPath.of(deployment), false);
          Files.writeString(deployment.resolve("etc/mine"), "kept\n");
          try (Nspawn system = Nspawn.bootMachine(sysroot.root(), deployment, shared)) {
            system.awaitLogin(LOGIN_LIMIT);
            Nspawn.Run run =
                system.measure(
                    "bootc", "switch", "--transport", "oci-archive", "/run/shared/base.tar");
            System.out.println("bootc switch: " + run.figures());
            assertThat(run.output()).contains("Queued for next boot");
            // ostree's own word reaches the agent, and podman would find a store.
            assertThat(
                    system
                        .measure("ostree", "container", "image", "list", "--repo=/ostree/repo")
                        .output())
                .contains("oci-archive:/run/shared/base.tar");
            assertThat(system.measure("ls", "/usr/lib/bootc/storage/").output())
                .contains("overlay-images", "overlay-layers");
            for (String path : new String[] {"/sysroot", "/boot"}) {
              assertThat(system.measure("findmnt", "-no", "OPTIONS", path).output())
                  .startsWith("ro,");
            }
          }
          Path var = sysroot.root().resolve("ostree/deploy/default/var");
          Command journal =
              Command.of("journalctl", "--directory=" + var.resolve("log/journal"))
                  .with("--unit=slipway-finalize-staged", "--no-pager");
          assertThat(
                  Command.of("ostree", "admin", "status", "--sysroot=" + sysroot.root()).output())
              .as(journal.tryRun().text())
              .containsPattern("(?s)default .*\\.0.*default " + installed + "\\.0");
          try (var entries = Files.list(sysroot.root().resolve("boot/loader/entries"))) {
            assertThat(entries).hasSize(2);
          }
          try (var deployments = Files.list(deployment.resolveSibling(""))) {
            assertThat(deployments.filter(d -> Files.exists(d.resolve("etc/mine")))).hasSize(2);
          }
          Command.of("ostree", "fsck", "--quiet", "--repo=" + sysroot.root().resolve("ostree/repo"))
              .run();
        });
    Files.delete(copy);
  }

  /**
   * Runs a command some times and holds its use of the machine to the limits: the highest peak, and
   * the lowest processor time, since other work on the machine only ever adds to that.
   *
   * @param cachedLimit of the processor time by that without caches
   */
  private static String small(Nspawn system, double cachedLimit, String... argv) {
    long peak = 0;
    double cpu = Double.MAX_VALUE;
    double idle = Double.MAX_VALUE;
    double bare = Double.MAX_VALUE;
    Nspawn.Run run = null;
    List<String> uncached =
        new ArrayList<>(
            List.of(JVM, "@/usr/lib/slipway/quick.args", "-XX:AOTMode=off", "slipway.cli.Main"));
    uncached.addAll(List.of(argv).subList(1, argv.length));
    for (int i = 0; i < 5; i++) {
      idle = Math.min(idle, system.measure(JVM, "--version").cpuSeconds());
      bare = Math.min(bare, system.measure(uncached.toArray(String[]::new)).cpuSeconds());
      run = system.measure(argv);
      System.out.println(String.join(" ", argv) + ": " + run.figures());
      peak = Math.max(peak, run.peakBytes());
      cpu = Math.min(cpu, run.cpuSeconds());
    }
    System.out.printf(
        "%.2f s of processor time, without caches %.2f s, a JVM alone %.2f s%n", cpu, bare, idle);
    assertThat(peak).as("peak resident memory").isLessThanOrEqualTo(PEAK_LIMIT);
    assertThat(cpu / idle).as("processor time by a JVM's").isLessThanOrEqualTo(CPU_RATIO_LIMIT);
    assertThat(cpu / bare)
        .as("processor time by that without caches")
        .isLessThanOrEqualTo(cachedLimit);
    return run.output();
  }
}
