package slipway.host.deployment;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import slipway.base.FullDisk;
import slipway.base.Problem;
import slipway.host.system.HostEnvironment;
import slipway.linux.mount.MountTable;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;

/**
 * An overlay over {@code /usr} of the running system, which a reboot takes away; what {@code ostree
 * admin unlock} does, with its marks, so that ostree and the status tell it.
 */
public final class UsrOverlay {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  /**
   * Takes: the read-only mount of the sysroot or nothing, the deployment, its backing directory,
   * the mode of /usr, where to mount, the mount's options, and what to touch. Runs in a mount
   * namespace that shares what it mounts with the caller's, but not that the sysroot is writable in
   * it.
   */
  private static final String SCRIPT =
      """
      set -eu
      [ -z "$1" ] || mount -o remount,rw "$1"
      mkdir -p -m 0700 "$3"
      rm -rf "$3/usr-transient"
      mkdir -m "$4" "$3/usr-transient" "$3/usr-transient/upper" "$3/usr-transient/work"
      cd "$2"
      if [ -e /sys/fs/selinux/enforce ]; then
        chcon --reference=usr "$3/usr-transient/upper" "$3/usr-transient/work"
      fi
      exec 3<"$3/usr-transient"
      mount -t overlay -o "$6,lowerdir=usr,upperdir=/proc/self/fd/3/upper,workdir=/proc/self/fd/3/work" \
        overlay "$5"
      touch -c "$7/ostree/deploy" "$7/ostree/bootc" || :
      """;

  private final HostEnvironment host;

  public UsrOverlay(HostEnvironment host) {
    this.host = host;
  }

  /**
   * Lays it over.
   *
   * @param readOnly whether only a process with mounts of its own can make it writable
   * @throws Problem of kind INPUT when there is one already
   */
  public void mount(boolean readOnly) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    Deployment booted = sysroot.booted().orElseThrow(HostEnvironment::notInMenu);
    if (booted.unlocked() != Deployment.Unlocked.NO) {
      throw Problem.input(
          "/usr has an overlay already (" + booted.unlocked().word() + "); a reboot takes it away");
    }
    Path mark =
        booted.unlockedMark(
            host.run(), readOnly ? Deployment.Unlocked.TRANSIENT : Deployment.Unlocked.DEVELOPMENT);
    Files.createDirectories(mark.resolveSibling(""));
    Files.write(mark, new byte[0]);
    boolean done = false;
    try {
      overlay(sysroot, booted, readOnly);
      done = true;
    } finally {
      if (!done) {
        Files.deleteIfExists(mark);
      }
    }
    host.out()
        .accept(
            readOnly
                ? "An overlay is prepared for /usr, but is mounted read-only: a process with mounts"
                    + " of its own can remount it."
                : "Development mode enabled.  A writable overlayfs is now mounted on /usr.");
    host.out().accept("All changes there will be discarded on reboot.");
  }

  private void overlay(Sysroot sysroot, Deployment booted, boolean readOnly) throws IOException {
    Path physical = host.root().resolve("sysroot");
    boolean sealed = Files.isDirectory(physical) && Mounts.isReadOnly(OsPath.of(physical));
    Path deployment = sysroot.path(booted);
    Path target = host.root().resolve("usr");
    long before = mounts(target);
    Command script =
        Command.of("unshare", "--mount", "--propagation", "unchanged", "--")
            .with("sh", "-c", SCRIPT, "sh")
            .with(sealed ? physical.toString() : "")
            .with(deployment.toString(), sysroot.backing(booted).toString())
            .with(
                Integer.toOctalString(
                    Posix.stat(OsPath.of(deployment.resolve("usr"))).permissions()))
            .with(target.toString(), readOnly ? "ro" : "rw", sysroot.root().toString())
            .timeout(LIMIT);
    try {
      script.run();
    } catch (Problem e) {
      throw FullDisk.isSaidIn(e.details())
          ? new Problem(Problem.Kind.FULL, FullDisk.sentence(sysroot.backing(booted)), e)
          : e;
    }
    if (mounts(target) == before) {
      throw Problem.environment(
          "the overlay over /usr would be seen by this command alone: run it where mounts are"
              + " shared with the system, as they are in a login shell");
    }
  }

  private static long mounts(Path target) throws IOException {
    OsPath wanted = OsPath.of(target.toRealPath());
    return MountTable.points().stream().filter(wanted::equals).count();
  }
}
