package slipway.oci;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.linux.OsPath;
import slipway.linux.Posix;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes {@link DockerArchive}. A tar wants lengths before contents, so blobs are collected in a
 * directory beside the file first.
 */
final class DockerArchiveSink implements ImageSink {
  private static final int CONFIG_LIMIT = 16 * 1024 * 1024;

  private final Path file;
  private final @Nullable Reference name;
  private final Path staging;
  private final BlobDirectory blobs;
  private final TarPacker tar;
  private boolean complete;

  private DockerArchiveSink(Path file, @Nullable Reference name, Path staging) throws IOException {
    this.file = file;
    this.name = name;
    this.staging = staging;
    this.blobs = new BlobDirectory(staging, staging);
    this.tar = new TarPacker(file);
  }

  static DockerArchiveSink create(Path file, @Nullable Reference name) throws IOException {
    Path parent = java.util.Objects.requireNonNull(file.toAbsolutePath().getParent());
    Path staging = Files.createTempDirectory(parent, ".slipway-");
    return new DockerArchiveSink(file, name, staging);
  }

  @Override
  public String describe() {
    return "archive " + file;
  }

  @Override
  public String defaultTag() {
    return name == null ? "" : name.orLatest().toString();
  }

  @Override
  public boolean hasBlob(Descriptor descriptor) {
    return blobs.has(descriptor.digest());
  }

  @Override
  public void putBlob(Descriptor descriptor, BlobSupplier content) throws IOException {
    try (InputStream in = content.open(0)) {
      blobs.write(descriptor, in);
    }
  }

  /**
   * {@inheritDoc}
   *
   * @param tag a whole name, or empty for none; null is a part of an index, which does not fit
   */
  @Override
  public synchronized void putManifest(Manifest manifest, @Nullable String tag) throws IOException {
    if (!(manifest instanceof Manifest.Image image) || tag == null || complete) {
      throw Problem.input(
          file
              + " can hold one image of one platform only; choose a platform, or use oci-archive:");
    }
    byte[] bytes = blobs.read(image.config().digest(), CONFIG_LIMIT);
    List<Digest> diffIds = ImageConfig.parse(bytes).diffIds();
    if (diffIds.size() != image.layers().size()) {
      throw Problem.input("image " + image.digest() + " is an artifact without a file system");
    }
    String config = image.config().digest().hex() + ".json";
    tar.add(config, bytes);
    List<String> layers = new ArrayList<>();
    Set<Digest> written = new HashSet<>();
    for (int i = 0; i < diffIds.size(); i++) {
      Digest diffId = diffIds.get(i);
      layers.add(diffId.hex() + ".tar");
      if (written.add(diffId)) {
        addLayer(image.layers().get(i), diffId);
      }
    }
    tar.add(DockerArchive.MANIFEST, list(config, tag, layers));
    complete = true;
  }

  private void addLayer(Descriptor layer, Digest diffId) throws IOException {
    Path plain = staging.resolve("layer");
    try (InputStream in = Compression.decompressAny(blobs.open(layer.digest(), 0));
        OutputStream out = new BufferedOutputStream(Files.newOutputStream(plain))) {
      in.transferTo(out);
    }
    Descriptor promised = Descriptor.of(MediaTypes.OCI_LAYER, diffId, Files.size(plain));
    try (InputStream in = new VerifyingInputStream(Files.newInputStream(plain), promised)) {
      tar.add(diffId.hex() + ".tar", promised.size(), in);
    }
    Files.delete(plain);
  }

  private static byte[] list(String config, String tag, List<String> layers) {
    ArrayNode root = JsonNodeFactory.instance.arrayNode();
    ObjectNode item = root.addObject();
    item.put("Config", config);
    ArrayNode tags = item.putArray("RepoTags");
    if (!tag.isEmpty()) {
      tags.add(tag);
    }
    ArrayNode array = item.putArray("Layers");
    layers.forEach(array::add);
    return Json.write(root);
  }

  @Override
  public synchronized void close() throws IOException {
    try (tar;
        blobs) {
      if (complete) {
        tar.commit();
      }
    } finally {
      Posix.removeTree(OsPath.of(staging));
    }
  }
}
