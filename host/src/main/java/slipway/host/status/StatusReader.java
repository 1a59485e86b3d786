package slipway.host.status;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.host.system.HostEnvironment;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Commit;
import slipway.ostree.repo.Repository;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Origin;

/** Reads the state of a machine. Needs no privilege and changes nothing. */
public final class StatusReader {
  /** Keys of a merge commit's metadata (ostree-rs-ext, container store). */
  public static final String MANIFEST_DIGEST = "ostree.manifest-digest";

  public static final String MANIFEST = "ostree.manifest";
  public static final String CONFIG = "ostree.container.image-config";

  /** Keys of its detached metadata: a newer image that was seen and not fetched. */
  public static final String CACHED_DIGEST = "ostree-ext.cached.manifest-digest";

  public static final String CACHED_MANIFEST = "ostree-ext.cached.manifest";
  public static final String CACHED_CONFIG = "ostree-ext.cached.config";
  public static final Set<String> CACHED = Set.of(CACHED_DIGEST, CACHED_MANIFEST, CACHED_CONFIG);

  private final HostEnvironment host;
  private final Sysroot sysroot;
  private final Repository repository;
  private final SoftReboots softReboots;

  private StatusReader(HostEnvironment host, Sysroot sysroot) throws IOException {
    this.host = host;
    this.sysroot = sysroot;
    this.repository = sysroot.repository();
    this.softReboots = new SoftReboots(host);
  }

  public static HostStatus read(HostEnvironment host) throws IOException {
    if (!host.runState().booted()) {
      return HostStatus.none();
    }
    return read(host, host.sysroot());
  }

  static HostStatus read(HostEnvironment host, Sysroot sysroot) throws IOException {
    return new StatusReader(host, sysroot)
        .read(sysroot.booted().orElseThrow(HostEnvironment::notInMenu));
  }

  private HostStatus read(Deployment booted) throws IOException {
    List<Deployment> related = new ArrayList<>();
    List<Deployment> foreign = new ArrayList<>();
    boolean passed = false;
    boolean queued = false;
    for (Deployment d : sysroot.deployments()) {
      if (d.booted()) {
        passed = true;
      } else if (d.stateroot().equals(booted.stateroot())) {
        queued |= related.isEmpty() && !passed;
        related.add(d);
      } else {
        foreign.add(d);
      }
    }
    Deployment rollback = related.isEmpty() ? null : related.removeFirst();
    related.addAll(foreign);
    HostStatus.Entry staged = entry(sysroot.staged().orElse(null), booted);
    HostStatus.Entry current = Objects.requireNonNull(entry(booted, booted));
    List<HostStatus.Entry> others = new ArrayList<>();
    for (Deployment d : related) {
      others.add(Objects.requireNonNull(entry(d, booted)));
    }
    HostStatus.Image image = (staged == null ? current : staged).image();
    return new HostStatus(
        image == null ? null : image.name(),
        staged,
        current,
        entry(rollback, booted),
        others,
        queued,
        overlay(booted.unlocked()),
        onReadOnlyMedium(),
        notes(booted));
  }

  private HostStatus.Notes notes(Deployment booted) throws IOException {
    List<String> arguments =
        sysroot.staged().map(d -> booted.kargs().difference(d.kargs())).orElse(List.of());
    return new HostStatus.Notes(
        arguments,
        etcConflicts(),
        held(),
        trial(booted),
        rolledBack(booted),
        sysroot.finalizationFailure().stream().toList(),
        damage());
  }

  /** What is wrong with deployments, each with its origin or its commit. */
  private List<String> damage() throws IOException {
    List<String> found = new ArrayList<>();
    for (Deployment d : DeploymentChoice.all(sysroot)) {
      String origin = d.origin().damage();
      if (origin != null) {
        found.add(
            origin
                + (d.booted()
                    ? "; bootc switch names the image again"
                    : "; it is kept while there is room, and bootc delete removes it"));
      }
      if (repository.readableCommit(d.checksum()).isEmpty()) {
        found.add(
            "the commit of "
                + d.directory()
                + " is missing or damaged, so that nothing is known of its image; bootc fsck"
                + " --repair mends it while its tag leads to that image, bootc delete removes it");
      }
    }
    return found;
  }

  private List<String> trial(Deployment booted) {
    return sysroot
        .trials()
        .current()
        .filter(trial -> trial.isOf(booted))
        .map(trial -> Math.max(trial.left(), 0) + " of " + trial.tries() + " tries left")
        .stream()
        .toList();
  }

  /** Not when that deployment runs all the same, because somebody wanted it. */
  private List<String> rolledBack(Deployment booted) {
    return HealthRecord.read(host.root())
        .rollback()
        .filter(back -> !back.isFrom(booted))
        .map(back -> back.from() + " at " + back.time() + ": " + back.reason())
        .stream()
        .toList();
  }

  /** What would keep the shutdown from finishing what is staged; only root can compare /etc. */
  private List<String> etcConflicts() {
    if (Posix.geteuid() != 0) {
      return List.of();
    }
    try {
      return sysroot.etc().conflicts().stream().map(path -> "/etc/" + path).toList();
    } catch (IOException e) {
      // Somebody changes /etc at this very moment; the status has more to tell than that.
      return List.of();
    }
  }

  private List<String> held() {
    try {
      return sysroot.settings().held();
    } catch (Problem | IOException e) {
      // A damaged file holds nothing, and no status fails of it.
      return List.of();
    }
  }

  private HostStatus.@Nullable Entry entry(@Nullable Deployment d, Deployment booted)
      throws IOException {
    if (d == null) {
      return null;
    }
    boolean incompatible = d.origin().modifiedByRpmOstree();
    HostStatus.Image image = null;
    HostStatus.Image update = null;
    Optional<ContainerReference> reference = d.origin().container();
    if (!incompatible && reference.isPresent()) {
      HostStatus.ImageName name = name(reference.get());
      // What is damaged is told beside; the other entries are as they are.
      Optional<Commit> commit = repository.readableCommit(d.checksum());
      image =
          image(
              name,
              commit.flatMap(c -> c.string(MANIFEST_DIGEST)).orElse(""),
              commit.flatMap(c -> c.string(CONFIG)).orElse("{}"));
      update = update(name, d);
    }
    return new HostStatus.Entry(
        image,
        update,
        incompatible,
        d.pinned(),
        isSoftRebootCapable(d, booted),
        d.staged() && d.locked(),
        d.stateroot(),
        d.checksum().hex(),
        d.serial(),
        DeploymentChoice.index(sysroot, d),
        bound(d),
        image == null ? null : from(d.origin()));
  }

  private boolean isSoftRebootCapable(Deployment d, Deployment booted) {
    try {
      return softReboots.hindrance(d, booted).isEmpty();
    } catch (Problem | IOException e) {
      // Who asks for one is told what is wrong with its files.
      return false;
    }
  }

  private List<String> bound(Deployment d) {
    try {
      return BoundImages.read(OsPath.of(sysroot.path(d)));
    } catch (Problem | IOException e) {
      // What is wrong with its files, image list tells.
      return List.of();
    }
  }

  /** The image that was taken for one time, or before what is followed was changed in place. */
  private static HostStatus.@Nullable ImageName from(Origin origin) {
    return origin
        .deployed()
        .filter(deployed -> !origin.container().equals(Optional.of(deployed)))
        .map(StatusReader::name)
        .orElse(null);
  }

  static HostStatus.ImageName name(ContainerReference reference) {
    return new HostStatus.ImageName(
        reference.name(),
        reference.transport(),
        switch (reference.signature()) {
          case UNVERIFIED -> null;
          case CONTAINER_POLICY -> "containerPolicy";
          case OSTREE_REMOTE -> "ostreeRemote:" + reference.remote();
        });
  }

  private static HostStatus.Image image(HostStatus.ImageName name, String digest, String config) {
    ImageFacts facts = ImageFacts.parse(config);
    return new HostStatus.Image(
        name, facts.version(), facts.created(), digest, facts.architecture());
  }

  /**
   * A newer image that was seen, as far as the notes of a commit, which no checksum guards, tell.
   */
  private HostStatus.@Nullable Image update(HostStatus.ImageName name, Deployment d) {
    try {
      Map<String, GVariant> notes = repository.readDetachedMetadata(d.checksum());
      GVariant digest = notes.get(CACHED_DIGEST);
      GVariant config = notes.get(CACHED_CONFIG);
      return digest == null || config == null
          ? null
          : image(name, digest.asString(), config.asString());
    } catch (Problem | IOException e) {
      return null;
    }
  }

  private static HostStatus.@Nullable UsrOverlay overlay(Deployment.Unlocked unlocked) {
    return switch (unlocked) {
      case NO -> null;
      case HOTFIX -> new HostStatus.UsrOverlay(true, true);
      case DEVELOPMENT -> new HostStatus.UsrOverlay(true, false);
      case TRANSIENT -> new HostStatus.UsrOverlay(false, false);
    };
  }

  /** Whether the file system of /sysroot itself, not just its mount, is read-only. */
  private boolean onReadOnlyMedium() throws IOException {
    Path mounts = host.root().resolve("proc/self/mountinfo");
    if (!Files.exists(mounts)) {
      return false;
    }
    boolean readOnly = false;
    for (String line : RawText.decode(Files.readAllBytes(mounts)).split("\n", -1)) {
      // proc_pid_mountinfo(5): mount point is field 5, the file system's options come last.
      String[] fields = line.split(" ");
      if (fields.length > 6 && fields[4].equals("/sysroot")) {
        readOnly = fields[fields.length - 1].startsWith("ro");
      }
    }
    return readOnly;
  }
}
