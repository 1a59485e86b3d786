package slipway.registry;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.http.Request;
import slipway.http.Response;
import slipway.http.Router;
import slipway.oci.Descriptor;
import slipway.oci.Digest;
import slipway.oci.Manifest;
import slipway.oci.MediaTypes;
import slipway.registry.BlobStorage.Blob;
import slipway.registry.BlobStorage.Publication;
import slipway.registry.BlobStorage.Staged;
import slipway.registry.Change.DeleteManifest;
import slipway.registry.Change.DeleteTag;
import slipway.registry.Change.ManifestEntry;
import slipway.registry.Change.PutManifest;
import slipway.registry.Change.PutTag;
import slipway.registry.RegistryError.Code;

/** Pulls, pushes and deletes manifests and tags (distribution-spec, end-3, 7 and 9). */
final class ManifestApi {
  /** Tags in one push; each costs a header in the answer. */
  private static final int MAX_TAGS = 100;

  private final Store store;
  private final ManifestCache cache;

  ManifestApi(Store store, ManifestCache cache) {
    this.store = store;
    this.cache = cache;
  }

  void register(Router router) {
    router
        .on("GET", "/v2/{name...}/manifests/{reference}", this::get)
        .on("PUT", "/v2/{name...}/manifests/{reference}", this::put)
        .on("DELETE", "/v2/{name...}/manifests/{reference}", this::delete);
  }

  private void get(Request request, Response response) throws IOException {
    String name = request.parameter("name");
    String reference = request.parameter("reference");
    Repository repository = store.catalog().repository(name);
    if (repository == null) {
      Names.repository(name); // what is there has a valid name
    }
    Digest digest = Names.isDigest(reference) ? Names.digest(reference) : null;
    if (digest == null && repository != null) {
      digest = repository.tag(reference);
    }
    ManifestEntry entry =
        repository == null || digest == null ? null : repository.manifest(digest).orElse(null);
    if (digest == null || entry == null) {
      throw unknown(reference);
    }
    send(request, response, digest, entry);
  }

  private void send(Request request, Response response, Digest digest, ManifestEntry entry)
      throws IOException {
    String etag = "\"" + digest + "\"";
    response.header("Docker-Content-Digest", digest.toString()).header("ETag", etag);
    if (Conditions.notModified(request, etag)) {
      response.status(304).end();
      return;
    }
    response.header("Content-Type", entry.mediaType());
    if (request.method().equals("HEAD")) {
      response.length(entry.size()).end();
    } else {
      response.end(bytes(digest).orElseThrow(() -> unknown(digest.toString())));
    }
  }

  /** The bytes of a manifest that some repository has; empty when it was deleted meanwhile. */
  Optional<byte[]> bytes(Digest digest) throws IOException {
    byte[] cached = cache.get(digest);
    if (cached != null) {
      return Optional.of(cached);
    }
    Optional<Blob> open = store.blobs().open(digest);
    if (open.isEmpty()) {
      return Optional.empty();
    }
    try (Blob blob = open.get()) {
      byte[] bytes = blob.bytes();
      cache.put(digest, bytes);
      return Optional.of(bytes);
    }
  }

  private static RegistryError unknown(String reference) {
    return new RegistryError(
        Code.MANIFEST_UNKNOWN, "the repository has no manifest " + abbreviate(reference));
  }

  private static String abbreviate(String text) {
    return text.length() <= 140 ? text : text.substring(0, 140) + "…";
  }

  private void put(Request request, Response response) throws IOException {
    String name = Names.repository(request.parameter("name"));
    String reference = request.parameter("reference");
    List<String> tags = tags(request, reference);
    Digest expected = Names.isDigest(reference) ? Names.digest(reference) : null;
    byte[] bytes = request.bytes(Limit.MANIFEST_BYTES.intValue());
    Digest digest = digest(bytes, expected);
    Manifest manifest = parse(bytes, request.header("Content-Type"));
    Descriptor subject = manifest.subject();
    Digest subjectDigest = subject == null ? null : subject.digest();
    ManifestEntry entry = new ManifestEntry(manifest.mediaType(), bytes.length, subjectDigest);
    try (Staged staged = store.blobs().stage()) {
      staged.write(ByteBuffer.wrap(bytes));
      staged.seal();
      store.add(
          List.of(new Publication(staged, digest)),
          catalog -> {
            requireBlobs(catalog.repository(name), manifest);
            List<Change> changes = new ArrayList<>();
            changes.add(new PutManifest(name, digest, entry));
            tags.forEach(tag -> changes.add(new PutTag(name, tag, digest)));
            return changes;
          });
    }
    response.header("Location", "/v2/" + name + "/manifests/" + digest);
    response.header("Docker-Content-Digest", digest.toString());
    if (subjectDigest != null) {
      response.header("OCI-Subject", subjectDigest.toString());
    }
    if (expected != null) {
      tags.forEach(tag -> response.addHeader("OCI-Tag", tag));
    }
    response.status(201).end();
  }

  /** The tags to set: that in the path, or those in the query beside a digest. */
  private static List<String> tags(Request request, String reference) {
    List<String> tags = Names.isDigest(reference) ? request.queryAll("tag") : List.of(reference);
    if (tags.size() > MAX_TAGS) {
      throw new RegistryError(
          Code.UNSUPPORTED, 414, "more than " + MAX_TAGS + " tags", null, Map.of());
    }
    for (String tag : tags) {
      if (Names.tag(tag).isEmpty()) {
        throw new RegistryError(
            Code.MANIFEST_INVALID,
            "\""
                + abbreviate(tag)
                + "\" is neither a digest nor a tag; use up to 128 letters,"
                + " digits, and _ . - for a tag");
      }
    }
    return tags.stream().distinct().toList();
  }

  private static Digest digest(byte[] bytes, @Nullable Digest expected) {
    if (expected == null) {
      return Digest.sha256(bytes);
    }
    if (!expected.matches(bytes)) {
      throw new RegistryError(
          Code.DIGEST_INVALID, "the manifest does not have the digest " + expected);
    }
    return expected;
  }

  private static Manifest parse(byte[] bytes, @Nullable String contentType) {
    String declared = contentType == null ? null : mediaType(contentType);
    try {
      Manifest manifest = Manifest.parse(bytes, declared);
      if (declared != null && !declared.equals(manifest.mediaType())) {
        throw new RegistryError(
            Code.MANIFEST_INVALID,
            "the manifest has the type " + manifest.mediaType() + " but was sent as " + declared);
      }
      return manifest;
    } catch (RegistryError e) {
      throw e;
    } catch (Problem e) {
      throw new RegistryError(Code.MANIFEST_INVALID, String.valueOf(e.getMessage()));
    }
  }

  /** Without parameters, which senders should not add and receivers should ignore. */
  private static String mediaType(String contentType) {
    int semicolon = contentType.indexOf(';');
    String type = semicolon < 0 ? contentType : contentType.substring(0, semicolon);
    return type.strip().toLowerCase(Locale.ROOT);
  }

  /** An index may name manifests that are not here: sparse indexes are in use. */
  private static void requireBlobs(@Nullable Repository repository, Manifest manifest) {
    switch (manifest) {
      case Manifest.Index index -> {}
      case Manifest.Image image -> {
        requireBlob(repository, image.config());
        image.layers().forEach(layer -> requireBlob(repository, layer));
      }
    }
  }

  private static void requireBlob(@Nullable Repository repository, Descriptor descriptor) {
    if (isElsewhere(descriptor.mediaType())) {
      return;
    }
    Digest digest = descriptor.digest();
    if (repository == null || repository.blobSize(digest) == null) {
      throw new RegistryError(
          Code.MANIFEST_BLOB_UNKNOWN,
          400,
          "push the blob " + digest + " to the repository before the manifest",
          digest.toString(),
          Map.of());
    }
  }

  /** Layers that their licence keeps off registries: image-spec, "Non-Distributable Layers". */
  private static boolean isElsewhere(String mediaType) {
    return mediaType.equals(MediaTypes.DOCKER_FOREIGN_LAYER)
        || mediaType.startsWith("application/vnd.oci.image.layer.nondistributable.");
  }

  private void delete(Request request, Response response) throws IOException {
    String name = Names.repository(request.parameter("name"));
    String reference = request.parameter("reference");
    Digest digest = Names.isDigest(reference) ? Names.digest(reference) : null;
    store.remove(
        catalog -> {
          Repository repository = catalog.repository(name);
          if (repository != null && digest != null && repository.manifest(digest).isPresent()) {
            return List.of(new DeleteManifest(name, digest));
          }
          if (repository != null && digest == null && repository.tag(reference) != null) {
            return List.of(new DeleteTag(name, reference));
          }
          throw unknown(reference);
        });
    response.status(202).end();
  }
}
