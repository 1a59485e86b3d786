package slipway.host.update;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import slipway.base.AfterCommit;
import slipway.base.Problem;
import slipway.host.status.DeploymentChoice;
import slipway.host.status.HostStatus;
import slipway.host.status.JournalEntry;
import slipway.host.status.StatusDocument;
import slipway.host.status.StatusReader;
import slipway.host.status.StatusText;
import slipway.host.system.HostEnvironment;
import slipway.host.system.PrivateMounts;
import slipway.oci.model.Reference;
import slipway.sysroot.Finalization;
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
  private final ImageStaging staging;

  private Host(HostEnvironment host) {
    this.host = host;
    AfterCommit after = new AfterCommit(host.progress()::note);
    this.voice = new HostVoice(host, after);
    this.staging = new ImageStaging(host, after, voice);
  }

  public static Host of(HostEnvironment environment) {
    return new Host(environment);
  }

  /** How a status is written. */
  public enum Format {
    HUMANREADABLE,
    YAML,
    JSON
  }

  /**
   * What an upgrade is to do.
   *
   * @param check only tell whether there is something newer
   * @param apply reboot when something is queued
   * @param downloadOnly stage it so that the shutdown leaves it alone
   * @param fromDownloaded let the shutdown apply what is downloaded, without asking a registry
   * @param tag another tag of the image to follow, or null
   */
  public record UpgradeOptions(
      boolean check,
      boolean apply,
      boolean downloadOnly,
      boolean fromDownloaded,
      @Nullable String tag) {
    public UpgradeOptions {
      if (check && apply) {
        throw Problem.usage("--check and --apply exclude each other");
      }
      if (downloadOnly && (apply || fromDownloaded)) {
        throw Problem.usage("--download-only excludes --apply and --from-downloaded");
      }
      if (fromDownloaded && (check || tag != null)) {
        throw Problem.usage("--from-downloaded excludes --check and --tag");
      }
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
   */
  public record SwitchOptions(String target, String transport, boolean apply, boolean retain) {
    /** To an image in a registry. */
    public static SwitchOptions to(String image) {
      return new SwitchOptions(image, "registry", false, false);
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

  /** Follows the image that the machine follows. */
  public void upgrade(UpgradeOptions options) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    requireBooted(sysroot);
    if (options.fromDownloaded()) {
      unlock(sysroot);
      voice.rebootIf(options.apply(), sysroot);
      return;
    }
    ContainerReference image = followed(sysroot);
    if (options.tag() != null) {
      image = withTag(image, options.tag());
    }
    try (ImagePull pull = ImagePull.prepare(host, sysroot.repository(), image)) {
      if (options.check()) {
        staging.check(sysroot, image, pull);
      } else {
        staging.upgrade(sysroot, image, pull, options);
      }
    }
  }

  static Deployment requireBooted(Sysroot sysroot) {
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
    return current
        .origin()
        .container()
        .orElseThrow(() -> Problem.input("No image source specified"));
  }

  private static ContainerReference withTag(ContainerReference image, String tag) {
    String name;
    if (image.transport().equals("registry")) {
      name = Reference.parse(image.name()).withTag(tag).toString();
    } else {
      String bare = image.name().replaceFirst("@.*", "");
      int colon = bare.lastIndexOf(':');
      name = (colon < 0 ? bare : bare.substring(0, colon)) + ":" + tag;
    }
    return new ContainerReference(image.signature(), image.remote(), image.transport(), name);
  }

  private void unlock(Sysroot sysroot) throws IOException {
    Deployment staged =
        sysroot.staged().orElseThrow(() -> Problem.input("No staged deployment found"));
    host.system().startFinalizer();
    if (staged.locked()) {
      sysroot.setStagedLocked(false);
      voice.say("Staged deployment will now be applied on reboot");
    } else {
      voice.say("Staged deployment is already set to apply on reboot");
    }
  }

  // ---- switch ----

  /** Follows another image from now on. */
  public void switchTo(SwitchOptions options) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    Deployment booted = requireBooted(sysroot);
    ContainerReference target =
        new ContainerReference(
            ContainerReference.Signature.UNVERIFIED, "", options.transport(), options.target());
    Deployment current = sysroot.staged().orElse(booted);
    if (current.origin().container().equals(Optional.of(target))) {
      voice.say("Image specification is unchanged.");
      if (sysroot.staged().isPresent()) {
        host.system().startFinalizer();
        voice.rebootIf(options.apply(), sysroot);
      }
      return;
    }
    if (target.transport().equals("registry")) {
      Reference.parse(target.name());
    }
    try (ImagePull pull = ImagePull.prepare(host, sysroot.repository(), target)) {
      pull.tellPresent();
      staging.stage(sysroot, target, pull, false, options.retain());
    }
    voice.rebootIf(options.apply(), sysroot);
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
   */
  public record RollbackOptions(
      @Nullable String to, boolean apply, boolean keepStaged, boolean noHold) {
    /** To the one before. */
    public static final RollbackOptions NONE = new RollbackOptions(null, false, false, false);
  }

  /** Makes another deployment the one of the next boot; a second call takes that back. */
  public void rollback(RollbackOptions options) throws IOException {
    host.requireHost();
    new Rollback(host, voice, host.sysroot()).run(options);
  }

  /** As {@link #rollback(RollbackOptions)} to the one before. */
  public void rollback(boolean apply) throws IOException {
    rollback(new RollbackOptions(null, apply, false, false));
  }

  // ---- shutdown ----

  /** Makes the staged deployment the one of the next boot; the shutdown's unit calls this. */
  public Finalization finalizeStaged() throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    Optional<Deployment> staged = sysroot.staged();
    if (staged.isPresent() && !staged.get().locked()) {
      Deployment d = staged.get();
      JournalEntry.of(JournalEntry.FINALIZING, "Finalizing staged deployment")
          .with("OSTREE_OSNAME", d.stateroot())
          .with("OSTREE_CHECKSUM", d.checksum().hex())
          .with("OSTREE_DEPLOYSERIAL", Integer.toString(d.serial()))
          .send(host.system());
    }
    Finalization result = sysroot.finalizeStaged();
    switch (result.outcome()) {
      case NOTHING -> voice.say("No deployment staged for finalization");
      case LOCKED -> voice.say("Not finalizing; deployment is locked for finalization");
      case DONE -> tellFinalized(result, sysroot);
    }
    return result;
  }

  private void tellFinalized(Finalization result, Sysroot sysroot) {
    if (result.etc() != null) {
      voice.say(result.etc().summary());
      JournalEntry.of(JournalEntry.ETC_MERGED, result.etc().summary()).send(host.system());
    }
    String message = "Transaction complete; deployments: " + sysroot.deployments().size();
    JournalEntry.of(JournalEntry.DEPLOYED, message)
        .with("OSTREE_BOOTLOADER", "none")
        .with("OSTREE_N_DEPLOYMENTS", Integer.toString(sysroot.deployments().size()))
        .send(host.system());
    voice.say("Finalized deployment " + result.deployment());
  }
}
