package slipway.oci.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.FileReason;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.UnixException;
import slipway.oci.copy.DiffIds;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.PlainLayer;
import slipway.oci.copy.Validate;
import slipway.oci.copy.VerifyingInputStream;
import slipway.oci.layout.BlobDirectory;
import slipway.oci.layout.BlobWriter;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;

/**
 * The images of this machine, by content. On disk it is an OCI image layout: {@code oci-layout},
 * {@code blobs/sha256/HEX}, and {@code index.json} with the full names as {@code
 * org.opencontainers.image.ref.name}, so that {@code skopeo copy oci:STORE:localhost/web:latest …}
 * reads it.
 *
 * <p>Many threads and processes may use one store. Blobs and names appear by a rename, after a
 * sync: a kill or a power cut leaves what was, or what was to be. Every open store holds {@code
 * lock} shared; {@link #prune} needs it alone, so nothing vanishes under a reader or between the
 * writing of a blob and of the manifest that names it. Names change under {@code names.lock}.
 * {@code diff-ids} holds what layers decompress to, and may be removed.
 */
public final class LocalStore implements AutoCloseable {
  /** The host in the names of images that were made here. */
  public static final String HOST = "localhost";

  private final Path root;
  private final BlobDirectory blobs;
  private final DiffIds diffIds;
  private final StoreNames names;
  private final StoreUse use;

  private LocalStore(Path root, Flock lock) {
    this.root = root;
    this.diffIds = new DiffIds(root.resolve("diff-ids"));
    this.blobs = new BlobDirectory(root, root.resolve("tmp"), diffIds);
    this.names = new StoreNames(root);
    this.use = new StoreUse(lock, blobs);
  }

  /**
   * Opens a store, making it when missing, and removes what dead writers left. Close it: while it
   * is open no other process can prune.
   *
   * @param root such as {@code /var/lib/slipway/store}
   * @throws Problem of kind ENVIRONMENT when it cannot be made or read
   */
  public static LocalStore open(Path root) {
    Path absolute = root.toAbsolutePath().normalize();
    try {
      make(absolute);
      LocalStore store = new LocalStore(absolute, Flock.file(absolute.resolve("lock"), false));
      for (Digest.Algorithm a : Digest.Algorithm.values()) {
        Files.createDirectories(absolute.resolve("blobs").resolve(a.label()));
      }
      store.names.initialize();
      store.blobs.sweep();
      return store;
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "cannot open the image store " + absolute + ": " + FileReason.ofFolder(e),
          e);
    }
  }

  /**
   * Opens a store that is there; makes nothing.
   *
   * @return empty when there is none
   * @throws Problem of kind ENVIRONMENT when it cannot be read
   */
  public static Optional<LocalStore> openExisting(Path root) {
    try {
      Posix.lstat(OsPath.of(root.toAbsolutePath()));
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT) {
        return Optional.empty();
      }
      // Whatever else is in the way, opening says it.
    }
    return Optional.of(open(root));
  }

  /** A new store is for its owner only: layers may hold what others must not read. */
  private static void make(Path root) throws IOException {
    Path parent = root.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    try {
      Files.createDirectory(
          root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException e) {
      // The usual case; that it is a directory shows when it is used.
    }
  }

  public Path root() {
    return root;
  }

  /**
   * podman's rule for the name of an image that is made here: a name without a host becomes {@code
   * localhost/NAME}, without a tag {@code :latest}.
   */
  public static Reference localName(String name) {
    Reference parsed =
        Reference.hasHost(name) ? Reference.parse(name) : Reference.parse(HOST + "/" + name);
    return parsed.orLatest();
  }

  /**
   * As {@link #localName}, for an image that is not made yet.
   *
   * @throws Problem of kind USAGE when it holds a digest, which nobody knows before
   */
  public static Reference newName(String name) {
    Reference parsed = localName(name);
    if (parsed.digest() != null) {
      throw Problem.usage(
          parsed + " cannot be the name of an image that is not made yet: it holds a digest");
    }
    return parsed;
  }

  /**
   * An image with its name.
   *
   * @param created when its config says it was made, if it says so
   */
  public record Named(Reference name, Manifest manifest, @Nullable Instant created) {}

  /**
   * An image that cannot be used.
   *
   * @param name as the index has it, by which {@link #untag(String)} removes it; what is not a
   *     valid name is damage too, and what has none is given one
   * @param why in one sentence
   */
  public record Damaged(String name, String why) {}

  /** What the store names: images that can be read, in the order of the index, and the others. */
  public record Listing(List<Named> images, List<Damaged> damaged) {}

  /** All names. */
  public Listing listing() {
    return new StoreListing(this, names.index()).all();
  }

  /** The images of {@link #listing} that can be read. */
  public List<Named> list() {
    return listing().images();
  }

  /**
   * A name, whether its image can be read or not.
   *
   * @param text as the index has it
   * @param manifest null when the index does not tell it any more
   */
  public record Name(String text, @Nullable Digest manifest) {}

  /** All names, without a look at their images. */
  public List<Name> names() {
    return new StoreListing(this, names.index()).names();
  }

  /** Manifests without a name that no index in the store refers to, newest last. */
  public List<Manifest> unnamed() {
    return new StoreListing(this, names.index()).unnamed();
  }

  /** A manifest, unless it is missing or damaged. */
  Optional<Manifest> readable(Descriptor descriptor) {
    try {
      return blobs.has(descriptor.digest())
          ? Optional.of(manifest(descriptor.digest()))
          : Optional.empty();
    } catch (Problem e) {
      return Optional.empty();
    }
  }

  /** When an image's config says that it was made, if it says so. */
  public @Nullable Instant created(Manifest manifest) {
    return StoreListing.created(this, manifest);
  }

  /**
   * Finds by name, then by digest or a prefix (at least 4 hex digits) of the digest of a manifest
   * or a config. A name without a host is looked for below {@code localhost/}, then below {@code
   * docker.io/library/}.
   *
   * @throws Problem of kind INPUT when a prefix fits several images
   */
  public Optional<Manifest> find(String nameOrIdPrefix) {
    return new StoreSearch(this, names.entries()).find(nameOrIdPrefix);
  }

  /**
   * The image for a platform.
   *
   * @throws Problem of kind NOT_FOUND when there is none of that name or for that platform
   */
  public Manifest.Image image(String nameOrId, Platform platform) {
    Manifest manifest =
        find(nameOrId)
            .orElseThrow(
                () ->
                    Problem.notFound(
                        "no image \""
                            + nameOrId
                            + "\" in the local store; slipway images lists them"));
    return image(manifest, nameOrId, platform);
  }

  /**
   * The image for a platform of what {@link #find} gave.
   *
   * @param name for messages
   * @throws Problem of kind NOT_FOUND when there is none for that platform
   */
  public Manifest.Image image(Manifest manifest, String name, Platform platform) {
    return new StoreSearch(this, List.of()).image(manifest, name, platform);
  }

  /**
   * Whether an index lists an image for a platform that is not here: one that was fetched by its
   * digest is here with the image of the platform for which it was fetched.
   */
  public boolean lacks(Manifest manifest, Platform platform) {
    return new StoreSearch(this, List.of()).lacks(manifest, platform);
  }

  /**
   * Whether a manifest is an image that says it is for another platform. An index gives what fits.
   */
  public boolean isForAnother(Manifest manifest, Platform platform) {
    if (!(manifest instanceof Manifest.Image image)) {
      return false;
    }
    Platform own = config(image).platform();
    return !own.architecture().isEmpty() && !platform.accepts(own);
  }

  /**
   * What of a manifest can be copied or shown: itself, but of an index of which not all is here the
   * image for this machine, or else the first that is here.
   */
  public Manifest complete(Manifest manifest) {
    return new StoreSearch(this, List.of()).complete(manifest);
  }

  /** The config of an image that is in the store. */
  public ImageConfig config(Manifest.Image image) {
    return ImageConfig.parse(configBytes(image));
  }

  /** The bytes of the config of an image that is in the store, verified. */
  public byte[] configBytes(Manifest.Image image) {
    return read(image.config().digest(), Limit.CONFIG_BYTES);
  }

  /** The manifest with this digest, verified. */
  public Manifest manifest(Digest digest) {
    return Manifest.parse(read(digest, Limit.MANIFEST_BYTES), null, digest);
  }

  private byte[] read(Digest digest, Limit limit) {
    try {
      return blobs.read(digest, limit);
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "cannot read blob " + digest + " in " + root + ": " + e.getMessage(),
          e);
    }
  }

  public boolean has(Digest digest) {
    return blobs.has(digest);
  }

  /** Where a blob lies, or would lie. Read only: its name promises its content. */
  public Path blobPath(Digest digest) {
    return blobs.path(digest);
  }

  /**
   * Opens a blob; the stream fails at the end unless digest and size are right.
   *
   * @throws Problem of kind NOT_FOUND when it is missing
   */
  public InputStream openBlob(Descriptor descriptor) throws IOException {
    return new VerifyingInputStream(blobs.open(descriptor.digest(), 0), descriptor);
  }

  /** Begins a blob with a sha256 digest. */
  public BlobWriter newBlob() {
    return use.newBlob();
  }

  /** Stores a small blob, such as a config. */
  public Descriptor putBlob(String mediaType, byte[] bytes) {
    Descriptor descriptor = Descriptor.of(mediaType, bytes);
    putBytes(descriptor, bytes);
    return descriptor;
  }

  private void putBytes(Descriptor descriptor, byte[] bytes) {
    try {
      blobs.write(descriptor, bytes);
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT, "cannot write in " + root + ": " + e.getMessage(), e);
    }
  }

  /**
   * Stores a manifest, and its name if it has one; the name moves from the manifest that had it.
   * Every image that enters the store, from wherever, comes through here, and here it is held to
   * what its config promises of its layers ({@link Validate}).
   *
   * @throws Problem of kind CORRUPT when the config or a layer of an image is missing or has
   *     another size than the manifest says, or a layer is another one than the config says; or
   *     when the name holds the digest of another manifest
   */
  public void putManifest(Manifest manifest, @Nullable Reference name) {
    if (name != null) {
      name.requireDigest(manifest.digest());
    }
    if (manifest instanceof Manifest.Image image) {
      new StoreGate(this, diffIds).require(image);
    }
    putBytes(manifest.descriptor(), manifest.bytes());
    names.put(manifest, name == null ? List.of() : List.of(name));
  }

  /**
   * As a name is kept: with a digest it has no tag, since the digest decides; without either it has
   * the tag {@code latest}.
   */
  public static Reference stored(Reference name) {
    return name.digest() == null ? name.orLatest() : name.withDigest(name.digest());
  }

  /**
   * Reads all of an image and checks it ({@link Validate}); of an index, every image that is here.
   *
   * @throws Problem of kind CORRUPT that names what is wrong
   */
  public void validate(Manifest manifest, Progress progress) throws IOException {
    switch (manifest) {
      case Manifest.Image image -> Validate.image(source(), image, progress);
      case Manifest.Index index -> {
        for (Descriptor child : Set.copyOf(index.manifests())) {
          if (MediaTypes.isManifest(child.mediaType()) && blobs.has(child.digest())) {
            validate(manifest(child.digest()), progress);
          }
        }
      }
    }
  }

  /**
   * Gives a manifest that is here another name.
   *
   * @throws Problem of kind NOT_FOUND when it is not here, CORRUPT when the name holds the digest
   *     of another one
   */
  public void tag(Reference name, Digest manifest) {
    tag(List.of(name), manifest);
  }

  /** As {@link #tag(Reference, Digest)}, several names at once. */
  public void tag(List<Reference> more, Digest manifest) {
    if (!more.isEmpty()) {
      names.put(manifest(manifest), more);
    }
  }

  /** Removes a name and says whether it was there; the blobs stay until {@link #prune}. */
  public boolean untag(Reference name) {
    return untag(stored(name).toString());
  }

  /** As {@link #untag(Reference)}, of a name as the index has it, even one that is not valid. */
  public boolean untag(String name) {
    return names.remove(name);
  }

  /**
   * Gives up an image that no name stands for; its blobs stay until {@link #sweep}.
   *
   * @return whether there was one
   */
  public boolean untag(Digest unnamed) {
    return names.removeUnnamed(d -> d.digest().equals(unnamed));
  }

  /**
   * What {@link #prune} or {@link #sweep} removed.
   *
   * @param busy nothing, because the store is in use elsewhere
   * @param damaged images that cannot be read; nothing was removed because of them
   */
  public record Pruned(int blobs, long bytes, boolean busy, List<Damaged> damaged) {
    public Pruned {
      damaged = List.copyOf(damaged);
    }

    static Pruned inUse() {
      return new Pruned(0, 0, true, List.of());
    }
  }

  /**
   * Removes manifests without a name and all blobs that no named one refers to. Does nothing while
   * another process or another {@link #hold} uses the store, or while a named image is damaged.
   */
  public Pruned prune() {
    return removeBlobs(true);
  }

  /** As {@link #prune}, but images without a name stay. */
  public Pruned sweep() {
    return removeBlobs(false);
  }

  private Pruned removeBlobs(boolean unnamed) {
    try {
      return use.alone(() -> sweepBlobs(unnamed));
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT, "cannot prune " + root + ": " + e.getMessage(), e);
    }
  }

  private Pruned sweepBlobs(boolean unnamed) throws IOException {
    Pruned pruned = new StoreSweep(this).run(names.index(), unnamed);
    if (pruned.damaged().isEmpty()) {
      names.removeUnnamed(d -> unnamed || !blobs.has(d.digest()));
      diffIds.sweep(blobs::has);
    }
    return pruned;
  }

  /** While it is open, {@link #prune} through this instance does nothing. */
  public interface Hold extends AutoCloseable {
    @Override
    void close();
  }

  /** Holds off pruning by other threads of this process during work of several steps. */
  public Hold hold() {
    return use.hold();
  }

  /** Reads images by name, id or digest, as {@link #find} does. */
  public ImageSource source() {
    return new StoreSource(this);
  }

  /**
   * Writes images.
   *
   * @param name what the image that is copied gets as its name, or null for none
   */
  public ImageSink sink(@Nullable Reference name) {
    return new StoreSink(this, name);
  }

  /**
   * Brings an image for somebody who reads its layers anyway, and so need not have them read while
   * they come in: the image is admitted later.
   *
   * @param name as for {@link #sink}
   */
  public ArrivalSink arrival(@Nullable Reference name) {
    return new ArrivalSink(this, name);
  }

  /**
   * Notes what somebody found out who read all of a layer through {@link #openBlob} and {@link
   * PlainLayer}: {@link #putManifest} does not read it again.
   */
  public void note(Descriptor layer, PlainLayer.Sum plain) {
    blobs.note(layer.digest(), plain);
  }

  BlobDirectory blobs() {
    return blobs;
  }

  /** Lets other processes prune; blobs being written are given up. */
  @Override
  public void close() {
    try {
      use.close();
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT, "cannot close " + root + ": " + e.getMessage(), e);
    }
  }
}
