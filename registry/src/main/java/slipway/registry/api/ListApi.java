package slipway.registry.api;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.http.Request;
import slipway.http.Response;
import slipway.http.Router;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.registry.blobs.BlobStorage.Blob;
import slipway.registry.blobs.BlobStorage.Staged;
import slipway.registry.blobs.BytesCache;
import slipway.registry.catalog.Change.ManifestEntry;
import slipway.registry.catalog.Change.ReferrerFields;
import slipway.registry.catalog.Links;
import slipway.registry.catalog.Links.Page;
import slipway.registry.catalog.RegistryError;
import slipway.registry.catalog.RegistryError.Code;
import slipway.registry.catalog.Repository;
import slipway.registry.catalog.Store;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Lists repositories, tags and referrers (distribution-spec, end-8 and end-12; Docker's catalog).
 */
final class ListApi {
  /** A page of referrers ends behind so many bytes of annotations; clients take 4 MiB at least. */
  private static final int REFERRERS_BYTES = 2 * 1024 * 1024;

  private static final int REFERRERS_PAGE = 1000;
  private static final System.Logger LOG = System.getLogger("slipway.registry");
  private static final String JSON = "application/json";

  /** So many referrers, all of them in memory, are listed at once; more are heavy work. */
  private static final int FEW = 50;

  private final Store store;
  private final HeavyWork work;

  /** What lists tell of manifests whose fields are too long for the catalogue, as JSON. */
  private final BytesCache fields;

  ListApi(Store store, BytesCache fields, HeavyWork work) {
    this.store = store;
    this.fields = fields;
    this.work = work;
  }

  void register(Router router) {
    router
        .on("GET", "/v2/_catalog", this::repositories)
        .on("GET", "/v2/_oci/ext/discover", ListApi::extensions)
        .on("GET", "/v2/{name...}/tags/list", this::tags)
        .on("GET", "/v2/{name...}/referrers/{digest}", this::referrers);
  }

  private void repositories(Request request, Response response) throws IOException {
    Iterator<String> names =
        after(store.catalog().repositories(), request.query("last")).values().stream()
            .filter(repository -> !repository.manifests.isEmpty())
            .map(Repository::name)
            .iterator();
    int limit = Links.limit(request);
    Page<String> page = Links.page(names, limit);
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    page.items().forEach(root.putArray("repositories")::add);
    linkNext(response, request.path(), limit, page);
    response.end(JSON, root.toString());
  }

  private void tags(Request request, Response response) throws IOException {
    String name = Names.repository(request.parameter("name"));
    Repository repository = store.catalog().repository(name);
    if (repository == null) {
      throw new RegistryError(Code.NAME_UNKNOWN, "there is no repository " + name);
    }
    int limit = Links.limit(request);
    Iterator<String> tags =
        after(repository.tags(), request.query("last")).entrySet().stream()
            .filter(tag -> repository.manifest(tag.getValue()).isPresent())
            .map(Map.Entry::getKey)
            .iterator();
    Page<String> page = Links.page(tags, limit);
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("name", name);
    page.items().forEach(root.putArray("tags")::add);
    linkNext(response, request.path(), limit, page);
    response.end(JSON, root.toString());
  }

  private static <T> NavigableMap<String, T> after(
      NavigableMap<String, T> map, @Nullable String last) {
    return last == null ? map : map.tailMap(last, false);
  }

  private static void linkNext(Response response, String path, int limit, Page<String> page) {
    if (page.more()) {
      Map<String, @Nullable String> query = new LinkedHashMap<>();
      query.put("n", Integer.toString(limit));
      query.put("last", page.items().getLast());
      Links.next(response, path, query);
    }
  }

  /** distribution-spec, extensions/_oci.md: none beyond the specification. */
  private static void extensions(Request request, Response response) throws IOException {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.putArray("extensions");
    response.end(JSON, root.toString());
  }

  private void referrers(Request request, Response response) throws IOException {
    String name = Names.repository(request.parameter("name"));
    Digest subject = Names.digest(request.parameter("digest"));
    String type = request.query("artifactType");
    String last = request.query("last");
    Repository repository = store.catalog().repository(name);
    List<Digest> rest = repository == null ? List.of() : rest(repository, subject, last);
    response.header("Content-Type", MediaTypes.OCI_INDEX);
    if (type != null) {
      response.header("OCI-Filters-Applied", "artifactType");
    }
    if (repository == null || isLight(repository, rest)) {
      Referrers list = list(repository, rest, type);
      linkNext(request, response, list);
      response.end(list.index());
      return;
    }
    // Many clients may ask for long lists and take them slowly: those wait on the disk.
    try (Staged staged = store.blobs().stage()) {
      linkNext(
          request,
          response,
          work.run(
              () -> {
                Referrers list = list(repository, rest, type);
                staged.write(ByteBuffer.wrap(list.index()));
                return new Referrers(new byte[0], list.next());
              }));
      response.length(staged.size());
      staged.send(response);
    }
  }

  private static void linkNext(Request request, Response response, Referrers list) {
    if (list.next() != null) {
      Map<String, @Nullable String> query = new LinkedHashMap<>();
      query.put("artifactType", request.query("artifactType"));
      query.put("last", list.next().toString());
      Links.next(response, request.path(), query);
    }
  }

  /**
   * A page of referrers.
   *
   * @param next the digest to go on behind, or null when all are told
   */
  private record Referrers(byte[] index, @Nullable Digest next) {}

  private static List<Digest> rest(Repository repository, Digest subject, @Nullable String last) {
    List<Digest> rest = new ArrayList<>(repository.referrers(subject));
    if (last != null) {
      Digest from = Names.digest(last);
      rest.removeIf(digest -> digest.compareTo(from) <= 0);
    }
    return rest;
  }

  private static boolean isLight(Repository repository, List<Digest> rest) {
    return rest.size() <= FEW
        && rest.stream()
            .flatMap(digest -> repository.manifest(digest).stream())
            .allMatch(entry -> entry.fields() != null);
  }

  private Referrers list(@Nullable Repository repository, List<Digest> rest, @Nullable String type)
      throws IOException {
    List<Descriptor> page = new ArrayList<>();
    Digest next = repository == null ? null : fill(page, repository, rest, type);
    return new Referrers(Manifest.Index.of(page, Map.of()).bytes(), next);
  }

  private @Nullable Digest fill(
      List<Descriptor> page, Repository repository, List<Digest> rest, @Nullable String type)
      throws IOException {
    long length = 0;
    int looked = 0;
    for (Digest digest : rest) {
      looked++;
      ManifestEntry entry = repository.manifest(digest).orElse(null);
      ReferrerFields told = entry == null ? null : fields(digest, entry);
      if (entry == null || told == null || (type != null && !type.equals(told.artifactType()))) {
        continue;
      }
      page.add(
          new Descriptor(
              entry.mediaType(),
              digest,
              entry.size(),
              told.annotations(),
              null,
              told.artifactType()));
      length += told.length();
      boolean full = page.size() >= REFERRERS_PAGE || length > REFERRERS_BYTES;
      if (full && looked < rest.size()) {
        return digest;
      }
    }
    return null;
  }

  /** Null when the manifest was deleted meanwhile, or lost its bytes. */
  private @Nullable ReferrerFields fields(Digest digest, ManifestEntry entry) throws IOException {
    if (entry.fields() != null) {
      return entry.fields();
    }
    byte[] cached = fields.get(digest);
    if (cached != null) {
      return ReferrerFields.read(cached);
    }
    Optional<Blob> open = store.open(digest, entry.size());
    if (open.isEmpty()) {
      return null;
    }
    try (Blob blob = open.get()) {
      ReferrerFields read =
          ReferrerFields.of(Manifest.parse(blob.bytes(), entry.mediaType(), digest));
      fields.put(digest, read.json());
      return read;
    } catch (Problem damaged) {
      LOG.log(Level.WARNING, "cannot read the manifest {0}: {1}", digest, damaged.getMessage());
      return null;
    }
  }
}
