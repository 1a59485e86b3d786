package slipway.registry;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.http.Request;
import slipway.http.Response;
import slipway.http.Router;
import slipway.oci.Descriptor;
import slipway.oci.Digest;
import slipway.oci.Manifest;
import slipway.oci.MediaTypes;
import slipway.registry.Change.ManifestEntry;
import slipway.registry.Links.Page;
import slipway.registry.RegistryError.Code;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Lists repositories, tags and referrers (distribution-spec, end-8 and end-12; Docker's catalog).
 */
final class ListApi {
  /** A page of referrers ends behind so many bytes of annotations; clients take 4 MiB at least. */
  private static final int REFERRERS_BYTES = 2 * 1024 * 1024;

  private static final int REFERRERS_PAGE = 1000;
  private static final String JSON = "application/json";

  private final Store store;
  private final ManifestApi manifests;

  ListApi(Store store, ManifestApi manifests) {
    this.store = store;
    this.manifests = manifests;
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
    Page<String> page =
        Links.page(after(repository.tags(), request.query("last")).keySet().iterator(), limit);
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
    Set<Digest> all = repository == null ? Set.of() : repository.referrers(subject);
    List<Digest> rest = new ArrayList<>(all);
    if (last != null) {
      Digest from = Names.digest(last);
      rest.removeIf(digest -> digest.compareTo(from) <= 0);
    }
    List<Descriptor> page = new ArrayList<>();
    Digest next = repository == null ? null : fill(page, repository, rest, type);
    if (type != null) {
      response.header("OCI-Filters-Applied", "artifactType");
    }
    if (next != null) {
      Map<String, @Nullable String> query = new LinkedHashMap<>();
      query.put("artifactType", type);
      query.put("last", next.toString());
      Links.next(response, request.path(), query);
    }
    response.header("Content-Type", MediaTypes.OCI_INDEX);
    response.end(Manifest.Index.of(page, Map.of()).bytes());
  }

  /** Fills a page; gives the digest to go on behind, or null when all are told. */
  private @Nullable Digest fill(
      List<Descriptor> page, Repository repository, List<Digest> rest, @Nullable String type)
      throws IOException {
    long bytes = 0;
    int looked = 0;
    for (Digest digest : rest) {
      Descriptor descriptor = referrer(repository, digest);
      looked++;
      if (descriptor == null || (type != null && !type.equals(descriptor.artifactType()))) {
        continue;
      }
      page.add(descriptor);
      for (Map.Entry<String, String> entry : descriptor.annotations().entrySet()) {
        bytes += entry.getKey().length() + entry.getValue().length();
      }
      boolean full = page.size() >= REFERRERS_PAGE || bytes > REFERRERS_BYTES;
      if (full && looked < rest.size()) {
        return digest;
      }
    }
    return null;
  }

  /** The descriptor of a referrer, or null when it was deleted meanwhile. */
  private @Nullable Descriptor referrer(Repository repository, Digest digest) throws IOException {
    ManifestEntry entry = repository.manifest(digest).orElse(null);
    Optional<byte[]> bytes = entry == null ? Optional.empty() : manifests.bytes(digest);
    if (entry == null || bytes.isEmpty()) {
      return null;
    }
    Manifest manifest = Manifest.parse(bytes.get(), entry.mediaType());
    return new Descriptor(
        entry.mediaType(),
        digest,
        entry.size(),
        new TreeMap<>(manifest.annotations()),
        null,
        artifactType(manifest));
  }

  private static @Nullable String artifactType(Manifest manifest) {
    String own = manifest.artifactType();
    if (own != null && !own.isEmpty()) {
      return own;
    }
    return manifest instanceof Manifest.Image image ? image.config().mediaType() : null;
  }
}
