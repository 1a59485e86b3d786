package slipway.registry.api;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.http.Request;
import slipway.http.Response;
import slipway.http.Router;
import slipway.oci.model.Digest;
import slipway.registry.blobs.BlobStorage.Blob;
import slipway.registry.blobs.BlobStorage.Publication;
import slipway.registry.catalog.Change.LinkBlob;
import slipway.registry.catalog.Change.UnlinkBlob;
import slipway.registry.catalog.RegistryError;
import slipway.registry.catalog.RegistryError.Code;
import slipway.registry.catalog.Repository;
import slipway.registry.catalog.Store;
import slipway.registry.catalog.UploadSession;
import slipway.registry.catalog.Uploads;

/** Pulls, pushes, mounts and deletes blobs (distribution-spec, end-2, 4, 5, 6, 10, 11, 13, 14). */
final class BlobApi {
  private static final String OCTETS = "application/octet-stream";

  private final Store store;
  private final Uploads uploads;

  BlobApi(Store store, Uploads uploads) {
    this.store = store;
    this.uploads = uploads;
  }

  void register(Router router) {
    router
        .on("POST", "/v2/{name...}/blobs/uploads/", this::begin)
        .on("POST", "/v2/{name...}/blobs/uploads", this::begin)
        .on("GET", "/v2/{name...}/blobs/uploads/{id}", this::status)
        .on("PATCH", "/v2/{name...}/blobs/uploads/{id}", this::append)
        .on("PUT", "/v2/{name...}/blobs/uploads/{id}", this::finish)
        .on("DELETE", "/v2/{name...}/blobs/uploads/{id}", this::cancel)
        .on("GET", "/v2/{name...}/blobs/{digest}", this::get)
        .on("DELETE", "/v2/{name...}/blobs/{digest}", this::delete);
  }

  private void get(Request request, Response response) throws IOException {
    String name = request.parameter("name");
    Repository repository = store.catalog().repository(name);
    if (repository == null) {
      Names.repository(name); // what is there has a valid name
    }
    Digest digest = Names.digest(request.parameter("digest"));
    Long size = repository == null ? null : repository.blobSize(digest);
    if (size == null) {
      throw unknown(digest);
    }
    String etag = "\"" + digest + "\"";
    response.header("Docker-Content-Digest", digest.toString()).header("ETag", etag);
    if (Conditions.notModified(request, etag)) {
      response.status(304).end();
    } else if (request.method().equals("HEAD")) {
      response.header("Accept-Ranges", "bytes").header("Content-Type", OCTETS).length(size).end();
    } else {
      send(request, response, digest, size, etag);
    }
  }

  private void send(Request request, Response response, Digest digest, long size, String etag)
      throws IOException {
    Optional<Blob> open = store.open(digest, size);
    if (open.isEmpty()) {
      throw unknown(digest); // deleted meanwhile, or lost
    }
    try (Blob blob = open.get()) {
      blob.send(request, response, OCTETS, etag);
    }
  }

  private static RegistryError unknown(Digest digest) {
    return new RegistryError(Code.BLOB_UNKNOWN, "the repository has no blob " + digest);
  }

  private void delete(Request request, Response response) throws IOException {
    String name = Names.repository(request.parameter("name"));
    Digest digest = Names.digest(request.parameter("digest"));
    store.remove(
        catalog -> {
          Repository repository = catalog.repository(name);
          if (repository == null || !repository.blobs.containsKey(digest)) {
            throw unknown(digest);
          }
          return List.of(new UnlinkBlob(name, digest));
        });
    response.status(202).end();
  }

  private void begin(Request request, Response response) throws IOException {
    String name = Names.repository(request.parameter("name"));
    String mount = request.query("mount");
    if (mount != null && mount(name, Names.digest(mount), request.query("from"))) {
      created(response, name, Names.digest(mount));
      return;
    }
    String digest = request.query("digest");
    if (digest != null) {
      Digest expected = Names.digest(digest);
      try (UploadSession.Use use = uploads.begin(request.remote(), name, expected.algorithm())) {
        finish(use.session(), request, response, expected);
      }
      return;
    }
    Digest.Algorithm algorithm = algorithm(request.query("digest-algorithm"));
    try (UploadSession.Use use = uploads.begin(request.remote(), name, algorithm)) {
      accepted(response, use.session());
    }
  }

  private static Digest.Algorithm algorithm(@Nullable String label) {
    if (label == null) {
      return Digest.Algorithm.SHA256;
    }
    for (Digest.Algorithm algorithm : Digest.Algorithm.values()) {
      if (algorithm.label().equals(label)) {
        return algorithm;
      }
    }
    throw new RegistryError(
        Code.DIGEST_INVALID, "digest-algorithm is neither sha256 nor sha512: " + label);
  }

  /**
   * Links a blob that another repository has.
   *
   * @param from that repository, or null for whichever has it
   * @return whether there is such a blob
   */
  private boolean mount(String name, Digest digest, @Nullable String from) throws IOException {
    if (from != null) {
      Names.repository(from);
    }
    boolean[] mounted = new boolean[1];
    store.add(
        List.of(),
        catalog -> {
          Repository source = from == null ? null : catalog.repository(from);
          Long size =
              from == null
                  ? catalog.sizeAnywhere(digest)
                  : source == null ? null : source.blobSize(digest);
          mounted[0] = size != null;
          return size == null ? List.of() : List.of(new LinkBlob(name, digest, size));
        });
    return mounted[0];
  }

  private void status(Request request, Response response) throws IOException {
    // Without waiting for a request that sends to it: that one may have stalled.
    describe(response, uploads.find(repository(request), request.parameter("id")));
    response.status(204).end();
  }

  private void append(Request request, Response response) throws IOException {
    try (UploadSession.Use use = use(request)) {
      uploads.append(use.session(), request);
      accepted(response, use.session());
    }
  }

  private void finish(Request request, Response response) throws IOException {
    try (UploadSession.Use use = use(request)) {
      String digest = request.query("digest");
      if (digest == null) {
        throw new RegistryError(Code.DIGEST_INVALID, "the digest parameter is missing");
      }
      finish(use.session(), request, response, Names.digest(digest));
    }
  }

  /** A chunk that does not fit leaves the session as it is; a wrong digest ends it. */
  private void finish(UploadSession session, Request request, Response response, Digest digest)
      throws IOException {
    uploads.append(session, request);
    String name = session.repository();
    try {
      Publication publication = session.seal(digest);
      LinkBlob link = new LinkBlob(name, digest, session.size());
      store.add(List.of(publication), catalog -> List.of(link));
    } finally {
      uploads.end(session);
    }
    created(response, name, digest);
  }

  private void cancel(Request request, Response response) throws IOException {
    try (UploadSession.Use use = use(request)) {
      uploads.end(use.session());
    }
    response.status(204).end();
  }

  private UploadSession.Use use(Request request) {
    return uploads.use(repository(request), request.parameter("id"));
  }

  private static String repository(Request request) {
    return Names.repository(request.parameter("name"));
  }

  private static void accepted(Response response, UploadSession session) throws IOException {
    describe(response, session);
    response.status(202).end();
  }

  private static void describe(Response response, UploadSession session) {
    response
        .header("Location", session.location())
        .header("Range", session.range())
        .header("Docker-Upload-UUID", session.id());
  }

  private static void created(Response response, String name, Digest digest) throws IOException {
    response
        .header("Location", "/v2/" + name + "/blobs/" + digest)
        .header("Docker-Content-Digest", digest.toString())
        .status(201)
        .end();
  }
}
