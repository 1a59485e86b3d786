package slipway.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.ostree.gvariant.GVariant;

/**
 * A machine that no kernel of its own runs: its disk is mounted, and the product's commands run in
 * a root where all is as in the machine but for {@code /usr}, which is this one's. To be used in a
 * mount namespace of the test's own.
 */
final class StillMachine implements AutoCloseable {
  /** Of a command that hangs. */
  private static final Duration LIMIT = Duration.ofMinutes(3);

  private static final String MAIN = "slipway.cli.Main";

  /**
   * Arguments: an empty folder, the physical root, the deployment, its /var, /run, what is shared,
   * and the command.
   */
  private static final String ENTER =
      """
      set -e
      root=$1 sysroot=$2 deployment=$3 var=$4 run=$5 shared=$6
      shift 6
      mount -t tmpfs none "$root"
      for path in /*; do
        case $path in
          /boot | /etc | /ostree | /run | /sysroot | /tmp | /var | /lost+found) ;;
          *) if [ -L "$path" ]; then cp -P "$path" "$root$path"
             elif [ -d "$path" ]; then mkdir "$root$path"; mount --rbind "$path" "$root$path"; fi ;;
        esac
      done
      ln -s sysroot/ostree "$root/ostree"
      mkdir -p "$root/etc" "$root/var" "$root/sysroot" "$root/boot" "$root/run" "$root/tmp"
      mount --bind "$deployment/etc" "$root/etc"
      mount --bind "$var" "$root/var"
      mount --bind "$sysroot" "$root/sysroot"
      mount --bind "$sysroot/boot" "$root/boot"
      mount --bind "$run" "$root/run"
      mount --bind "$shared" "$root/run/shared"
      exec chroot "$root" "$@"
      """;

  private final Path work;
  private final Path shared;
  private final List<AutoCloseable> open = new ArrayList<>();
  private Path booted = Path.of("");

  private StillMachine(Path work, Path shared) {
    this.work = work;
    this.shared = shared;
  }

  /**
   * Mounts a disk and starts what its menu starts.
   *
   * @param shared what it sees as /run/shared
   * @param work a new folder
   */
  static StillMachine start(Path disk, Path shared, Path work) throws Exception {
    StillMachine machine = new StillMachine(work, shared);
    Files.createDirectories(work.resolve("root"));
    Files.createDirectories(machine.sysroot());
    try {
      Disk image = Disk.read(disk);
      machine.mount(image, "root", machine.sysroot());
      machine.mount(image, "boot", machine.sysroot().resolve("boot"));
      machine.restart();
      return machine;
    } catch (Exception | AssertionError e) {
      machine.close();
      throw e;
    }
  }

  private void mount(Disk disk, String part, Path at) throws IOException {
    LoopDevice device = disk.attach(part);
    open.add(device);
    open.add(Mount.of(device.device().toString(), at, Disk.type(device), 0, null));
  }

  /** Starts what the menu starts now; what is staged is lost. */
  void restart() throws IOException {
    Posix.removeTree(OsPath.of(run()));
    Files.createDirectories(run().resolve("ostree"));
    Files.createDirectories(run().resolve("shared"));
    Files.createDirectories(run().resolve("systemd/system"));
    noteBooted();
  }

  /** As ostree-prepare-root does in an initramfs. */
  private void noteBooted() throws IOException {
    Path deployment = deployment();
    GVariant backing =
        GVariant.tuple(
            GVariant.u64(((Number) Files.getAttribute(deployment, "unix:dev")).longValue()),
            GVariant.u64(((Number) Files.getAttribute(deployment, "unix:ino")).longValue()));
    booted = deployment;
    Files.write(
        run().resolve("ostree-booted"),
        GVariant.dictionary(
                Map.of("composefs", GVariant.bool(true), "backing-root-device-inode", backing))
            .toBytes());
  }

  private Path deployment() throws IOException {
    return MenuEntry.asLinuxSees(sysroot().resolve("boot")).getLast().deployment(sysroot());
  }

  /** What commands of systemd's are while it does not run: they do nothing. */
  static void writeTools(Path shared) throws IOException {
    Path tools = Files.createDirectories(shared.resolve("bin"));
    for (String name : List.of("systemctl", "logger")) {
      Path tool = tools.resolve(name);
      Files.writeString(tool, "#!/bin/sh\nexit 0\n");
      Files.setPosixFilePermissions(tool, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  Path sysroot() {
    return work.resolve("at");
  }

  private Path run() {
    return work.resolve("run");
  }

  /** The deployment that runs. */
  Path booted() {
    return booted;
  }

  /** Its /var. */
  Path var() {
    return booted.resolveSibling("../var").normalize();
  }

  /** A command of {@code bootc}. */
  Command bootc(String... words) {
    return Command.of("unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", ENTER)
        .with("sh", work.resolve("root").toString(), sysroot().toString(), booted.toString())
        .with(var().toString(), run().toString(), shared.toString())
        .with(agent(words).argv().toArray(String[]::new))
        .environment("_ostree_unshared", "1")
        .environment("PATH", "/run/shared/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .timeout(LIMIT);
  }

  /** A command of {@code bootc} on this machine, in a JVM of its own. */
  static Command agent(String... words) {
    return Command.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dslipway.name=bootc",
            "-cp",
            product() + "/lib/*",
            MAIN)
        .with(words)
        .timeout(LIMIT);
  }

  /** The folder of what tools/prepare has built. */
  private static String product() {
    try {
      return Files.readString(Cli.ROOT.resolve(".slipway/current")).strip();
    } catch (IOException e) {
      throw new UncheckedIOException("the product is not built; call ./slipway --version", e);
    }
  }

  /** Keeps what is staged, so that another machine of the same disk has it. */
  void keepStaged(Path file) throws IOException {
    Path staged = run().resolve("ostree/staged-deployment");
    if (Files.exists(staged)) {
      Files.copy(staged, file, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** The other way. */
  void putStaged(Path file) throws IOException {
    if (Files.exists(file)) {
      Files.copy(file, run().resolve("ostree/staged-deployment"));
    }
  }

  boolean isStaged() {
    return Files.exists(run().resolve("ostree/staged-deployment"));
  }

  /** Writes back all that is not on the disk yet. */
  void sync() throws IOException {
    Posix.syncfs(OsPath.of(sysroot()));
    Posix.syncfs(OsPath.of(sysroot().resolve("boot")));
  }

  @Override
  public void close() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
    open.clear();
    Posix.removeTree(OsPath.of(work));
  }
}
