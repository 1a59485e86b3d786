package slipway.host.update;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import slipway.base.AfterCommit;
import slipway.base.AtomicFile;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.host.status.HostStatus;
import slipway.host.status.JournalEntry;
import slipway.host.status.StatusDocument;
import slipway.host.status.StatusReader;
import slipway.host.status.StatusText;
import slipway.host.system.HostEnvironment;
import slipway.host.system.PrivateMounts;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Repository;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.Finalization;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Origin;

/**
 * What the {@code bootc} command does on a machine: tells its state, brings and stages new images,
 * goes back to the one before, finalizes at shutdown. A change is staged or made by one rename (see
 * {@link Sysroot}); whatever fails before leaves the machine as it was.
 */
public final class Host {
  private static final String REBOOT_REQUIRED = "reboot-required";

  private final HostEnvironment host;
  private final AfterCommit after;

  private Host(HostEnvironment host) {
    this.host = host;
    this.after = new AfterCommit(host.progress()::note);
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
      case HUMANREADABLE -> StatusText.render(status, verbose, unicode());
    };
  }

  /** Whether the locale shows more than ASCII; one that is not set does. */
  private boolean unicode() {
    for (String name : List.of("LC_ALL", "LC_CTYPE", "LANG")) {
      String value = host.variables().getOrDefault(name, "");
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
      rebootIf(options.apply());
      return;
    }
    ContainerReference image = followed(sysroot);
    if (options.tag() != null) {
      image = withTag(image, options.tag());
    }
    try (ImagePull pull = ImagePull.prepare(host, sysroot.repository(), image)) {
      if (options.check()) {
        check(sysroot, image, pull);
      } else {
        upgrade(sysroot, image, pull, options);
      }
    }
  }

  private static Deployment requireBooted(Sysroot sysroot) {
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
      say("Staged deployment will now be applied on reboot");
    } else {
      say("Staged deployment is already set to apply on reboot");
    }
  }

  /** What an upgrade has to do. */
  private enum Step {
    /** What runs is the image, and nothing else waits. */
    NOTHING,
    /** What is staged is the image. */
    KEEP_STAGED,
    /** What runs is the image: its tag was moved back, and another one waits for the shutdown. */
    DROP_STAGED,
    STAGE
  }

  private static Step step(Sysroot sysroot, ContainerReference image, ImagePull pull)
      throws IOException {
    Optional<Deployment> staged = sysroot.staged();
    if (staged.isPresent() && isOf(sysroot, staged.get(), image, pull)) {
      return Step.KEEP_STAGED;
    }
    if (!isOf(sysroot, requireBooted(sysroot), image, pull)) {
      return Step.STAGE;
    }
    return staged.isPresent() ? Step.DROP_STAGED : Step.NOTHING;
  }

  /** Whether a deployment is of this image and follows it. */
  private static boolean isOf(
      Sysroot sysroot, Deployment deployment, ContainerReference image, ImagePull pull)
      throws IOException {
    return deployment.origin().container().equals(Optional.of(image))
        && pull.isImageOf(sysroot.repository().readCommit(deployment.checksum()));
  }

  private void check(Sysroot sysroot, ContainerReference image, ImagePull pull) throws IOException {
    Step step = step(sysroot, image, pull);
    if (step != Step.STAGE) {
      say("No changes in: " + display(image));
      if (step == Step.DROP_STAGED) {
        say("  The staged deployment is another one; an upgrade drops it.");
      }
      return;
    }
    pull.check();
    say("Update available for: " + display(image));
    tellVersion(pull);
    Deployment booted = requireBooted(sysroot);
    manifestOf(sysroot, booted).ifPresent(pull::tellDifference);
    after.attempt("the status will not show the update", () -> pull.cache(booted.checksum()));
    touch();
  }

  private void upgrade(
      Sysroot sysroot, ContainerReference image, ImagePull pull, UpgradeOptions options)
      throws IOException {
    Step step = step(sysroot, image, pull);
    pull.tellPresent();
    switch (step) {
      case NOTHING -> say("No update available.");
      case KEEP_STAGED -> {
        keepStaged(sysroot, sysroot.staged().orElseThrow(), options.downloadOnly());
        rebootIf(options.apply());
      }
      case DROP_STAGED -> dropStaged(sysroot);
      case STAGE -> {
        stage(sysroot, image, pull, options.downloadOnly(), false);
        manifestOf(sysroot, requireBooted(sysroot)).ifPresent(pull::tellDifference);
        rebootIf(options.apply());
      }
    }
  }

  /** The booted image is what is wanted again. */
  private void dropStaged(Sysroot sysroot) throws IOException {
    String dropped = describe(sysroot, sysroot.staged().orElseThrow());
    sysroot.dropStaged();
    say("No update available: the booted image is the newest again.");
    say("Dropped the staged deployment of " + dropped);
    collect(sysroot);
    after.attempt(
        "/run/reboot-required still asks for a reboot",
        () -> Files.deleteIfExists(host.run().resolve(REBOOT_REQUIRED)));
    touch();
  }

  /** An image by name and digest, for a message. */
  private static String describe(Sysroot sysroot, Deployment deployment) throws IOException {
    String name = deployment.origin().container().map(Host::shortDisplay).orElse("ostree commit");
    String digest =
        digestOf(sysroot, deployment).map(Digest::toString).orElse(deployment.checksum().hex());
    return name + " (" + digest + ")";
  }

  private void keepStaged(Sysroot sysroot, Deployment staged, boolean downloadOnly)
      throws IOException {
    host.system().startFinalizer();
    if (staged.locked() == downloadOnly) {
      say("Staged update present, not changed");
      return;
    }
    sysroot.setStagedLocked(downloadOnly);
    touch();
    say(
        downloadOnly
            ? "Image downloaded, but will not be applied on reboot"
            : "Staged deployment will now be applied on reboot");
  }

  /** Fetches, checks and stages; the last step is the one that counts. */
  private void stage(
      Sysroot sysroot, ContainerReference image, ImagePull pull, boolean lock, boolean retain)
      throws IOException {
    pull.check();
    host.system().startFinalizer();
    try {
      Checksum commit = pull.fetch();
      tellStaging(image, pull);
      Deployment booted = requireBooted(sysroot);
      Origin origin = booted.origin().withContainer(image.toString());
      sysroot.stage(DeploySpec.upgrade(booted, commit, origin), lock);
    } catch (IOException | RuntimeException e) {
      discard(sysroot, e);
      throw e;
    }
    // It is staged; nothing below may fail any more.
    if (!retain) {
      collect(sysroot);
    }
    say("Queued for next boot: " + shortDisplay(image));
    tellVersion(pull);
    writeRebootRequired(pull.digest().toString());
    touch();
    if (lock) {
      say("Image downloaded, but will not be applied on reboot");
    }
  }

  /** Removes images that nothing needs; what is staged counts more than what cannot be removed. */
  private void collect(Sysroot sysroot) {
    after.attempt("old images could not be removed", () -> ImageRefs.collect(sysroot));
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
  private static void discard(Sysroot sysroot, Exception failure) {
    if (failure instanceof Problem p && p.kind() == Problem.Kind.UNAVAILABLE) {
      return;
    }
    try {
      sysroot.reload();
      ImageRefs.collect(sysroot);
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  private void tellVersion(ImagePull pull) {
    pull.version().ifPresent(version -> say("  Version: " + version));
    say("  Digest: " + pull.digest());
  }

  /** With the transport, as the reference shows an image where it asks for one. */
  private static String display(ContainerReference image) {
    return image.signature() == ContainerReference.Signature.UNVERIFIED
            && image.transport().equals("registry")
        ? "docker://" + image.name()
        : image.toString();
  }

  private static String shortDisplay(ContainerReference image) {
    return image.signature() == ContainerReference.Signature.UNVERIFIED
            && image.transport().equals("registry")
        ? image.name()
        : image.toString();
  }

  private static Optional<Digest> digestOf(Sysroot sysroot, Deployment deployment)
      throws IOException {
    return sysroot
        .repository()
        .readCommit(deployment.checksum())
        .string(StatusReader.MANIFEST_DIGEST)
        .map(Digest::parse);
  }

  private static Optional<Manifest.Image> manifestOf(Sysroot sysroot, Deployment deployment)
      throws IOException {
    Repository repository = sysroot.repository();
    return ImageRefs.manifest(repository.readCommit(deployment.checksum()));
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
      say("Image specification is unchanged.");
      if (sysroot.staged().isPresent()) {
        host.system().startFinalizer();
        rebootIf(options.apply());
      }
      return;
    }
    if (target.transport().equals("registry")) {
      Reference.parse(target.name());
    }
    try (ImagePull pull = ImagePull.prepare(host, sysroot.repository(), target)) {
      pull.tellPresent();
      stage(sysroot, target, pull, false, options.retain());
    }
    rebootIf(options.apply());
  }

  // ---- rollback ----

  /** Makes the other deployment the one of the next boot; a second call takes that back. */
  public void rollback(boolean apply) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    Deployment booted = requireBooted(sysroot);
    List<Deployment> others = new ArrayList<>(sysroot.deployments());
    others.removeIf(booted::isSame);
    Deployment target =
        others.stream()
            .filter(d -> d.stateroot().equals(booted.stateroot()))
            .findFirst()
            .orElseThrow(() -> Problem.input("No rollback available"));
    boolean reverting =
        sysroot.deployments().indexOf(target) < sysroot.deployments().indexOf(booted);
    if (reverting) {
      say("notice: Reverting queued rollback state");
    }
    Digest digest =
        digestOf(sysroot, target)
            .orElseThrow(() -> Problem.input("Rollback is not container image based"));
    JournalEntry.of(JournalEntry.ROLLBACK, "Rolling back to image: " + digest)
        .with("BOOTC_MANIFEST_DIGEST", digest.toString())
        .with("BOOTC_OSTREE_COMMIT", target.checksum().hex())
        .with("BOOTC_ROLLBACK_TYPE", reverting ? "revert" : "rollback")
        .with(
            "BOOTC_CURRENT_MANIFEST_DIGEST",
            digestOf(sysroot, booted).map(Digest::toString).orElse("none"))
        .send(host.system());
    Optional<Deployment> staged = sysroot.staged();
    String dropped = staged.isPresent() ? describe(sysroot, staged.get()) : "";
    others.removeIf(target::isSame);
    List<Deployment> order = new ArrayList<>(List.of(target, booted));
    if (reverting) {
      order = new ArrayList<>(List.of(booted, target));
    }
    order.addAll(others);
    sysroot.setBootOrder(order);
    if (staged.isPresent()) {
      say("notice: Dropped the staged deployment of " + dropped);
    }
    say(reverting ? "Next boot: current deployment" : "Next boot: rollback deployment");
    writeRebootRequired(digest.toString());
    touch();
    rebootIf(apply);
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
      case NOTHING -> say("No deployment staged for finalization");
      case LOCKED -> say("Not finalizing; deployment is locked for finalization");
      case DONE -> tellFinalized(result, sysroot);
    }
    return result;
  }

  private void tellFinalized(Finalization result, Sysroot sysroot) {
    if (result.etc() != null) {
      say(result.etc().summary());
      JournalEntry.of(JournalEntry.ETC_MERGED, result.etc().summary()).send(host.system());
    }
    String message = "Transaction complete; deployments: " + sysroot.deployments().size();
    JournalEntry.of(JournalEntry.DEPLOYED, message)
        .with("OSTREE_BOOTLOADER", "none")
        .with("OSTREE_N_DEPLOYMENTS", Integer.toString(sysroot.deployments().size()))
        .send(host.system());
    say("Finalized deployment " + result.deployment());
  }

  // ---- what commands have in common ----

  private void say(String line) {
    host.out().accept(Printable.text(line));
  }

  private void rebootIf(boolean wanted) {
    if (wanted) {
      host.system().reboot();
    }
  }

  /** For tools that reboot machines at a good moment, such as kured. */
  private void writeRebootRequired(String image) {
    after.attempt(
        "/run/reboot-required could not be written",
        () ->
            AtomicFile.write(
                host.run().resolve(REBOOT_REQUIRED), "bootc: Reboot required for image: " + image));
  }

  /** Wakes the units that follow the machine's state. */
  private void touch() {
    after.attempt(
        "units that follow this machine's state are not told",
        () -> {
          Path directory = host.root().resolve("ostree/bootc");
          Files.createDirectories(directory);
          Files.setLastModifiedTime(directory, FileTime.from(host.clock().instant()));
        });
  }
}
