package slipway.oci.transport;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.FileReason;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.VerifyingInputStream;
import slipway.oci.layout.BlobDirectory;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;

/**
 * A directory with one image as {@code skopeo} has it behind {@code dir:}
 * (containers-transports(5)): {@code manifest.json}, blobs under their hex digest, {@code
 * HEX.manifest.json} for the parts of an index, and {@code version}.
 */
public final class DirLayout implements ImageSource, ImageSink {
  private static final String MANIFEST = "manifest.json";
  private static final String VERSION = "version";
  private static final String VERSION_1 = "Directory Transport Version: 1.";
  private static final String VERSION_TEXT = VERSION_1 + "1\n";

  private final Path root;

  private DirLayout(Path root) {
    this.root = root;
  }

  /**
   * @throws Problem of kind NOT_FOUND when there is no image, CORRUPT for another version
   */
  public static DirLayout open(Path root) {
    if (!isOne(root)) {
      BlobDirectory.requireFolder(root);
      throw Problem.notFound(root + " holds no image: it has no " + MANIFEST);
    }
    try {
      requireVersion(root);
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT, "cannot read " + root + ": " + FileReason.of(e), e);
    }
    return new DirLayout(root.toAbsolutePath());
  }

  /** Refuses another version; one that lacks the file is taken, as by skopeo. */
  private static void requireVersion(Path root) throws IOException {
    Path file = root.resolve(VERSION);
    try (InputStream in = BlobDirectory.openFile(root, VERSION, 0)) {
      byte[] bytes = Limit.SMALL_FILE_BYTES.read(in, file.toString());
      String text = new String(bytes, StandardCharsets.UTF_8).strip();
      if (!text.startsWith(VERSION_1)) {
        throw Problem.corrupt(
            file + " says \"" + Printable.text(text) + "\"; this version of Slipway reads 1.x");
      }
    } catch (NoSuchFileException e) {
      // Taken all the same.
    }
  }

  /** Whether a folder says that it is one, be it by what is no file: reading it tells that. */
  public static boolean isOne(Path root) {
    return Files.exists(root.resolve(MANIFEST), LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * Makes the directory, or takes over one that is empty or held an image of this kind.
   *
   * @throws Problem of kind INPUT when something else is there
   */
  public static DirLayout create(Path root) {
    Path absolute = root.toAbsolutePath();
    try {
      Files.createDirectories(absolute);
      if (!Files.exists(absolute.resolve(VERSION))) {
        try (var list = Files.list(absolute)) {
          if (list.findAny().isPresent()) {
            throw Problem.input(root + " is not empty and no image of the dir: kind; name another");
          }
        }
        AtomicFile.write(absolute.resolve(VERSION), VERSION_TEXT);
      }
      requireVersion(absolute);
      AtomicFile.sweepOld(absolute);
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "cannot make an image in " + root + ": " + FileReason.ofFolder(e),
          e);
    }
    return new DirLayout(absolute);
  }

  @Override
  public String describe() {
    return "directory " + root;
  }

  /**
   * {@inheritDoc}
   *
   * @param selector null, or the digest of a part of the index
   */
  @Override
  public Manifest manifest(@Nullable String selector) throws IOException {
    if (selector == null || selector.isEmpty()) {
      return Manifest.parse(bytes(MANIFEST), null, root.resolve(MANIFEST).toString());
    }
    Digest digest = Digest.parse(selector);
    String part = digest.hex() + "." + MANIFEST;
    String file = Files.exists(root.resolve(part)) ? part : MANIFEST;
    return Manifest.parse(bytes(file), digest, root.resolve(file).toString());
  }

  private byte[] bytes(String file) throws IOException {
    try (InputStream in = BlobDirectory.openFile(root, file, 0)) {
      return Limit.MANIFEST_BYTES.read(in, root.resolve(file).toString());
    } catch (NoSuchFileException e) {
      throw new Problem(Problem.Kind.NOT_FOUND, "there is no " + root.resolve(file), e);
    }
  }

  @Override
  public InputStream blob(Descriptor descriptor, long offset) throws IOException {
    try {
      return BlobDirectory.openFile(root, descriptor.digest().hex(), offset);
    } catch (NoSuchFileException e) {
      throw new Problem(
          Problem.Kind.NOT_FOUND, "blob " + descriptor.digest() + " is not in " + root, e);
    }
  }

  /** {@inheritDoc} One, without a name. */
  @Override
  public List<Held> images() {
    return List.of(new Held("", List.of()));
  }

  /** {@inheritDoc} There is one image and it has no name. */
  @Override
  public String defaultTag() {
    return "";
  }

  /** {@inheritDoc} Never: files of another tool may be there that nobody verified. */
  @Override
  public boolean hasBlob(Descriptor descriptor) {
    return false;
  }

  @Override
  public void putBlob(Descriptor descriptor, BlobSupplier content) throws IOException {
    try (AtomicFile file = AtomicFile.create(root.resolve(descriptor.digest().hex()));
        InputStream in = new VerifyingInputStream(content.open(0), descriptor)) {
      in.transferTo(file.out());
      file.commit();
    }
  }

  /**
   * {@inheritDoc}
   *
   * @param tag null for a part of an index; else it becomes the image, whatever the tag
   */
  @Override
  public void putManifest(Manifest manifest, @Nullable String tag) throws IOException {
    String name = tag == null ? manifest.digest().hex() + "." + MANIFEST : MANIFEST;
    AtomicFile.write(root.resolve(name), manifest.bytes());
  }

  @Override
  public void close() {}
}
