package slipway.host.update;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.AfterCommit;
import slipway.base.FileReason;
import slipway.base.Problem;
import slipway.host.status.SoftReboots;
import slipway.host.system.HostEnvironment;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;

/** How the next boot comes about: by the user, at once, or without the kernel starting anew. */
public final class NextBoot {
  /** Where ostree lists what is staged, else the default of the boot menu. */
  private static final int FIRST = 0;

  private final HostEnvironment host;
  private final AfterCommit after;
  private final HostVoice voice;
  private final SoftReboots possible;

  public NextBoot(HostEnvironment host, AfterCommit after, HostVoice voice) {
    this.host = host;
    this.after = after;
    this.voice = voice;
    this.possible = new SoftReboots(host);
  }

  /**
   * What was asked for.
   *
   * @param apply reboot at once
   * @param soft whether the running kernel is to go on; null when it starts anew
   */
  record Wish(boolean apply, Host.@Nullable SoftReboot soft) {
    static final Wish NONE = new Wish(false, null);

    /** Whether a restart is begun or prepared, which is something done. */
    boolean restarts() {
      return apply || soft != null;
    }

    boolean requiresSoft() {
      return soft == Host.SoftReboot.REQUIRED;
    }
  }

  /** Refuses at the very beginning what this machine can never do. */
  void refuseImpossible(Wish wish) throws IOException {
    Optional<String> hindrance = wish.requiresSoft() ? possible.hindrance() : Optional.empty();
    if (hindrance.isPresent()) {
      throw Problem.environment("this machine cannot soft-reboot: " + hindrance.get());
    }
  }

  /**
   * Refuses, before anything is changed, a deployment that the running kernel cannot go on with.
   */
  void refuse(Wish wish, Deployment target, Deployment booted) throws IOException {
    Optional<String> hindrance =
        wish.requiresSoft() ? possible.hindrance(target, booted) : Optional.empty();
    if (hindrance.isPresent()) {
      throw Problem.input(
          "Soft reboot was required but the deployment is not soft-reboot capable: "
              + hindrance.get()
              + "; nothing was changed");
    }
  }

  /** Takes back a soft reboot that was prepared, because something else comes next. */
  public void forgetSoftReboot() throws IOException {
    if (Files.exists(host.runState().nextRootFile())) {
      after.attempt(
          "a soft reboot that was prepared could not be taken back",
          host.system()::resetSoftReboot);
    }
  }

  /**
   * Prepares and begins the reboot that was asked for. What boots next is decided by then.
   *
   * @param target what boots next
   * @throws Problem that says so and is {@link Problem#isAfterChange}
   */
  void come(Wish wish, Sysroot sysroot, Deployment target) throws IOException {
    if (!wish.restarts()) {
      return;
    }
    if (target.staged()) {
      voice.refuseUselessReboot(sysroot);
    }
    try {
      boolean soft = wish.soft() != null && prepareSoftly(wish, sysroot, target);
      if (wish.apply()) {
        restart(soft);
      }
    } catch (IOException | Problem e) {
      voice.tellReboot(sysroot);
      throw new Problem(
              e instanceof Problem p ? p.kind() : Problem.Kind.ENVIRONMENT,
              "the next boot starts " + target + ", but " + FileReason.why(e),
              e)
          .afterChange();
    }
  }

  private void restart(boolean soft) {
    if (soft) {
      voice.noRebootRequired();
      host.system().softReboot();
    } else {
      host.system().reboot();
    }
  }

  private boolean prepareSoftly(Wish wish, Sysroot sysroot, Deployment target) throws IOException {
    Optional<String> hindrance = possible.hindrance(target, Host.requireBooted(sysroot));
    if (hindrance.isPresent()) {
      if (wish.requiresSoft()) {
        throw Problem.input("it needs a full reboot: " + hindrance.get());
      }
      return false;
    }
    voice.say(
        (target.staged() ? "Staged" : "Rollback")
            + " deployment is soft-reboot capable, preparing for soft-reboot...");
    try {
      host.system().prepareSoftReboot(FIRST);
      return true;
    } catch (IOException | Problem e) {
      if (wish.requiresSoft()) {
        throw new Problem(
            Problem.Kind.ENVIRONMENT, "it needs a full reboot: " + FileReason.why(e), e);
      }
      host.progress().note("warning: a full reboot is needed: " + FileReason.why(e));
      return false;
    }
  }
}
