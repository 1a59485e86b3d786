package slipway.host.update;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;
import slipway.base.AfterCommit;
import slipway.base.AtomicFile;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.host.system.HostEnvironment;
import slipway.linux.posix.OsPath;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.write.EtcMerge;

/** Tells the user, and whoever waits for changes of the machine, what was done. */
public final class HostVoice {
  private static final String REBOOT_REQUIRED = "reboot-required";

  private final HostEnvironment host;
  private final AfterCommit after;

  public HostVoice(HostEnvironment host, AfterCommit after) {
    this.host = host;
    this.after = after;
  }

  /** Prints a line. */
  public void say(String line) {
    host.out().accept(Printable.text(line));
  }

  /**
   * Refuses a reboot into what is staged that the shutdown could not finish: it would be for
   * nothing.
   *
   * @throws Problem of kind INPUT, {@link Problem#isAfterChange}
   */
  public void refuseUselessReboot(Sysroot sysroot) throws IOException {
    List<OsPath> conflicts = sysroot.etc().conflicts();
    if (!conflicts.isEmpty()) {
      throw Problem.input(
              "staged, but not rebooting: "
                  + EtcMerge.conflict(conflicts.getFirst())
                  + ": rename or remove /etc/"
                  + conflicts.getFirst()
                  + ", then reboot")
          .afterChange();
    }
  }

  /**
   * Tells tools that reboot machines at a good moment, such as kured, whether something else boots
   * next than what runs. Each change of the deployments is told.
   */
  public void tellReboot(Sysroot sysroot) {
    Optional<Deployment> next =
        sysroot
            .staged()
            .filter(d -> !d.locked())
            .or(() -> sysroot.deployments().stream().findFirst())
            .filter(d -> !d.booted());
    if (next.isEmpty()) {
      noRebootRequired();
    } else {
      after.attempt(
          "/run/reboot-required could not be written",
          () ->
              AtomicFile.write(
                  host.run().resolve(REBOOT_REQUIRED),
                  "bootc: Reboot required for image: "
                      + DeployedImage.digestOrChecksum(sysroot, next.get())));
    }
  }

  /** Whether it is told that something else boots next. */
  boolean requiresReboot() {
    return Files.exists(host.run().resolve(REBOOT_REQUIRED));
  }

  /** What runs goes on, or the reboot is on its way. */
  void noRebootRequired() {
    after.attempt(
        "/run/reboot-required still asks for a reboot",
        () -> Files.deleteIfExists(host.run().resolve(REBOOT_REQUIRED)));
  }

  /** Wakes the units that follow the machine's state. */
  public void touch() {
    after.attempt(
        "units that follow this machine's state are not told",
        () -> {
          Path directory = host.root().resolve("ostree/bootc");
          Files.createDirectories(directory);
          Files.setLastModifiedTime(directory, FileTime.from(host.clock().instant()));
        });
  }
}
