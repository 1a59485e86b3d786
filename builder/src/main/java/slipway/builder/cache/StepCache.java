package slipway.builder.cache;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.archive.compress.Compression;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Json;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * What earlier builds found out, one small file each below {@code cache}: the result of a step, the
 * digest of what a COPY took from a stage, the blob that a snapshot became. They are written
 * without a sync: a file that a power cut damaged counts as missing, and what one points to says by
 * itself whether it is whole.
 */
public final class StepCache {
  private final Path root;
  private final Path workspace;

  /**
   * @param root the build directory
   * @param workspace for what is half written
   */
  public StepCache(Path root, Path workspace) {
    this.root = root.resolve("cache");
    this.workspace = workspace;
  }

  /**
   * The result of a step.
   *
   * @param created RFC 3339
   * @param snapshot the changed files, or null when it changed none
   */
  public record Step(String created, @Nullable String snapshot) {}

  public Optional<Step> step(String key) throws IOException {
    return read(file("steps", key))
        .filter(n -> n.path("created").isString())
        .map(
            n ->
                new Step(
                    n.path("created").asString(),
                    n.path("snapshot").isString() ? n.path("snapshot").asString() : null));
  }

  public void putStep(String key, Step step) throws IOException {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("created", step.created());
    if (step.snapshot() != null) {
      node.put("snapshot", step.snapshot());
    }
    write(file("steps", key), node);
  }

  /** The digest of a selection of files that cannot have changed. */
  public Optional<String> selection(String key) throws IOException {
    return read(file("selections", key)).map(n -> n.path("digest").asString(""));
  }

  public void putSelection(String key, String digest) throws IOException {
    write(file("selections", key), JsonNodeFactory.instance.objectNode().put("digest", digest));
  }

  /** The blob of a snapshot, which the store may have lost since. */
  Optional<LayerRef.Blob> blob(String snapshot, Compression compression, @Nullable Long epoch)
      throws IOException {
    return read(file("blobs", blobKey(snapshot, compression, epoch))).flatMap(StepCache::blob);
  }

  private static Optional<LayerRef.Blob> blob(JsonNode n) {
    try {
      Descriptor descriptor =
          Descriptor.of(
              n.path("mediaType").asString(""),
              Digest.parse(n.path("digest").asString("")),
              n.path("size").asLong(-1));
      return Optional.of(
          new LayerRef.Blob(descriptor, Digest.parse(n.path("diffId").asString(""))));
    } catch (slipway.base.Problem e) {
      return Optional.empty();
    }
  }

  void putBlob(String snapshot, Compression compression, @Nullable Long epoch, LayerRef.Blob blob)
      throws IOException {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("mediaType", blob.descriptor().mediaType());
    node.put("digest", blob.descriptor().digest().toString());
    node.put("size", blob.descriptor().size());
    node.put("diffId", blob.diffId().toString());
    write(file("blobs", blobKey(snapshot, compression, epoch)), node);
  }

  private static String blobKey(String snapshot, Compression compression, @Nullable Long epoch) {
    return CacheKey.of(snapshot, compression.name(), String.valueOf(epoch));
  }

  private Path file(String kind, String key) {
    return root.resolve(kind).resolve(key.substring(0, 2)).resolve(key + ".json");
  }

  private static Optional<JsonNode> read(Path file) throws IOException {
    try {
      JsonNode entry = Json.read(Files.readAllBytes(file));
      BuildStorage.touch(file);
      return Optional.of(entry);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (JacksonException e) {
      return Optional.empty(); // Cut by a crash of the file system: find it out again.
    }
  }

  private void write(Path file, ObjectNode node) throws IOException {
    Files.createDirectories(file.getParent());
    Path temporary = Files.createTempFile(workspace, "entry", ".json");
    Files.write(temporary, Json.write(node));
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
