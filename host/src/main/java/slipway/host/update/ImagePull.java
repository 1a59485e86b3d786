package slipway.host.update;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.AfterCommit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.base.RawText;
import slipway.host.status.ImageFacts;
import slipway.host.status.Sizes;
import slipway.host.status.StatusReader;
import slipway.host.system.HostEnvironment;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.ostree.container.ContainerImages;
import slipway.ostree.container.ContainerImport;
import slipway.ostree.container.Imported;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.repo.Repository;
import slipway.sysroot.state.ContainerReference;

/** One image, looked up where it comes from and brought into the machine's repository. */
public final class ImagePull implements AutoCloseable {
  private final HostEnvironment host;
  private final Repository repository;
  private final ContainerReference reference;
  private final ContainerReference followed;
  private final boolean pinned;
  private final ImageSource source;
  private final Manifest.Image manifest;

  /** Null until somebody asks: who has the image already does not. */
  private @Nullable Description description;

  private ImagePull(
      HostEnvironment host,
      Repository repository,
      Wanted wanted,
      ImageSource source,
      Manifest.Image manifest) {
    this.host = host;
    this.repository = repository;
    this.reference = wanted.place();
    this.followed = wanted.followed();
    this.pinned = wanted.pinned();
    this.source = source;
    this.manifest = manifest;
  }

  /** The image's configuration. */
  private record Description(ImageConfig config, String text, ImageFacts facts) {
    static Description of(byte[] bytes) {
      String text = new String(bytes, StandardCharsets.UTF_8);
      return new Description(ImageConfig.parse(bytes), text, ImageFacts.parse(text));
    }
  }

  /**
   * Which image is meant.
   *
   * @param place where it is fetched from
   * @param followed the image that the machine follows, which usually is the same
   * @param digest of its manifest, or of the index that leads to it; null for whatever is there
   * @param pinned whether its name, and those of the images that are bound to it, must hold digests
   */
  record Wanted(
      ContainerReference place,
      ContainerReference followed,
      @Nullable Digest digest,
      boolean pinned) {
    /** Whatever its name may be. */
    Wanted(ContainerReference place, ContainerReference followed, @Nullable Digest digest) {
      this(place, followed, digest, false);
    }

    /** As somebody demands it. */
    static Wanted of(ContainerReference place, ContainerReference followed, Host.Demands demands) {
      return new Wanted(place, followed, demands.digest(), demands.pinned());
    }
  }

  /**
   * Asks for the manifest; nothing else is fetched yet.
   *
   * @throws Problem of kind INPUT when it is not the digest that is wanted
   */
  static ImagePull prepare(HostEnvironment host, Repository repository, Wanted wanted)
      throws IOException {
    if (wanted.pinned() && !isPinned(wanted.place().name())) {
      throw Problem.input(
          Printable.text(wanted.place().image())
              + " is asked for by a name without a digest, which --require-digest named refuses;"
              + " nothing was fetched");
    }
    ImageSource source = host.images().open(wanted.place());
    boolean done = false;
    try {
      List<Manifest> way = Transfer.way(source, null, Platform.host());
      requireDigest(wanted, way);
      Manifest.Image manifest = (Manifest.Image) way.getLast();
      ImagePull pull = new ImagePull(host, repository, wanted, source, manifest);
      done = true;
      return pull;
    } finally {
      if (!done) {
        source.close();
      }
    }
  }

  /** Whether an image's name says which manifest is meant, wherever a tag may lead. */
  private static boolean isPinned(String name) {
    int at = name.lastIndexOf('@');
    try {
      return at > 0 && !Digest.parse(name.substring(at + 1)).hex().isEmpty();
    } catch (Problem e) {
      return false;
    }
  }

  /**
   * Refuses images that are bound by tags, when names must hold digests.
   *
   * @param bound names as the image has them
   */
  void requirePinned(List<String> bound) {
    for (String name : bound) {
      if (pinned && !isPinned(name)) {
        throw Problem.input(
            "the bound image "
                + Printable.text(name)
                + " of "
                + Printable.text(reference.image())
                + " is bound by a name without a digest, which --require-digest named refuses");
      }
    }
  }

  private static void requireDigest(Wanted wanted, List<Manifest> way) {
    Digest digest = wanted.digest();
    if (digest != null && way.stream().noneMatch(m -> m.digest().equals(digest))) {
      throw Problem.input(
          Printable.text(wanted.place().image())
              + " is "
              + way.getFirst().digest()
              + ", not the required "
              + digest
              + "; nothing was fetched");
    }
  }

  /** What it is fetched from, which may hold other images; closed with this. */
  ImageSource source() {
    return source;
  }

  /** Where it comes from. */
  ContainerReference place() {
    return reference;
  }

  Digest digest() {
    return manifest.digest();
  }

  Manifest.Image manifest() {
    return manifest;
  }

  ImageConfig config() throws IOException {
    return description().config();
  }

  private Description description() throws IOException {
    Description known = description;
    if (known == null) {
      known = Description.of(Transfer.config(source, manifest));
      description = known;
    }
    return known;
  }

  /** What the image says; known since {@link #check}. */
  Optional<String> version() throws IOException {
    return Optional.ofNullable(description().facts().version());
  }

  /**
   * Refuses an image that this machine could not boot.
   *
   * @throws Problem of kind INPUT in one sentence
   */
  void check() throws IOException {
    ImageConfig config = config();
    String label = config.labels().get(ImageFacts.BOOTC);
    boolean ostree = config.labels().containsKey("ostree.bootable");
    if (label == null && !ostree) {
      throw Problem.input(
          reference.image()
              + " is no bootable image: it lacks the label "
              + ImageFacts.BOOTC
              + "=1");
    }
    if (label != null && !label.equals("1")) {
      throw Problem.input(
          reference.image()
              + " has the label "
              + ImageFacts.BOOTC
              + "="
              + Printable.text(label)
              + "; only 1 is known");
    }
    Platform here = Platform.host();
    if (!here.accepts(config.platform())) {
      throw Problem.input(
          reference.image() + " is for " + config.platform() + ", this machine is " + here);
    }
  }

  /** The ref under which the image stands in the repository. */
  static String ref(ContainerReference reference) {
    return ImageRefs.IMAGES + ContainerImport.escapeRef(transportName(reference));
  }

  /** As containers/image writes it: {@code docker://…} or {@code transport:…}. */
  public static String transportName(ContainerReference reference) {
    return reference.transport().equals("registry")
        ? "docker://" + reference.name()
        : reference.transport() + ":" + reference.name();
  }

  /** The commit of this very image, when the repository has it: same manifest or same config. */
  Optional<Checksum> present() throws IOException {
    return repository
        .resolveRef(ref(followed))
        .filter(known -> repository.readableCommit(known).filter(this::isImageOf).isPresent());
  }

  /**
   * Whether a commit was made from this image: from the same manifest, or from one with the same
   * configuration, whose layers are only packed otherwise. What the configuration lists counts for
   * a commit only when its import checked that.
   */
  boolean isImageOf(Commit commit) {
    return commit.string(StatusReader.MANIFEST_DIGEST).equals(Optional.of(digest().toString()))
        || (ContainerImages.isChecked(commit)
            && commit
                .string(StatusReader.CONFIG)
                .map(c -> manifest.config().digest().matches(RawText.encode(c)))
                .orElse(false));
  }

  /** Says so when the repository has this very image already. */
  void tellPresent() throws IOException {
    if (present().isPresent()) {
      host.out().accept("No changes in " + Printable.text(reference.image()) + " => " + digest());
    }
  }

  /** Brings the image into the repository and returns the commit to deploy. */
  Checksum fetch(ProgressStream stream) throws IOException {
    Optional<Checksum> present = present();
    if (present.isPresent()) {
      return present.get();
    }
    Set<String> displaced = new ContainerImages(repository).conflicting(transportName(followed));
    Progress progress = tellLayers(stream);
    Instant begin = host.clock().instant();
    Imported imported =
        ContainerImport.run(
            repository, source, manifest, config(), transportName(followed), displaced, progress);
    stream.imported(digest());
    tellDisplaced(displaced);
    if (imported.layersFetched() > 0) {
      Duration time = Duration.between(begin, host.clock().instant());
      double seconds = Math.max(0.001, time.toMillis() / 1000.0);
      host.progress()
          .note(
              "Fetched layers: "
                  + Sizes.binary(imported.bytes())
                  + " in "
                  + Sizes.duration(time)
                  + " ("
                  + Sizes.binary(imported.bytes() / seconds)
                  + "/s)");
    }
    return imported.mergeCommit();
  }

  /**
   * A ref is a file: {@code host/os} and {@code host/os/next:1} cannot both be. Deployments keep
   * what they are made of without the name of their image.
   */
  private void tellDisplaced(Set<String> others) {
    if (!others.isEmpty()) {
      host.progress()
          .note(
              "no longer kept by name, because "
                  + Printable.text(followed.image())
                  + " needs its place: "
                  + Printable.text(String.join(", ", others)));
    }
  }

  /** Tells what is to be fetched and returns who is to hear of it. */
  private Progress tellLayers(ProgressStream stream) throws IOException {
    int present = 0;
    long bytesPresent = 0;
    Map<String, Long> needed = new LinkedHashMap<>();
    for (Descriptor layer : manifest.layers()) {
      if (repository.resolveRef(ImageRefs.layer(layer.digest())).isPresent()) {
        present++;
        bytesPresent += layer.size();
      } else {
        needed.put(layer.digest().brief(), layer.size());
      }
    }
    if (!needed.isEmpty()) {
      long bytes = needed.values().stream().mapToLong(Long::longValue).sum();
      host.out()
          .accept(
              "layers already present: "
                  + present
                  + "; layers needed: "
                  + needed.size()
                  + " ("
                  + Sizes.decimal(bytes)
                  + ")");
    }
    return stream.pulling(digest(), present, bytesPresent, needed, host.progress());
  }

  /** Tells what differs from another image's layers. */
  void tellDifference(Manifest.Image from) {
    List<Descriptor> removed = missing(from.layers(), manifest.layers());
    List<Descriptor> added = missing(manifest.layers(), from.layers());
    tell("Total new layers: ", manifest.layers());
    tell("Removed layers:   ", removed);
    tell("Added layers:     ", added);
  }

  private static List<Descriptor> missing(List<Descriptor> all, List<Descriptor> there) {
    Set<Digest> digests = new HashSet<>();
    there.forEach(d -> digests.add(d.digest()));
    return all.stream().filter(d -> !digests.contains(d.digest())).toList();
  }

  private void tell(String what, List<Descriptor> layers) {
    long size = layers.stream().mapToLong(Descriptor::size).sum();
    String count = Integer.toString(layers.size());
    host.out()
        .accept(
            what
                + count
                + " ".repeat(Math.max(0, 4 - count.length()))
                + "  Size: "
                + Sizes.decimal(size));
  }

  /**
   * Notes on the commit we have that there is a newer image, for the status to show.
   *
   * @param booted the commit to note it on when no other is of an image of this name, or when the
   *     newer one was fetched already, as after a rollback
   */
  void cache(Checksum booted) throws IOException {
    Checksum commit = repository.resolveRef(ref(followed)).orElse(booted);
    if (repository.readableCommit(commit).filter(c -> !isImageOf(c)).isEmpty()) {
      commit = booted;
    }
    Map<String, GVariant> notes =
        Map.of(
            StatusReader.CACHED_DIGEST,
            GVariant.string(digest().toString()),
            StatusReader.CACHED_MANIFEST,
            GVariant.string(new String(manifest.bytes(), StandardCharsets.UTF_8)),
            StatusReader.CACHED_CONFIG,
            GVariant.string(description().text()));
    repository.changeDetachedMetadata(commit, detached -> detached.putAll(notes));
  }

  /** Takes back what {@link #cache} noted, because there is nothing newer any more. */
  void forgetCached(Checksum booted) throws IOException {
    Set<Checksum> commits = new HashSet<>(Set.of(booted));
    repository.resolveRef(ref(followed)).ifPresent(commits::add);
    for (Checksum commit : commits) {
      forgetCached(repository, commit);
    }
  }

  /** Takes back what {@link #cache} noted of a newer image than that of a commit. */
  static void forgetCached(Repository repository, Checksum commit) throws IOException {
    repository.changeDetachedMetadata(
        commit, detached -> detached.keySet().removeAll(StatusReader.CACHED));
  }

  /** Comes after all else that is done with it, so its failure is only told. */
  @Override
  public void close() {
    new AfterCommit(host.progress()::note)
        .attempt(Printable.text(reference.image()) + " was not closed in order", source::close);
  }
}
