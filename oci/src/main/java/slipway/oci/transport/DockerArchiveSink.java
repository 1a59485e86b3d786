package slipway.oci.transport;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.archive.compress.Compression;
import slipway.archive.tar.TarPacker;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.linux.lock.ScratchFolder;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.VerifyingInputStream;
import slipway.oci.layout.BlobDirectory;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Json;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Reference;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes {@link DockerArchive}. A tar wants lengths before contents, so blobs are collected in a
 * directory beside the file first.
 */
final class DockerArchiveSink implements ImageSink {
  private final String description;
  private final @Nullable Reference name;
  private final ScratchFolder staging;
  private final List<String> notes;
  private final BlobDirectory blobs;
  private final TarPacker tar;
  private final Map<Digest, ObjectNode> items = new LinkedHashMap<>();
  private final Set<Digest> written = new HashSet<>();
  private boolean broken;

  private DockerArchiveSink(
      String description, TarPacker tar, @Nullable Reference name, Path folder) throws IOException {
    this.description = description;
    this.name = name;
    List<String> told = new ArrayList<>();
    this.staging = ScratchFolder.create(folder, TarPacker.UNFINISHED, told::add);
    this.notes = List.copyOf(told);
    this.blobs = new BlobDirectory(staging.path(), staging.path());
    this.tar = tar;
  }

  static DockerArchiveSink create(Path file, @Nullable Reference name) throws IOException {
    Path parent = java.util.Objects.requireNonNull(file.toAbsolutePath().getParent());
    return open("archive " + file, new TarPacker(file), name, parent);
  }

  static DockerArchiveSink create(OutputStream out, Path folder) throws IOException {
    return open("the archive", new TarPacker(out), null, folder);
  }

  private static DockerArchiveSink open(
      String description, TarPacker tar, @Nullable Reference name, Path folder) throws IOException {
    try {
      return new DockerArchiveSink(description, tar, name, folder);
    } catch (IOException | RuntimeException e) {
      tar.close();
      throw e;
    }
  }

  /** {@inheritDoc} What a killed process left beside the archive and cannot be removed. */
  @Override
  public List<String> notes() {
    return notes;
  }

  @Override
  public String describe() {
    return description;
  }

  @Override
  public String defaultTag() {
    return name == null ? "" : name.orLatest().toString();
  }

  @Override
  public boolean hasBlob(Descriptor descriptor) {
    return blobs.has(descriptor.digest());
  }

  /** {@inheritDoc} Nothing else is in an archive that is being written. */
  @Override
  public boolean wrote(Digest blob) {
    return true;
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
    if (!(manifest instanceof Manifest.Image image) || tag == null) {
      throw Problem.input(
          description
              + " can hold images of one platform only; choose a platform, or use oci-archive:");
    }
    ObjectNode item = items.get(image.digest());
    if (item == null) {
      item = add(image);
      items.put(image.digest(), item);
    }
    // As docker has it: a name with a digest is none of RepoTags, since the manifest is made anew
    // of what is in here.
    if (!tag.isEmpty() && tag.indexOf('@') < 0) {
      item.withArray("RepoTags").add(tag);
    }
  }

  private ObjectNode add(Manifest.Image image) throws IOException {
    byte[] bytes = blobs.read(image.config().digest(), Limit.CONFIG_BYTES);
    List<Digest> diffIds = ImageConfig.parse(bytes).diffIds();
    if (diffIds.size() != image.layers().size()) {
      throw Problem.input("image " + image.digest() + " is an artifact without a file system");
    }
    broken = true; // Until its last byte is there, the tar is.
    ObjectNode item = JsonNodeFactory.instance.objectNode();
    String config = image.config().digest().hex() + ".json";
    if (written.add(image.config().digest())) {
      tar.add(config, bytes);
    }
    item.put("Config", config);
    item.putArray("RepoTags");
    ArrayNode layers = item.putArray("Layers");
    for (int i = 0; i < diffIds.size(); i++) {
      Digest diffId = diffIds.get(i);
      layers.add(diffId.hex() + ".tar");
      if (written.add(diffId)) {
        addLayer(image.layers().get(i), diffId);
      }
    }
    broken = false;
    return item;
  }

  private void addLayer(Descriptor layer, Digest diffId) throws IOException {
    Path plain = staging.path().resolve("layer");
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

  @Override
  public synchronized void abandon() {
    broken = true;
  }

  @Override
  public synchronized void close() throws IOException {
    try (staging;
        tar;
        blobs) {
      if (!broken && !items.isEmpty()) {
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        items.values().forEach(list::add);
        tar.add(DockerArchive.MANIFEST, Json.write(list));
        tar.commit();
      }
    }
  }
}
