package slipway.registry.api;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import slipway.http.Request;
import slipway.http.Response;
import slipway.http.Router;
import slipway.oci.model.Digest;
import slipway.registry.blobs.BlobStorage.Blob;
import slipway.registry.blobs.BlobStorage.Publication;
import slipway.registry.blobs.BlobStorage.Staged;
import slipway.registry.blobs.BytesCache;
import slipway.registry.catalog.Catalog;
import slipway.registry.catalog.Change;
import slipway.registry.catalog.Change.DeleteManifest;
import slipway.registry.catalog.Change.DeleteTag;
import slipway.registry.catalog.Change.ManifestEntry;
import slipway.registry.catalog.Change.PutManifest;
import slipway.registry.catalog.Change.PutTag;
import slipway.registry.catalog.RegistryError;
import slipway.registry.catalog.RegistryError.Code;
import slipway.registry.catalog.Repository;
import slipway.registry.catalog.Store;

/** Pulls, pushes and deletes manifests and tags (distribution-spec, end-3, 7 and 9). */
final class ManifestApi {
  /** Tags in one push; each costs a header in the answer, whose headers have 16 KiB. */
  private static final int MAX_TAGS = 50;

  private final Store store;
  private final BytesCache cache;
  private final HeavyWork work;

  ManifestApi(Store store, BytesCache cache, HeavyWork work) {
    this.store = store;
    this.cache = cache;
    this.work = work;
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
      return;
    }
    byte[] cached = cache.get(digest);
    if (cached != null) {
      response.end(cached);
      return;
    }
    try (Blob blob = open(digest, entry)) {
      if (entry.size() > ManifestBody.LARGE) {
        response.length(entry.size());
        blob.write(response, 0, entry.size());
      } else {
        byte[] bytes = blob.bytes();
        cache.put(digest, bytes);
        response.end(bytes);
      }
    }
  }

  private Blob open(Digest digest, ManifestEntry entry) throws IOException {
    return store.open(digest, entry.size()).orElseThrow(() -> unknown(digest.toString()));
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
    ManifestBody body;
    try (Staged staged = store.blobs().stage()) {
      body = ManifestBody.receive(request, staged, expected, work);
      List<Digest> blobs = body.blobs();
      List<Change> changes = new ArrayList<>();
      changes.add(new PutManifest(name, body.digest(), body.entry()));
      tags.forEach(tag -> changes.add(new PutTag(name, tag, body.digest())));
      requireBlobs(store.catalog(), name, blobs); // before it costs a sync
      staged.seal();
      store.add(
          List.of(new Publication(staged, body.digest())),
          catalog -> {
            requireBlobs(catalog, name, blobs);
            return changes;
          });
    }
    response.header("Location", "/v2/" + name + "/manifests/" + body.digest());
    response.header("Docker-Content-Digest", body.digest().toString());
    Digest subject = body.entry().subject();
    if (subject != null) {
      response.header("OCI-Subject", subject.toString());
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

  private static void requireBlobs(Catalog catalog, String name, List<Digest> blobs) {
    Repository repository = catalog.repository(name);
    for (Digest digest : blobs) {
      if (repository == null || repository.blobSize(digest) == null) {
        throw new RegistryError(
            Code.MANIFEST_BLOB_UNKNOWN,
            400,
            "push the blob " + digest + " to the repository before the manifest",
            digest.toString(),
            Map.of());
      }
    }
  }

  private void delete(Request request, Response response) throws IOException {
    String name = Names.repository(request.parameter("name"));
    String reference = request.parameter("reference");
    Digest digest = Names.isDigest(reference) ? Names.digest(reference) : null;
    store.remove(
        catalog -> {
          Repository repository = catalog.repository(name);
          if (repository != null && digest != null && repository.manifests.containsKey(digest)) {
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
