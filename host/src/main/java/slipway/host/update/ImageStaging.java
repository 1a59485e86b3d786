package slipway.host.update;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import slipway.base.AfterCommit;
import slipway.base.Problem;
import slipway.host.status.BoundImages;
import slipway.host.status.JournalEntry;
import slipway.host.system.BoundStore;
import slipway.host.system.HostEnvironment;
import slipway.host.system.ImagesInUse;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.ostree.object.Checksum;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Origin;

/** Brings an image and stages it for the next boot, or finds that nothing has to be done. */
final class ImageStaging {
  private static final String STILL_SHOWN = "the status still shows an update";

  private final HostEnvironment host;
  private final AfterCommit after;
  private final HostVoice voice;
  private final NextBoot nextBoot;
  private final ProgressStream stream;

  ImageStaging(
      HostEnvironment host,
      AfterCommit after,
      HostVoice voice,
      NextBoot nextBoot,
      ProgressStream stream) {
    this.host = host;
    this.after = after;
    this.voice = voice;
    this.nextBoot = nextBoot;
    this.stream = stream;
  }

  /**
   * How an image is staged.
   *
   * @param lock whether the shutdown leaves it alone
   * @param retain whether images that nothing needs any more are kept
   */
  record How(boolean lock, boolean retain, NextBoot.Wish wish) {}

  /** What an upgrade has to do. */
  private enum Step {
    /** What runs is the image, and nothing else waits. */
    NOTHING,
    /** What is staged is the image. */
    KEEP_STAGED,
    /** What runs is the image, another one waits for the shutdown, and nothing else is lost. */
    DROP_STAGED,
    STAGE
  }

  private static Step step(Sysroot sysroot, ContainerReference image, ImagePull pull)
      throws IOException {
    Optional<Deployment> staged = sysroot.staged();
    if (staged.isPresent() && isOf(sysroot, staged.get(), image, pull)) {
      return Step.KEEP_STAGED;
    }
    if (!isOf(sysroot, Host.requireBooted(sysroot), image, pull)) {
      return Step.STAGE;
    }
    if (staged.isEmpty()) {
      return Step.NOTHING;
    }
    return sysroot.isBootedWithoutStaged() ? Step.DROP_STAGED : Step.STAGE;
  }

  /** Whether a deployment is of this image and follows it. */
  private static boolean isOf(
      Sysroot sysroot, Deployment deployment, ContainerReference image, ImagePull pull)
      throws IOException {
    return deployment.origin().container().equals(Optional.of(image))
        && sysroot
            .repository()
            .readableCommit(deployment.checksum())
            .filter(pull::isImageOf)
            .isPresent();
  }

  /** Tells whether there is something newer, and returns it. */
  boolean check(Sysroot sysroot, ContainerReference image, ImagePull pull) throws IOException {
    Step step = step(sysroot, image, pull);
    if (step != Step.STAGE) {
      voice.say("No changes in: " + DeployedImage.display(image));
      if (step == Step.DROP_STAGED) {
        voice.say("  The staged deployment is another one; an upgrade drops it.");
      }
      forgetCached(sysroot, pull);
      return false;
    }
    pull.check();
    voice.say("Update available for: " + DeployedImage.display(image));
    tellVersion(pull);
    if (HeldImages.has(sysroot, pull)) {
      voice.say("  Held back: this machine was rolled back from it.");
    }
    Deployment booted = Host.requireBooted(sysroot);
    DeployedImage.manifestOf(sysroot, booted).ifPresent(pull::tellDifference);
    after.attempt("the status will not show the update", () -> pull.cache(booted.checksum()));
    voice.touch();
    return true;
  }

  private void forgetCached(Sysroot sysroot, ImagePull pull) {
    after.attempt(STILL_SHOWN, () -> pull.forgetCached(Host.requireBooted(sysroot).checksum()));
  }

  /** Does what an upgrade has to do, and returns whether that was anything. */
  boolean upgrade(Sysroot sysroot, ContainerReference image, ImagePull pull, How how)
      throws IOException {
    NextBoot.Wish wish = how.wish();
    Step step = step(sysroot, image, pull);
    pull.tellPresent();
    if (step == Step.STAGE && host.unattended() && HeldImages.has(sysroot, pull)) {
      voice.say(
          "Update held back: this machine was rolled back from "
              + pull.digest()
              + "; bootc upgrade brings it all the same.");
      return false;
    }
    return switch (step) {
      case NOTHING -> {
        voice.say("No update available.");
        forgetCached(sysroot, pull);
        after.attempt("an image bound to what runs is missing", () -> completeBound(sysroot, pull));
        yield false;
      }
      case KEEP_STAGED -> {
        Deployment staged = sysroot.staged().orElseThrow();
        nextBoot.refuse(wish, staged, Host.requireBooted(sysroot));
        boolean changed = keepStaged(sysroot, staged, how.lock());
        finish(sysroot, staged, how.retain());
        nextBoot.come(wish, sysroot, staged);
        yield changed || wish.restarts();
      }
      case DROP_STAGED -> {
        dropStaged(
            sysroot, "No update available: the booted image is the newest again.", how.retain());
        forgetCached(sysroot, pull);
        yield true;
      }
      case STAGE -> {
        Deployment staged = stage(sysroot, image, pull, how);
        after.attempt(
            "what the image differs in is not told",
            () ->
                DeployedImage.manifestOf(sysroot, Host.requireBooted(sysroot))
                    .ifPresent(pull::tellDifference));
        nextBoot.come(wish, sysroot, staged);
        yield true;
      }
    };
  }

  /**
   * Drops what is staged when the image that runs is wanted in its place: a copy of what runs would
   * only push what was before it out of the menu.
   *
   * @param retain whether images that nothing needs any more are kept
   * @return whether it was
   */
  boolean goBackToBooted(Sysroot sysroot, ContainerReference image, ImagePull pull, boolean retain)
      throws IOException {
    if (step(sysroot, image, pull) != Step.DROP_STAGED) {
      return false;
    }
    dropStaged(sysroot, "The booted image is the wanted one: it boots again.", retain);
    return true;
  }

  /** The booted image is what is wanted again. */
  private void dropStaged(Sysroot sysroot, String why, boolean retain) throws IOException {
    String dropped = DeployedImage.describe(sysroot, sysroot.staged().orElseThrow());
    sysroot.dropStaged(nextBoot::forgetSoftReboot);
    voice.say(why);
    voice.say("Dropped the staged deployment of " + dropped);
    if (!retain) {
      collect(sysroot);
    }
    voice.tellReboot(sysroot);
    voice.touch();
  }

  private boolean keepStaged(Sysroot sysroot, Deployment staged, boolean downloadOnly)
      throws IOException {
    host.system().startFinalizer();
    if (staged.locked() == downloadOnly) {
      voice.say("Staged update present, not changed");
      return false;
    }
    sysroot.setStagedLocked(downloadOnly);
    voice.tellReboot(sysroot);
    voice.touch();
    voice.say(
        downloadOnly
            ? "Image downloaded, but will not be applied on reboot"
            : "Staged deployment will now be applied on reboot");
    return true;
  }

  /**
   * Fetches, checks and stages; the last step is the one that counts.
   *
   * @return what is staged
   */
  Deployment stage(Sysroot sysroot, ContainerReference image, ImagePull pull, How how)
      throws IOException {
    pull.check();
    host.system().startFinalizer();
    Deployment staged;
    try (Flock fetched = ImagesInUse.fetching(host)) {
      Checksum commit = pull.fetch(stream);
      stream.staging(pull.digest(), 0);
      tellStaging(image, pull);
      Deployment booted = Host.requireBooted(sysroot);
      Origin followed = booted.origin().withContainer(image.toString());
      Origin origin =
          pull.place().equals(image) ? followed : followed.withDeployed(pull.place().toString());
      stream.staging(pull.digest(), 1);
      bringBound(sysroot, commit, pull);
      stream.staging(pull.digest(), 2);
      staged =
          sysroot.stage(
              DeploySpec.upgrade(booted, commit, origin),
              how.lock(),
              created -> admit(how.wish(), created, booted));
    } catch (IOException | RuntimeException e) {
      discard(sysroot, e);
      throw e;
    }
    // It is staged; nothing below may fail any more.
    release(sysroot);
    stream.staging(pull.digest(), 3);
    if (!how.retain()) {
      collect(sysroot);
    }
    stream.staging(pull.digest(), 4);
    forgetCached(sysroot, pull);
    voice.say("Queued for next boot: " + DeployedImage.shortDisplay(pull.place()));
    tellVersion(pull);
    if (!pull.place().equals(image)) {
      voice.say("  Updates still follow: " + DeployedImage.shortDisplay(image));
    }
    after.attempt(
        "it was not looked at what of /opt and /usr/local is no longer seen",
        () -> HiddenSoftware.of(host, sysroot, staged).forEach(host.progress()::note));
    voice.tellReboot(sysroot);
    voice.touch();
    if (how.lock()) {
      voice.say("Image downloaded, but will not be applied on reboot");
    }
    return staged;
  }

  private void release(Sysroot sysroot) {
    after.attempt("the image is still held back", () -> HeldImages.release(sysroot));
  }

  /**
   * Does what comes after staging when a process was ended before it: that a reboot is required is
   * told last, so where nobody is told, the rest may be missing, too.
   *
   * @param retain whether images that nothing needs any more are kept
   */
  void finish(Sysroot sysroot, Deployment staged, boolean retain) {
    if (staged.locked() || voice.requiresReboot()) {
      return;
    }
    release(sysroot);
    if (!retain) {
      collect(sysroot);
    }
    after.attempt(
        STILL_SHOWN,
        () -> ImagePull.forgetCached(sysroot.repository(), Host.requireBooted(sysroot).checksum()));
    voice.tellReboot(sysroot);
    voice.touch();
  }

  /** What an installation skipped, or somebody removed. */
  private void completeBound(Sysroot sysroot, ImagePull pull) throws IOException {
    List<String> bound = BoundImages.read(OsPath.of(sysroot.path(Host.requireBooted(sysroot))));
    if (!bound.isEmpty()) {
      try (Flock fetched = ImagesInUse.fetching(host)) {
        BoundStore.of(host).bring(bound, BoundStore.From.REGISTRIES, pull.source());
      }
    }
  }

  /** Fetches what is bound to an image, so that it never boots without that. */
  private void bringBound(Sysroot sysroot, Checksum commit, ImagePull pull) throws IOException {
    List<String> bound = BoundImages.of(sysroot.repository().readTree(commit));
    pull.requirePinned(bound);
    BoundStore store = BoundStore.of(host);
    if (bound.isEmpty()) {
      after.attempt(
          "podman finds no folder of bound images",
          () -> store.bring(bound, BoundStore.From.REGISTRIES));
    } else {
      store.bring(bound, BoundStore.From.REGISTRIES, pull.source());
      voice.say("Bound images stored: " + bound.size());
    }
  }

  /** The last word before anything is changed. */
  private void admit(NextBoot.Wish wish, Deployment created, Deployment booted) throws IOException {
    nextBoot.refuse(wish, created, booted);
    nextBoot.forgetSoftReboot();
  }

  /** A machine of plain ostree follows an image now; its deployment is kept without the ref. */
  void forgetRef(Sysroot sysroot, Deployment booted) {
    booted
        .origin()
        .refspec()
        .ifPresent(
            ref ->
                after.attempt(
                    "the ref " + ref + " still keeps its commit",
                    () -> sysroot.repository().forgetRef(ref)));
  }

  /** Removes images that nothing needs; what is staged counts more than what cannot be removed. */
  private void collect(Sysroot sysroot) {
    after.attempt("old images could not be removed", () -> ImageRefs.collect(host, sysroot));
  }

  private void tellStaging(ContainerReference image, ImagePull pull) {
    String message =
        "Staging image for deployment: " + image.image() + " (digest: " + pull.digest() + ")";
    JournalEntry.of(JournalEntry.STAGE, message)
        .with("BOOTC_IMAGE_REFERENCE", image.name())
        .with("BOOTC_IMAGE_TRANSPORT", image.transport())
        .with("BOOTC_MANIFEST_DIGEST", pull.digest().toString())
        .send(host.system());
  }

  /**
   * Takes away what was fetched in vain. Only after a failure of the network the layers that came
   * whole stay, so that the next attempt need not fetch them again.
   */
  private void discard(Sysroot sysroot, Exception failure) {
    if (failure instanceof Problem p && p.kind() == Problem.Kind.UNAVAILABLE) {
      return;
    }
    try {
      sysroot.reload();
      ImageRefs.collect(host, sysroot);
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  private void tellVersion(ImagePull pull) throws IOException {
    pull.version().ifPresent(version -> voice.say("  Version: " + version));
    voice.say("  Digest: " + pull.digest());
  }
}
