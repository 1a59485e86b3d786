package slipway.host.update;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import slipway.base.AfterCommit;
import slipway.base.CommandValue;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.host.status.DeploymentChoice;
import slipway.host.status.HostStatus;
import slipway.host.status.StatusDocument;
import slipway.host.status.StatusReader;
import slipway.host.status.StatusText;
import slipway.host.system.HostEnvironment;
import slipway.host.system.PrivateMounts;
import slipway.linux.posix.Posix;
import slipway.oci.model.Digest;
import slipway.oci.model.Reference;
import slipway.sysroot.Finalization;
import slipway.sysroot.MirroredMenu;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;

/**
 * What the {@code bootc} command does on a machine: tells its state, brings and stages new images,
 * goes back to the one before, finalizes at shutdown. A change is staged or made by one rename (see
 * {@link Sysroot}); whatever fails before leaves the machine as it was.
 */
public final class Host {
  private final HostEnvironment host;
  private final HostVoice voice;
  private final NextBoot nextBoot;
  private final ImageStaging staging;

  private Host(HostEnvironment host, ProgressStream stream) {
    this.host = host;
    AfterCommit after = new AfterCommit(host.progress()::note);
    this.voice = new HostVoice(host, after);
    this.nextBoot = new NextBoot(host, after, voice);
    this.staging = new ImageStaging(host, after, voice, nextBoot, stream);
  }

  public static Host of(HostEnvironment environment) {
    return of(environment, ProgressStream.NONE);
  }

  /** As {@link #of(HostEnvironment)}, telling another program how far an upgrade is. */
  public static Host of(HostEnvironment environment, ProgressStream stream) {
    return new Host(environment, stream);
  }

  /** How a status is written. */
  public enum Format {
    HUMANREADABLE,
    YAML,
    JSON
  }

  /** Whether the running kernel is to go on with the next deployment (systemd's soft reboot). */
  public enum SoftReboot {
    /** It is, or nothing is changed. */
    REQUIRED,
    /** Where it can; a full reboot otherwise. */
    AUTO
  }

  /**
   * What must be, or nothing is changed.
   *
   * @param softReboot whether the running kernel is to go on with what is staged; null when it
   *     starts anew
   * @param digest of the manifest that the image's name must lead to; null for any
   * @param pinned whether the image's name must hold a digest itself, and so must those of the
   *     images that are bound to it
   */
  public record Demands(@Nullable SoftReboot softReboot, @Nullable Digest digest, boolean pinned) {
    /** Whatever there is, by a full reboot. */
    public static final Demands NONE = new Demands(null, null);

    /** Without a demand on names. */
    public Demands(@Nullable SoftReboot softReboot, @Nullable Digest digest) {
      this(softReboot, digest, false);
    }
  }

  /**
   * What an upgrade is to do.
   *
   * @param check only tell whether there is something newer
   * @param apply reboot when something is queued
   * @param downloadOnly stage it so that the shutdown leaves it alone
   * @param fromDownloaded let the shutdown apply what is downloaded, without asking a registry
   * @param tag another tag of the image to follow, or null
   * @param from {@code TRANSPORT:PLACE} to fetch this time's image from, while the machine goes on
   *     to follow what it follows; null for the place that it follows
   */
  public record UpgradeOptions(
      boolean check,
      boolean apply,
      boolean downloadOnly,
      boolean fromDownloaded,
      @Nullable String tag,
      @Nullable String from,
      Demands demands) {
    public UpgradeOptions {
      if (demands.softReboot() != null && (check || downloadOnly)) {
        throw Problem.usage("--soft-reboot excludes --check and --download-only");
      }
      if (check && apply) {
        throw Problem.usage("--check and --apply exclude each other");
      }
      if (downloadOnly && (apply || fromDownloaded)) {
        throw Problem.usage("--download-only excludes --apply and --from-downloaded");
      }
      if (fromDownloaded
          && (check || tag != null || demands.digest() != null || demands.pinned())) {
        throw Problem.usage("--from-downloaded excludes --check, --tag and --require-digest");
      }
      if (from != null && (fromDownloaded || tag != null)) {
        throw Problem.usage("--from excludes --from-downloaded and --tag");
      }
      if (tag != null) {
        CommandValue.of("--tag", () -> Reference.parse("registry.example/os").withTag(tag));
      }
      if (from != null) {
        ImagePlace.parse(from);
      }
    }

    /** From the place that the machine follows, whatever is there. */
    public UpgradeOptions(
        boolean check,
        boolean apply,
        boolean downloadOnly,
        boolean fromDownloaded,
        @Nullable String tag) {
      this(check, apply, downloadOnly, fromDownloaded, tag, null, Demands.NONE);
    }

    /** Fetch and stage. */
    public static final UpgradeOptions NONE = new UpgradeOptions(false, false, false, false, null);
  }

  /**
   * What to switch to.
   *
   * @param target an image's name in the notation of its transport
   * @param transport usually {@code registry}
   * @param apply reboot when something is queued
   * @param retain keep the image that is followed so far
   * @param once for one time: updates follow what they follow so far
   * @param signed only when it is signed as the machine's policy demands, and so its updates
   */
  public record SwitchOptions(
      String target,
      String transport,
      boolean apply,
      boolean retain,
      boolean once,
      boolean signed,
      Demands demands) {
    /** To an image in a registry. */
    public static SwitchOptions to(String image) {
      return to(image, "registry");
    }

    /** To an image of any transport. */
    public static SwitchOptions to(String image, String transport) {
      return new SwitchOptions(image, transport, false, false, false, false, Demands.NONE);
    }

    public SwitchOptions {
      target = checked(target, transport);
    }

    private static String checked(String target, String transport) {
      if (transport.equals("registry")) {
        ImagePlace.requireName(target);
        return target;
      }
      ImagePlace.requireKnown("--transport " + transport, transport);
      return ImagePlace.fromAnywhere(transport, target);
    }

    /** The same, signed or not. */
    public SwitchOptions signed(boolean must) {
      return new SwitchOptions(target, transport, apply, retain, once, must, demands);
    }

    ContainerReference reference() {
      return new ContainerReference(
          signed
              ? ContainerReference.Signature.CONTAINER_POLICY
              : ContainerReference.Signature.UNVERIFIED,
          "",
          transport,
          target);
    }
  }

  /**
   * Runs a command that changes the machine where it may write: as root, in a mount namespace of
   * its own with {@code /sysroot} and {@code /boot} writable. The process starts itself anew for
   * that, so call this before anything else and end with what it returns.
   *
   * @return the exit code
   * @throws Problem when this is no machine to change, or not root
   */
  public int privately(Callable<Integer> work) throws Exception {
    host.requireHost();
    return PrivateMounts.run(host, work);
  }

  // ---- status ----

  public HostStatus status() throws IOException {
    return StatusReader.read(host);
  }

  /**
   * The status as text.
   *
   * @param bootedOnly only the booted entry
   */
  public String status(Format format, boolean verbose, boolean bootedOnly) throws IOException {
    HostStatus status = bootedOnly ? status().onlyBooted() : status();
    return switch (format) {
      case JSON -> StatusDocument.json(status);
      case YAML -> StatusDocument.yaml(status);
      case HUMANREADABLE -> StatusText.render(status, verbose, unicode(host.variables()));
    };
  }

  /** Whether the locale shows more than ASCII. */
  public boolean unicode() {
    return unicode(host.variables());
  }

  /** Whether the locale shows more than ASCII; one that is not set does. */
  static boolean unicode(Map<String, String> variables) {
    // The launcher keeps the first for the locale that it found, which it changes for Java.
    for (String name : List.of("SLIPWAY_LOCALE", "LC_ALL", "LC_CTYPE", "LANG")) {
      String value = variables.getOrDefault(name, "");
      if (!value.isEmpty()) {
        String lower = value.toLowerCase(Locale.ROOT);
        return !lower.equals("c") && !lower.equals("posix");
      }
    }
    return true;
  }

  // ---- upgrade ----

  /**
   * Follows the image that the machine follows.
   *
   * @return whether there is something new: staged, unlocked or, with check, to be had
   */
  public boolean upgrade(UpgradeOptions options) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    return new ChangeGuard(sysroot).run(() -> upgrade(sysroot, options));
  }

  private boolean upgrade(Sysroot sysroot, UpgradeOptions options) throws IOException {
    Deployment booted = requireBooted(sysroot);
    NextBoot.Wish wish = new NextBoot.Wish(options.apply(), options.demands().softReboot());
    nextBoot.refuseImpossible(wish);
    if (options.fromDownloaded()) {
      nextBoot.refuse(wish, requireStaged(sysroot), booted);
      boolean unlocked = unlock(sysroot);
      nextBoot.come(wish, sysroot, requireStaged(sysroot));
      return unlocked || wish.restarts();
    }
    ContainerReference image = followed(sysroot);
    if (options.tag() != null) {
      image = ImagePlace.withTag(image, options.tag());
    }
    ContainerReference place = image;
    if (options.from() != null) {
      requireUnverified(image, "--from");
      place = ImagePlace.parse(options.from());
    }
    ImagePull.Wanted wanted = ImagePull.Wanted.of(place, image, options.demands());
    ImageStaging.How how = new ImageStaging.How(options.downloadOnly(), false, wish);
    try (ImagePull pull = ImagePull.prepare(host, sysroot.repository(), wanted)) {
      return options.check()
          ? staging.check(sysroot, image, pull)
          : staging.upgrade(sysroot, image, pull, how);
    }
  }

  /** Another place must not be a way around the signatures that a machine's images need. */
  private void requireUnverified(ContainerReference followed, String option) throws IOException {
    if (followed.signature() != ContainerReference.Signature.UNVERIFIED || !isFree(followed)) {
      throw Problem.denied(
          option
              + ": this machine follows "
              + Printable.text(followed.toString())
              + ", whose signature is verified; nothing verifies that of another place");
    }
  }

  /** Whether the machine's policy lets any image of this name in. */
  private boolean isFree(ContainerReference image) throws IOException {
    return !image.transport().equals("registry")
        || host.images().isFree(Reference.parse(image.name()).orLatest());
  }

  /**
   * The deployment that runs.
   *
   * @throws Problem of kind ENVIRONMENT when it is not in the boot menu
   */
  public static Deployment requireBooted(Sysroot sysroot) {
    return sysroot.booted().orElseThrow(HostEnvironment::notInMenu);
  }

  /** The image that is staged, else the one that runs. */
  private static ContainerReference followed(Sysroot sysroot) {
    Deployment current = sysroot.staged().orElseGet(() -> requireBooted(sysroot));
    if (current.origin().modifiedByRpmOstree()) {
      throw Problem.input(
          "Deployment contains local rpm-ostree modifications; cannot upgrade via bootc. You can"
              + " run `rpm-ostree reset` to undo the modifications.");
    }
    return current.origin().container().orElseThrow(() -> noSource(current));
  }

  private static Problem noSource(Deployment current) {
    String damage = current.origin().damage();
    return Problem.input(
        damage == null
            ? "No image source specified"
            : "No image source specified: " + damage + "; name the image by bootc switch");
  }

  private static Deployment requireStaged(Sysroot sysroot) {
    return sysroot.staged().orElseThrow(() -> Problem.input("No staged deployment found"));
  }

  private boolean unlock(Sysroot sysroot) throws IOException {
    Deployment staged = requireStaged(sysroot);
    host.system().startFinalizer();
    if (staged.locked()) {
      sysroot.setStagedLocked(false);
      voice.tellReboot(sysroot);
      voice.say("Staged deployment will now be applied on reboot");
    } else {
      voice.say("Staged deployment is already set to apply on reboot");
    }
    return staged.locked();
  }

  // ---- switch ----

  /**
   * Follows another image from now on, or takes it for this one time.
   *
   * @return whether something was staged, or dropped
   */
  public boolean switchTo(SwitchOptions options) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    return new ChangeGuard(sysroot).run(() -> switchTo(sysroot, options));
  }

  private boolean switchTo(Sysroot sysroot, SwitchOptions options) throws IOException {
    Deployment booted = requireBooted(sysroot);
    NextBoot.Wish wish = new NextBoot.Wish(options.apply(), options.demands().softReboot());
    nextBoot.refuseImpossible(wish);
    ContainerReference target = options.reference();
    ContainerReference image = options.once() ? followed(sysroot) : target;
    if (options.once()) {
      requireUnverified(image, "--once");
    }
    Digest digest = options.demands().digest();
    Deployment current = sysroot.staged().orElse(booted);
    boolean followedAlready =
        !options.once() && current.origin().container().equals(Optional.of(target));
    if (followedAlready && digest == null && !options.demands().pinned()) {
      voice.say("Image specification is unchanged.");
      if (sysroot.staged().isPresent()) {
        host.system().startFinalizer();
        staging.finish(sysroot, current, options.retain());
        nextBoot.come(wish, sysroot, current);
        return wish.restarts();
      }
      return false;
    }
    ImagePull.Wanted wanted = ImagePull.Wanted.of(target, image, options.demands());
    ImageStaging.How how = new ImageStaging.How(false, options.retain(), wish);
    try (ImagePull pull = ImagePull.prepare(host, sysroot.repository(), wanted)) {
      if (followedAlready) {
        return staging.upgrade(sysroot, image, pull, how);
      }
      pull.tellPresent();
      if (staging.goBackToBooted(sysroot, image, pull, options.retain())) {
        return true;
      }
      staging.stage(sysroot, image, pull, how);
    }
    if (!options.retain()) {
      staging.forgetRef(sysroot, booted);
    }
    nextBoot.come(wish, sysroot, requireStaged(sysroot));
    return true;
  }

  /**
   * Makes the newest deployment follow another image and fetches nothing: for installers, which
   * call this in a system that is not booted.
   *
   * @param options which image, and whether it must be signed; nothing else of them counts
   */
  public void switchInPlace(SwitchOptions options) throws IOException {
    if (Posix.geteuid() != 0) {
      throw Problem.denied("This command must be executed as the root user");
    }
    ContainerReference image = options.reference();
    String changed =
        host.runState().booted()
            ? OriginInPlace.ofBooted(host.sysroot(), image)
            : OriginInPlace.ofInstalled(host.root(), image);
    voice.say("Updated " + changed + " to pull from " + image.image());
  }

  // ---- rollback ----

  /**
   * Which deployment boots next.
   *
   * @param to its index, commit or digest as {@link DeploymentChoice} takes it, or null for the one
   *     before
   * @param apply reboot at once
   * @param keepStaged make an entry of the menu of what is staged, instead of dropping it
   * @param noHold let unattended updates bring again what is left
   * @param softReboot whether the running kernel is to go on with it; null when it starts anew
   */
  public record RollbackOptions(
      @Nullable String to,
      boolean apply,
      boolean keepStaged,
      boolean noHold,
      @Nullable SoftReboot softReboot) {
    /** By a full reboot. */
    public RollbackOptions(@Nullable String to, boolean apply, boolean keepStaged, boolean noHold) {
      this(to, apply, keepStaged, noHold, null);
    }

    /** To the one before. */
    public static final RollbackOptions NONE = new RollbackOptions(null, false, false, false);
  }

  /**
   * What a rollback came to.
   *
   * @param stateroot of what boots next
   * @param checksum its commit, which with the serial names it
   * @param image its digest, or null when it was not made of an image
   * @param reverted whether an earlier rollback was taken back
   * @param dropped whether something that was staged is gone
   * @param held digests that unattended updates leave out now because of it
   */
  public record RolledBack(
      String stateroot,
      String checksum,
      int serial,
      @Nullable String image,
      boolean reverted,
      boolean dropped,
      List<String> held) {
    public RolledBack {
      held = List.copyOf(held);
    }
  }

  /** Makes another deployment the one of the next boot; a second call takes that back. */
  public RolledBack rollback(RollbackOptions options) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    return new ChangeGuard(sysroot)
        .run(() -> new Rollback(host, voice, nextBoot, sysroot).run(options));
  }

  /** As {@link #rollback(RollbackOptions)} to the one before. */
  public void rollback(boolean apply) throws IOException {
    rollback(new RollbackOptions(null, apply, false, false));
  }

  /**
   * Goes back because a new deployment did not prove well: the other one boots from now on.
   *
   * @param bad the new one, first in the boot menu
   * @param good the one behind it
   * @param reason why, without a full stop
   */
  public void rollBackAutomatically(Sysroot sysroot, Deployment bad, Deployment good, String reason)
      throws IOException {
    new Rollback(host, voice, nextBoot, sysroot).automatic(bad, good, reason);
  }

  // ---- check ----

  /**
   * Hashes every object of the repository, compares deployments and kernels with them, and tells
   * what is broken.
   *
   * @param repair whether broken objects are fetched again, by the digests of the layers that hold
   *     them
   * @throws Problem of kind CORRUPT when something is broken at the end
   */
  public void fsck(boolean repair) throws IOException {
    examine(repair).requireSound();
  }

  /** As {@link #fsck}, and gives what is broken instead of failing for it. */
  public FsckOutcome examine(boolean repair) throws IOException {
    host.requireHost();
    return new MachineFsck(host, host.sysroot()).tell(repair, voice);
  }

  // ---- shutdown ----

  /** Makes the staged deployment the one of the next boot; the shutdown's unit calls this. */
  public Finalization finalizeStaged() throws IOException {
    host.requireHost();
    return new Shutdown(host, voice).finalizeStaged(host.sysroot());
  }

  /**
   * Brings the boot menu that systemd-boot reads up to date, on machines that this starts; a unit
   * calls this.
   */
  public void mirrorBootMenu() throws IOException {
    host.requireHost();
    if (new MirroredMenu(host.sysroot()).update()) {
      voice.say("The boot menu on the EFI system partition is that of /boot again");
    }
  }
}
