package slipway.oci.transport;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.TarIndex;
import slipway.archive.tar.TarPacker;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.VerifyingInputStream;
import slipway.oci.layout.LayoutIndex;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;

/** A tar of an OCI image layout, as {@code skopeo} has it behind {@code oci-archive:}. */
public final class OciArchive {
  private OciArchive() {}

  /**
   * Opens one for reading; it may be compressed as a whole.
   *
   * @param name of the image that is meant when a caller names none, or null for the only one
   */
  public static ImageSource source(Path file, @Nullable String name) throws IOException {
    TarIndex tar = TarIndex.open(file);
    try {
      return source(tar, name);
    } catch (Problem | IOException e) {
      tar.close();
      throw e;
    }
  }

  public static ImageSource source(TarIndex tar, @Nullable String name) throws IOException {
    if (tar.has(LayoutIndex.LAYOUT_FILE)) {
      LayoutIndex.requireVersion(
          tar.read(LayoutIndex.LAYOUT_FILE, Limit.SMALL_FILE_BYTES),
          LayoutIndex.LAYOUT_FILE + " of " + tar.name());
    }
    byte[] bytes = tar.read(LayoutIndex.FILE, Limit.MANIFESTS_BYTES);
    LayoutIndex index = LayoutIndex.parse(bytes, "index of " + tar.name());
    index.requireWhole(tar.name());
    return new Source(tar, index, name);
  }

  /**
   * Writes a new one; closing the sink after an image is there is the commit point.
   *
   * @param name that an image gets for which the caller has none, or null for none
   */
  public static ImageSink sink(Path file, @Nullable String name) throws IOException {
    return new Sink("archive " + file, new TarPacker(file), name);
  }

  /** The same to a stream, such as standard output, which stays open. */
  public static ImageSink sink(OutputStream out) {
    return new Sink("the archive", new TarPacker(out), null);
  }

  private static String entry(Digest digest) {
    return "blobs/" + digest.algorithm().label() + "/" + digest.hex();
  }

  private record Source(TarIndex tar, LayoutIndex index, @Nullable String name)
      implements ImageSource {
    @Override
    public String describe() {
      return "archive " + tar.name();
    }

    @Override
    public Manifest manifest(@Nullable String selector) throws IOException {
      Digest digest = index.find(selector == null ? name : selector, tar.name());
      byte[] bytes = tar.read(entry(digest), Limit.MANIFEST_BYTES);
      Manifest manifest = Manifest.parse(bytes, digest, tar.name() + ": " + entry(digest));
      index.require(manifest, tar.name());
      return manifest;
    }

    @Override
    public List<Held> images() {
      return index.images(tar.name());
    }

    @Override
    public InputStream blob(Descriptor descriptor, long offset) {
      return tar.open(entry(descriptor.digest()), offset);
    }

    @Override
    public boolean lacks(Descriptor descriptor) {
      return !tar.has(entry(descriptor.digest()));
    }

    @Override
    public void close() throws IOException {
      tar.close();
    }
  }

  private static final class Sink implements ImageSink {
    private final String description;
    private final @Nullable String name;
    private final TarPacker tar;
    private final LayoutIndex index = LayoutIndex.empty();
    private final Set<Digest> written = new HashSet<>();
    private boolean failed;

    Sink(String description, TarPacker tar, @Nullable String name) {
      this.description = description;
      this.name = name;
      this.tar = tar;
    }

    @Override
    public String describe() {
      return description;
    }

    /** {@inheritDoc} What a killed process left beside the archive and cannot be removed. */
    @Override
    public List<String> notes() {
      return tar.notes();
    }

    /** One entry after another, in the manifest's order: so the same image gives the same file. */
    @Override
    public boolean concurrent() {
      return false;
    }

    @Override
    public String defaultTag() {
      return name == null ? "" : name;
    }

    @Override
    public synchronized boolean hasBlob(Descriptor descriptor) {
      return written.contains(descriptor.digest());
    }

    /** {@inheritDoc} Nothing else is in an archive that is being written. */
    @Override
    public boolean wrote(Digest blob) {
      return true;
    }

    @Override
    public synchronized void putBlob(Descriptor descriptor, BlobSupplier content)
        throws IOException {
      boolean before = failed;
      failed = true; // Until its last byte is there, the tar is broken.
      try (InputStream in = new VerifyingInputStream(content.open(0), descriptor)) {
        tar.add(entry(descriptor.digest()), descriptor.size(), in);
      }
      written.add(descriptor.digest());
      failed = before;
    }

    @Override
    public synchronized void putManifest(Manifest manifest, @Nullable String tag)
        throws IOException {
      if (written.add(manifest.digest())) {
        tar.add(entry(manifest.digest()), manifest.bytes());
      }
      if (tag != null) {
        index.put(manifest.descriptor(), tag.isEmpty() ? null : tag);
      }
    }

    @Override
    public synchronized void abandon() {
      failed = true;
    }

    @Override
    public synchronized void close() throws IOException {
      try (tar) {
        if (!failed && !index.entries().isEmpty()) {
          tar.add(LayoutIndex.FILE, index.toJson());
          tar.add(
              LayoutIndex.LAYOUT_FILE,
              LayoutIndex.LAYOUT.getBytes(java.nio.charset.StandardCharsets.UTF_8));
          tar.commit();
        }
      }
    }
  }
}
