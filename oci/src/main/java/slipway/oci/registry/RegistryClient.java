package slipway.oci.registry;

import java.io.IOException;
import java.io.InputStream;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Span;
import slipway.oci.copy.VerifyingInputStream;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Reference;

/**
 * One repository in a registry (OCI distribution-spec 1.1). Reads and writes images, lists and
 * deletes. Passing failures are tried again, downloads go on where they were cut; every other
 * failure is a {@link Problem} that names what could not be done and where. Safe for use by many
 * threads.
 */
public final class RegistryClient implements ImageSource, ImageSink {
  private static final String ACCEPT =
      String.join(
          ", ",
          MediaTypes.OCI_INDEX,
          MediaTypes.OCI_MANIFEST,
          MediaTypes.DOCKER_MANIFEST_LIST,
          MediaTypes.DOCKER_MANIFEST);
  private static final Pattern CONTENT_RANGE = Pattern.compile("bytes ([0-9]{1,18})-.*");

  private final Reference name;
  private final RegistryHttp http;
  private final boolean owner;
  private final Map<Digest, String> sessions = new ConcurrentHashMap<>();

  /**
   * @param name of the repository; its tag or digest is what is meant when a caller names none
   */
  public RegistryClient(Reference name, RegistryOptions options) {
    this(name, new RegistryHttp(name, options), true);
  }

  private RegistryClient(Reference name, RegistryHttp http, boolean owner) {
    this.name = name;
    this.http = http;
    this.owner = owner;
  }

  /**
   * Another repository of the same registry, over the same connections. Closing it does nothing;
   * this one must stay open.
   */
  public RegistryClient sibling(Reference other) {
    if (!other.registry().equals(name.registry())) {
      throw new IllegalArgumentException(other + " is not in " + name.registry());
    }
    return new RegistryClient(other, http, false);
  }

  public Reference name() {
    return name;
  }

  @Override
  public String describe() {
    return "registry " + name.registry();
  }

  @Override
  public @Nullable String defaultTag() {
    return name.tag() == null && name.digest() == null ? "latest" : name.tag();
  }

  private String path(String rest) {
    return "/v2/" + name.repository() + "/" + rest;
  }

  private RegistryHttp.Call call(String path, String actions, String action) {
    return new RegistryHttp.Call(
        name, path, Set.of("repository:" + name.repository() + ":" + actions), action);
  }

  private RegistryHttp.Call pull(String path, String action) {
    return call(path, "pull", action);
  }

  private RegistryHttp.Call push(String path, String action) {
    return call(path, "pull,push", action);
  }

  /**
   * {@inheritDoc}
   *
   * @param selector a tag, a digest, or null for what the reference of this client names
   */
  @Override
  public Manifest manifest(@Nullable String selector) throws IOException {
    String wanted = selector == null ? name.selector() : selector;
    String action = "pull manifest " + wanted + " from " + name.name();
    RegistryHttp.Call call = pull(path("manifests/" + wanted), action);
    try (RegistryHttp.Answer answer = http.exchange(call, b -> b.header("Accept", ACCEPT).GET())) {
      if (answer.status() != 200) {
        throw http.refused(answer, action);
      }
      byte[] bytes = answer.bytes(Limit.MANIFEST_BYTES, action);
      return parse(bytes, answer, wanted, action);
    } catch (IOException e) {
      throw http.failed(e, action);
    }
  }

  private static Manifest parse(
      byte[] bytes, RegistryHttp.Answer answer, String selector, String action) {
    String type = answer.header("Content-Type").replaceFirst(";.*", "").strip();
    String mediaType = MediaTypes.isIndex(type) || MediaTypes.isImageManifest(type) ? type : null;
    String promised = answer.header("Docker-Content-Digest");
    try {
      if (selector.contains(":")) {
        return Manifest.parse(bytes, mediaType, Digest.parse(selector));
      }
      return promised.isEmpty()
          ? Manifest.parse(bytes, mediaType)
          : Manifest.parse(bytes, mediaType, Digest.parse(promised));
    } catch (Problem e) {
      throw new Problem(Problem.Kind.CORRUPT, "cannot " + action + ": " + e.getMessage(), e);
    }
  }

  /**
   * Asks for a manifest without reading it.
   *
   * @return its descriptor, or empty when there is none; the digest is what the registry says
   */
  public Optional<Descriptor> head(String selector) throws IOException {
    String action = "look up " + selector + " in " + name.name();
    RegistryHttp.Call call = pull(path("manifests/" + selector), action);
    try (RegistryHttp.Answer answer = http.exchange(call, b -> b.header("Accept", ACCEPT).HEAD())) {
      if (answer.status() == 404) {
        return Optional.empty();
      }
      if (answer.status() != 200) {
        throw http.refused(answer, action);
      }
      String digest = answer.header("Docker-Content-Digest");
      if (digest.isEmpty()) {
        return Optional.of(manifest(selector).descriptor());
      }
      String type = answer.header("Content-Type").replaceFirst(";.*", "").strip();
      long size = answer.headers().firstValueAsLong("Content-Length").orElse(0);
      return Optional.of(Descriptor.of(type, Digest.parse(digest), size));
    } catch (IOException e) {
      throw http.failed(e, action);
    }
  }

  /** {@inheritDoc} The stream resumes by itself after a cut and ends with the promised size. */
  @Override
  public InputStream blob(Descriptor descriptor, long offset) throws IOException {
    String action = "pull blob " + descriptor.digest() + " from " + name.name();
    return new ResumingInputStream(
        at -> openBlob(descriptor, at, action), http, descriptor, offset, action);
  }

  /** {@inheritDoc} The stream resumes by itself after a cut; nothing of it is verified. */
  @Override
  public Optional<InputStream> parts(Descriptor descriptor, List<Span> spans, LongConsumer fetched)
      throws IOException {
    String action = "pull parts of blob " + descriptor.digest() + " from " + name.name();
    RegistryHttp.Call call = pull(path("blobs/" + descriptor.digest()), action);
    BlobParts parts = new BlobParts(http, call, descriptor, spans, fetched);
    Descriptor all = Descriptor.of(descriptor.mediaType(), descriptor.digest(), Span.sum(spans));
    try {
      return Optional.of(new ResumingInputStream(parts::open, http, all, 0, action));
    } catch (BlobParts.WholeOnly e) {
      return Optional.empty();
    }
  }

  /** Opens a whole blob; the stream fails at the end unless digest and size are right. */
  public InputStream openBlob(Descriptor descriptor) throws IOException {
    return new VerifyingInputStream(blob(descriptor, 0), descriptor);
  }

  private InputStream openBlob(Descriptor descriptor, long offset, String action)
      throws IOException {
    if (offset >= descriptor.size() && offset > 0) {
      return InputStream.nullInputStream(); // A range that begins at the end is an error in HTTP.
    }
    RegistryHttp.Call call = pull(path("blobs/" + descriptor.digest()), action);
    RegistryHttp.Answer answer =
        http.exchange(
            call,
            b -> {
              b.header("Accept-Encoding", "identity").GET();
              return offset == 0 ? b : b.header("Range", "bytes=" + offset + "-");
            });
    boolean good = false;
    try {
      if (answer.status() != 200 && answer.status() != 206) {
        throw http.refused(answer, action);
      }
      long from = answer.status() == 200 ? 0 : rangeStart(answer, action);
      checkLength(answer, descriptor, from, action);
      if (from > offset) {
        throw Problem.corrupt("cannot " + action + ": the registry sent another range");
      }
      answer.body().skipNBytes(offset - from);
      good = true;
      return answer.body();
    } finally {
      if (!good) {
        answer.body().close();
      }
    }
  }

  private static long rangeStart(RegistryHttp.Answer answer, String action) {
    Matcher range = CONTENT_RANGE.matcher(answer.header("Content-Range"));
    if (!range.matches()) {
      throw Problem.corrupt("cannot " + action + ": the registry does not say which range it sent");
    }
    return Long.parseLong(range.group(1));
  }

  private static void checkLength(
      RegistryHttp.Answer answer, Descriptor descriptor, long from, String action) {
    long length = answer.headers().firstValueAsLong("Content-Length").orElse(-1);
    if (length >= 0 && from + length != descriptor.size()) {
      throw Problem.corrupt(
          "cannot %s: it has %d bytes instead of the promised %d"
              .formatted(action, from + length, descriptor.size()));
    }
  }

  @Override
  public boolean hasBlob(Descriptor descriptor) throws IOException {
    String action = "look up blob " + descriptor.digest() + " in " + name.name();
    RegistryHttp.Call call = push(path("blobs/" + descriptor.digest()), action);
    try (RegistryHttp.Answer answer = http.exchange(call, HttpRequest.Builder::HEAD)) {
      return switch (answer.status()) {
        case 200 -> true;
        case 404 -> false;
        default -> throw http.refused(answer, action);
      };
    } catch (IOException e) {
      throw http.failed(e, action);
    }
  }

  /** {@inheritDoc} Here: mounts it from another repository of this registry. */
  @Override
  public boolean takeBlob(Descriptor descriptor, ImageSource from) throws IOException {
    if (!(from instanceof RegistryClient other)
        || !other.name.registry().equals(name.registry())
        || other.name.repository().equals(name.repository())) {
      return false;
    }
    String source = other.name.repository();
    String action = "mount blob " + descriptor.digest() + " from " + source + " in " + name.name();
    String path =
        path("blobs/uploads/?mount=" + encode(descriptor.digest().toString()))
            + "&from="
            + encode(source);
    RegistryHttp.Call call =
        new RegistryHttp.Call(
            name,
            path,
            Set.of(
                "repository:" + name.repository() + ":pull,push", "repository:" + source + ":pull"),
            action);
    try (RegistryHttp.Answer answer = http.exchange(call, RegistryClient::emptyPost)) {
      if (answer.status() == 202) {
        sessions.put(descriptor.digest(), http.location(answer, action));
      }
      return answer.status() == 201; // Anything else: an ordinary upload will do, or say why not.
    } catch (IOException e) {
      throw http.failed(e, action);
    }
  }

  private static HttpRequest.Builder emptyPost(HttpRequest.Builder builder) {
    return builder.POST(HttpRequest.BodyPublishers.noBody());
  }

  @Override
  public void putBlob(Descriptor descriptor, BlobSupplier content) throws IOException {
    new RegistryUpload(this, http, descriptor, content, sessions.remove(descriptor.digest())).run();
  }

  /** Begins an upload and returns where to send the bytes. */
  String beginUpload(String action) throws IOException {
    RegistryHttp.Call call = push(path("blobs/uploads/"), action);
    try (RegistryHttp.Answer answer = http.exchange(call, RegistryClient::emptyPost)) {
      if (answer.status() != 202) {
        throw http.refused(answer, action);
      }
      return http.location(answer, action);
    }
  }

  RegistryHttp.Call uploadCall(String location, String action) {
    return push(location, action);
  }

  @Override
  public void putManifest(Manifest manifest, @Nullable String tag) throws IOException {
    String selector = tag == null ? manifest.digest().toString() : tag;
    String action = "push manifest " + selector + " to " + name.name();
    RegistryHttp.Call call = push(path("manifests/" + selector), action);
    boolean subjectKnown;
    try (RegistryHttp.Answer answer =
        http.exchange(
            call,
            b ->
                b.header("Content-Type", manifest.mediaType())
                    .PUT(HttpRequest.BodyPublishers.ofByteArray(manifest.bytes())))) {
      if (answer.status() != 201 && answer.status() != 200 && answer.status() != 202) {
        throw http.refused(answer, action);
      }
      checkDigest(answer.header("Docker-Content-Digest"), manifest, action);
      subjectKnown = !answer.header("OCI-Subject").isEmpty();
    } catch (IOException e) {
      throw http.failed(e, action);
    }
    Descriptor subject = manifest.subject();
    if (subject != null && !subjectKnown) {
      addReferrer(manifest, subject.digest());
    }
  }

  private static void checkDigest(String answered, Manifest manifest, String action) {
    if (!answered.isEmpty() && !Digest.parse(answered).matches(manifest.bytes())) {
      throw Problem.corrupt(
          "cannot " + action + ": the registry stored it as " + answered + "; it changed it");
    }
  }

  /**
   * For registries without the referrers API the client keeps the list, as an index under a tag
   * (distribution-spec, "Referrers Tag Schema").
   */
  private void addReferrer(Manifest manifest, Digest subject) throws IOException {
    List<Descriptor> all = new ArrayList<>(fallbackReferrers(subject));
    if (all.stream().anyMatch(d -> d.digest().equals(manifest.digest()))) {
      return;
    }
    String type = manifest.artifactType();
    if (type == null && manifest instanceof Manifest.Image image) {
      type = image.config().mediaType();
    }
    all.add(
        new Descriptor(
            manifest.mediaType(),
            manifest.digest(),
            manifest.bytes().length,
            manifest.annotations(),
            null,
            type));
    putManifest(Manifest.Index.of(all, Map.of()), fallbackTag(subject));
  }

  private static String fallbackTag(Digest subject) {
    String hex = subject.hex();
    return subject.algorithm().label() + "-" + hex.substring(0, Math.min(hex.length(), 64));
  }

  private List<Descriptor> fallbackReferrers(Digest subject) throws IOException {
    try {
      return manifest(fallbackTag(subject)) instanceof Manifest.Index index
          ? index.manifests()
          : List.of();
    } catch (Problem e) {
      if (e.kind() == Problem.Kind.NOT_FOUND) {
        return List.of();
      }
      throw e;
    }
  }

  /**
   * What refers to a manifest: signatures, attestations, and other artifacts.
   *
   * @param artifactType only these, or null for all
   */
  public List<Descriptor> referrers(Digest subject, @Nullable String artifactType)
      throws IOException {
    String action = "list the referrers of " + subject + " in " + name.name();
    String next = path("referrers/" + subject);
    if (artifactType != null) {
      next += "?artifactType=" + encode(artifactType);
    }
    List<Descriptor> all = new ArrayList<>();
    boolean supported =
        pages(action).read(next, "pull", body -> RegistryPages.referrers(body, all));
    List<Descriptor> found = supported ? all : fallbackReferrers(subject);
    return found.stream()
        .filter(d -> artifactType == null || artifactType.equals(d.artifactType()))
        .toList();
  }

  private RegistryPages pages(String action) {
    return new RegistryPages(http, name, action);
  }

  /** All tags, in the registry's order. */
  public List<String> tags() throws IOException {
    String action = "list the tags of " + name.name();
    List<String> all = new ArrayList<>();
    boolean known =
        pages(action)
            .read(path("tags/list?n=1000"), "pull", body -> RegistryPages.names(body, "tags", all));
    if (!known) {
      throw Problem.notFound("cannot " + action + ": there is no such repository");
    }
    return all;
  }

  /** All repositories of the registry, for registries that tell. */
  public List<String> catalog() throws IOException {
    String action = "list the repositories of " + name.registry();
    List<String> all = new ArrayList<>();
    boolean told =
        pages(action)
            .read(
                "/v2/_catalog?n=1000", "", body -> RegistryPages.names(body, "repositories", all));
    if (!told) {
      throw Problem.notFound("cannot " + action + ": it does not list them");
    }
    return all;
  }

  /**
   * Deletes a tag, or by digest a manifest with all its tags.
   *
   * @throws Problem of kind NOT_FOUND when it is not there, INPUT when the registry does not delete
   */
  public void deleteManifest(String selector) throws IOException {
    delete(path("manifests/" + selector), "delete " + selector + " from " + name.name());
  }

  public void deleteBlob(Digest digest) throws IOException {
    delete(path("blobs/" + digest), "delete blob " + digest + " from " + name.name());
  }

  private void delete(String path, String action) throws IOException {
    try (RegistryHttp.Answer answer =
        http.exchange(call(path, "pull,push,delete", action), HttpRequest.Builder::DELETE)) {
      if (answer.status() == 405) {
        throw Problem.input("cannot " + action + ": this registry does not allow to delete");
      }
      if (answer.status() != 202 && answer.status() != 200 && answer.status() != 204) {
        throw http.refused(answer, action);
      }
    } catch (IOException e) {
      throw http.failed(e, action);
    }
  }

  /**
   * Checks that the registry is one and takes our credentials.
   *
   * @throws Problem of kind DENIED when it does not
   */
  public void ping() throws IOException {
    String action = "log in to " + name.registry();
    RegistryHttp.Call call = new RegistryHttp.Call(name, "/v2/", Set.of(), action);
    try (RegistryHttp.Answer answer = http.exchange(call, HttpRequest.Builder::GET)) {
      if (answer.status() == 404) {
        throw Problem.notFound("cannot " + action + ": no registry answers there");
      }
      if (answer.status() != 200) {
        throw http.refused(answer, action);
      }
    } catch (IOException e) {
      throw http.failed(e, action);
    }
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    if (owner) {
      http.close();
    }
  }
}
