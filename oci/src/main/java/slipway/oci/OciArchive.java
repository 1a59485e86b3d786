package slipway.oci;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;

/** A tar of an OCI image layout, as {@code skopeo} has it behind {@code oci-archive:}. */
public final class OciArchive {
  private static final int INDEX_LIMIT = 64 * 1024 * 1024;

  private OciArchive() {}

  /**
   * Opens one for reading; it may be compressed as a whole.
   *
   * @param name of the image that is meant when a caller names none, or null for the only one
   */
  public static ImageSource source(Path file, @Nullable String name) throws IOException {
    TarIndex tar = TarIndex.open(file);
    try {
      byte[] bytes = tar.read(LayoutIndex.FILE, INDEX_LIMIT);
      return new Source(file, tar, LayoutIndex.parse(bytes, file + "'s index"), name);
    } catch (Problem | IOException e) {
      tar.close();
      throw e;
    }
  }

  /** Whether a tar has an image layout inside; otherwise it may be docker's kind of archive. */
  static boolean is(Path file) throws IOException {
    try (TarIndex tar = TarIndex.open(file)) {
      return tar.has(LayoutIndex.FILE);
    }
  }

  /**
   * Writes a new one; closing the sink after its image is there is the commit point.
   *
   * @param name that the image gets, or null for none
   */
  public static ImageSink sink(Path file, @Nullable String name) throws IOException {
    return new Sink(file, name);
  }

  private static String entry(Digest digest) {
    return "blobs/" + digest.algorithm().label() + "/" + digest.hex();
  }

  private record Source(Path file, TarIndex tar, LayoutIndex index, @Nullable String name)
      implements ImageSource {
    @Override
    public String describe() {
      return "archive " + file;
    }

    @Override
    public Manifest manifest(@Nullable String selector) throws IOException {
      Digest digest = index.find(selector == null ? name : selector, file.toString());
      return Manifest.parse(tar.read(entry(digest), Manifest.MAX_BYTES), null, digest);
    }

    @Override
    public List<String> names() {
      return index.entries().stream()
          .map(LayoutIndex.Entry::name)
          .filter(Objects::nonNull)
          .toList();
    }

    @Override
    public InputStream blob(Descriptor descriptor, long offset) {
      return tar.open(entry(descriptor.digest()), offset);
    }

    @Override
    public void close() throws IOException {
      tar.close();
    }
  }

  private static final class Sink implements ImageSink {
    private final Path file;
    private final @Nullable String name;
    private final TarPacker tar;
    private final LayoutIndex index = LayoutIndex.empty();
    private final Set<Digest> written = new HashSet<>();
    private boolean failed;

    Sink(Path file, @Nullable String name) throws IOException {
      this.file = file;
      this.name = name;
      this.tar = new TarPacker(file);
    }

    @Override
    public String describe() {
      return "archive " + file;
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

    @Override
    public synchronized void putBlob(Descriptor descriptor, BlobSupplier content)
        throws IOException {
      failed = true; // Until its last byte is there, the tar is broken.
      try (InputStream in = new VerifyingInputStream(content.open(0), descriptor)) {
        tar.add(entry(descriptor.digest()), descriptor.size(), in);
      }
      written.add(descriptor.digest());
      failed = false;
    }

    @Override
    public synchronized void putManifest(Manifest manifest, @Nullable String tag)
        throws IOException {
      if (written.add(manifest.digest())) {
        tar.add(entry(manifest.digest()), manifest.bytes());
      }
      if (tag != null) {
        index.replace(manifest.descriptor(), tag.isEmpty() ? null : tag);
      }
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
