package slipway.sysroot.state;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.ostree.object.Checksum;
import slipway.sysroot.Sysroot;
import slipway.system.kargs.KernelArguments;

/**
 * One bootable version of the operating system on a machine: a checked-out commit with its own
 * {@code /etc}, and the boot entry that starts it. A snapshot; {@link Sysroot} changes things.
 *
 * @param stateroot the group of deployments that share a {@code /var}, usually {@code default}
 * @param checksum the commit
 * @param serial tells deployments of the same commit apart
 * @param bootChecksum sha256 of kernel and initramfs (and device trees), in hex
 * @param bootSerial tells deployments with the same kernel and initramfs apart
 * @param kargs kernel arguments without {@code ostree=}
 * @param entry the boot entry, or null when it has none yet, as a staged one
 * @param staged whether it waits for the shutdown to get its boot entry
 * @param locked whether a staged one is only downloaded: the shutdown leaves it alone
 */
@RecordBuilder
public record Deployment(
    String stateroot,
    Checksum checksum,
    int serial,
    String bootChecksum,
    int bootSerial,
    KernelArguments kargs,
    Origin origin,
    @Nullable BootEntry entry,
    boolean booted,
    boolean staged,
    boolean locked,
    Unlocked unlocked)
    implements DeploymentBuilder.With {
  /** Whether {@code /usr} can be written to. */
  public enum Unlocked {
    NO("none"),
    /** By a copy that stays until the next upgrade. */
    HOTFIX("hotfix"),
    /** By an overlay until reboot. */
    DEVELOPMENT("development"),
    /** By an overlay until reboot that only a process with its own mounts can write to. */
    TRANSIENT("transient");

    private final String word;

    Unlocked(String word) {
      this.word = word;
    }

    /** As ostree calls it. */
    public String word() {
      return word;
    }
  }

  /**
   * The file by which ostree knows of an overlay until reboot.
   *
   * @param run usually {@code /run}
   */
  public Path unlockedMark(Path run, Unlocked how) {
    return run.resolve("ostree/deployment-state").resolve(id()).resolve("unlocked-" + how.word());
  }

  /** Whether both are the same one on disk, whatever was learned about it. */
  public boolean isSame(@Nullable Deployment other) {
    return other != null
        && other.stateroot.equals(stateroot)
        && other.checksum.equals(checksum)
        && other.serial == serial;
  }

  /** The directory's name: commit, dot, serial. */
  public String id() {
    return checksum.hex() + "." + serial;
  }

  /** The directory below the sysroot. */
  public Path directory() {
    return Path.of("ostree/deploy", stateroot, "deploy", id());
  }

  /** Whether it is never removed to make room for another. */
  public boolean pinned() {
    return origin.pinned();
  }

  /** As it is once its boot entry, which so far has only other tools' keys, is to be written. */
  public Deployment finalized(BootEntry begun) {
    return with(d -> d.entry(begun).staged(false).locked(false));
  }

  @Override
  public String toString() {
    return stateroot + " " + id();
  }
}
