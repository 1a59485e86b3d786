package slipway.host.deployment;

import java.io.IOException;
import slipway.base.AfterCommit;
import slipway.base.Problem;
import slipway.host.status.DeploymentChoice;
import slipway.host.system.HostEnvironment;
import slipway.host.update.DeployedImage;
import slipway.host.update.HostVoice;
import slipway.host.update.ImageRefs;
import slipway.host.update.NextBoot;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;

/** Which of a machine's deployments stay, and which go. */
public final class Deployments {
  private final HostEnvironment host;
  private final AfterCommit after;
  private final HostVoice voice;

  public Deployments(HostEnvironment host) {
    this.host = host;
    this.after = new AfterCommit(host.progress()::note);
    this.voice = new HostVoice(host, after);
  }

  /**
   * A deployment that something was done to.
   *
   * @param index where it stood, as {@code ostree admin status} counts
   * @param commit and serial name it on disk
   * @param image its name and digest, for people
   */
  public record Named(
      int index, String stateroot, String commit, int serial, String image, boolean pinned) {
    static Named of(Sysroot sysroot, Deployment d) throws IOException {
      return new Named(
          DeploymentChoice.index(sysroot, d),
          d.stateroot(),
          d.checksum().hex(),
          d.serial(),
          DeployedImage.describe(sysroot, d),
          d.pinned());
    }
  }

  /**
   * Keeps a deployment whatever comes, or no longer, as {@code ostree admin pin} does.
   *
   * @param word which, as {@link DeploymentChoice#find} takes it
   */
  public Named pin(String word, boolean pinned) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    Deployment d = DeploymentChoice.find(sysroot, word);
    int index = DeploymentChoice.index(sysroot, d);
    if (d.pinned() == pinned) {
      voice.say("Deployment " + index + " is already " + (pinned ? "pinned" : "unpinned"));
    } else {
      sysroot.setPinned(d, pinned);
      voice.say(
          "Deployment "
              + index
              + " is now "
              + (pinned ? "pinned: " : "unpinned: ")
              + DeployedImage.describe(sysroot, d));
      voice.touch();
    }
    return Named.of(sysroot, d.withOrigin(d.origin().withPinned(pinned)));
  }

  /**
   * Removes a deployment and what it alone needs; never the running one.
   *
   * @param word as for {@link #pin}
   */
  public Named delete(String word) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    Deployment d = findOrTidy(sysroot, word);
    if (d.booted()) {
      throw Problem.input(
          "the booted deployment cannot be deleted; boot another one first: bootc rollback");
    }
    Named gone = Named.of(sysroot, d);
    NextBoot nextBoot = new NextBoot(host, after, voice);
    if (d.staged()) {
      sysroot.dropStaged(nextBoot::forgetSoftReboot);
    } else {
      sysroot.remove(d, nextBoot::forgetSoftReboot);
    }
    voice.tellReboot(sysroot);
    voice.say("Deleted deployment " + gone.index() + ": " + gone.image());
    collect(sysroot);
    voice.touch();
    return gone;
  }

  /** Where there is none any more, a kill may have left what the menu has already lost. */
  private Deployment findOrTidy(Sysroot sysroot, String word) throws IOException {
    try {
      return DeploymentChoice.find(sysroot, word);
    } catch (Problem e) {
      if (e.kind() == Problem.Kind.NOT_FOUND) {
        collect(sysroot);
      }
      throw e;
    }
  }

  private void collect(Sysroot sysroot) {
    after.attempt("old images could not be removed", () -> ImageRefs.collect(host, sysroot));
  }

  /** How many deployments stay beside the booted one when an update is made. */
  public int keep() throws IOException {
    return host.sysroot().settings().keep();
  }

  /** Sets {@link #keep()}, from the next update on. */
  public void keep(int number) throws IOException {
    host.requireHost();
    host.sysroot().changeSettings(settings -> settings.withKeep(number));
    voice.say(
        "Keeping "
            + number
            + (number == 1 ? " deployment" : " deployments")
            + " beside the booted one from the next update on, pinned ones not counted");
  }
}
