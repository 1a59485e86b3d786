package slipway.oci.layout;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.FileReason;
import slipway.base.FullDisk;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;

/**
 * A directory with an OCI image layout (image-spec, image-layout.md), as {@code skopeo} has it
 * behind {@code oci:}. Several processes may write to one: blobs are renamed into place, {@code
 * index.json} changes under the directory's lock.
 */
public final class OciLayout implements ImageSource, ImageSink {
  private final Path root;
  private final @Nullable String name;
  private final BlobDirectory blobs;
  private final Set<Digest> written = ConcurrentHashMap.newKeySet();

  private OciLayout(Path root, @Nullable String name) {
    this.root = root;
    this.name = name;
    this.blobs = new BlobDirectory(root, root);
  }

  /**
   * Opens one for reading.
   *
   * @param name of the image that is meant when a caller names none, or null for the only one
   * @throws Problem of kind NOT_FOUND when there is no layout, CORRUPT for one of another version
   */
  public static OciLayout open(Path root, @Nullable String name) {
    Path absolute = root.toAbsolutePath().normalize();
    if (!isOne(absolute)) {
      BlobDirectory.requireFolder(root);
      throw Problem.notFound(root + " is no OCI image layout: it has no " + LayoutIndex.FILE);
    }
    try {
      LayoutIndex.requireVersion(absolute);
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT, "cannot read " + root + ": " + FileReason.of(e), e);
    }
    return new OciLayout(absolute, name);
  }

  /** Whether a folder says that it is one, be it by what is no file: reading it tells that. */
  public static boolean isOne(Path root) {
    return Files.exists(root.resolve(LayoutIndex.FILE), LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * Opens one for writing and makes it when it is missing.
   *
   * @param name that a copied image gets, or null to replace the one without a name
   */
  public static OciLayout create(Path root, @Nullable String name) {
    Path absolute = root.toAbsolutePath().normalize();
    try {
      Files.createDirectories(absolute.resolve("blobs"));
      LayoutIndex.requireVersion(absolute);
      OciLayout layout = new OciLayout(absolute, name);
      layout.blobs.sweep();
      makeVersion(absolute);
      return layout;
    } catch (IOException e) {
      boolean full = FullDisk.isCauseOf(e);
      throw new Problem(
          full ? Problem.Kind.FULL : Problem.Kind.ENVIRONMENT,
          "cannot make an OCI image layout in "
              + root
              + ": "
              + (full ? FullDisk.sentence(absolute) : FileReason.ofFolder(e)),
          e);
    }
  }

  /** Says which version it is, unless that is said; what a killed writer left of it goes. */
  private static void makeVersion(Path root) throws IOException {
    Path version = root.resolve(LayoutIndex.LAYOUT_FILE);
    if (Files.exists(version)) {
      return;
    }
    try (Flock lock = Flock.directory(root)) {
      if (!Files.exists(version)) {
        AtomicFile.sweepOf(version);
        AtomicFile.write(version, LayoutIndex.LAYOUT);
      }
    }
  }

  @Override
  public String describe() {
    return "layout " + root;
  }

  @Override
  public Manifest manifest(@Nullable String selector) throws IOException {
    String wanted = selector == null ? name : selector;
    LayoutIndex index = LayoutIndex.read(root);
    Digest digest = index.find(wanted, root.toString());
    byte[] bytes = blobs.read(digest, Limit.MANIFEST_BYTES);
    Manifest manifest = Manifest.parse(bytes, digest, blobs.path(digest).toString());
    index.require(manifest, root.toString());
    return manifest;
  }

  @Override
  public List<Held> images() throws IOException {
    return LayoutIndex.read(root).images(root.toString());
  }

  @Override
  public InputStream blob(Descriptor descriptor, long offset) throws IOException {
    return blobs.open(descriptor.digest(), offset);
  }

  @Override
  public boolean lacks(Descriptor descriptor) {
    // What is no file is refused when it is opened.
    return !blobs.isThere(descriptor.digest());
  }

  /** {@inheritDoc} Empty: the image without a name. */
  @Override
  public String defaultTag() {
    return name == null ? "" : name;
  }

  @Override
  public boolean hasBlob(Descriptor descriptor) throws IOException {
    return blobs.isIntact(descriptor);
  }

  @Override
  public boolean wrote(Digest blob) {
    return written.contains(blob);
  }

  @Override
  public void putBlob(Descriptor descriptor, BlobSupplier content) throws IOException {
    try (InputStream in = content.open(0)) {
      blobs.write(descriptor, in);
    }
    written.add(descriptor.digest());
  }

  @Override
  public boolean names(Digest manifest) {
    if (name == null) {
      return false;
    }
    try {
      return manifest.equals(Reference.parse(name).digest());
    } catch (Problem e) {
      // Names in a layout are whatever somebody wrote.
      return false;
    }
  }

  /**
   * {@inheritDoc}
   *
   * @param tag a name; empty for the image without one; null for a part of an index
   */
  @Override
  public void putManifest(Manifest manifest, @Nullable String tag) throws IOException {
    blobs.write(manifest.descriptor(), manifest.bytes());
    if (tag != null) {
      try (Flock lock = Flock.directory(root)) {
        AtomicFile.sweepOf(root.resolve(LayoutIndex.FILE));
        LayoutIndex index = LayoutIndex.read(root);
        index.replace(manifest.descriptor(), tag.isEmpty() ? null : tag);
        index.write(root);
      }
    }
  }

  @Override
  public void close() throws IOException {
    blobs.close();
  }
}
