package slipway.oci.layout;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Json;
import slipway.oci.model.Manifest;
import slipway.oci.model.ManifestJson;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Reference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The {@code index.json} of an OCI image layout (image-spec, image-layout.md): descriptors of
 * manifests, some with a name. Fields that we do not know are kept. A change is: lock, read,
 * change, {@link #write}; the caller locks.
 */
public final class LayoutIndex {
  public static final String FILE = "index.json";

  /** Says which version of the layout it is. */
  public static final String LAYOUT_FILE = "oci-layout";

  public static final String LAYOUT = "{\"imageLayoutVersion\":\"1.0.0\"}";

  /** Annotation that holds the name of an entry (image-spec, annotations.md). */
  static final String REF_NAME = "org.opencontainers.image.ref.name";

  /** Annotation in which containerd and docker write the whole name. */
  static final String CONTAINERD_NAME = "io.containerd.image.name";

  private final ObjectNode root;
  private final List<Item> items = new ArrayList<>();

  /** What the file holds in one place; a broken one is kept as it is. */
  private record Item(JsonNode node, @Nullable Entry entry, @Nullable Broken broken) {}

  /**
   * An entry that cannot be read.
   *
   * @param name its own if that can be read; else one that is made of all it holds, so that it
   *     stays the same whatever else is removed
   * @param why in one sentence
   */
  public record Broken(String name, String why) {
    private static final int DIGITS = 12;

    private static Broken of(JsonNode node, String why) {
      String name = ManifestJson.annotations(node).getOrDefault(REF_NAME, "");
      Digest content = Digest.sha256(Json.write(node));
      return new Broken(
          name.isEmpty() ? "damaged-" + content.hex().substring(0, DIGITS) : name, why);
    }
  }

  private LayoutIndex(ObjectNode root) {
    this.root = root;
  }

  /**
   * One entry.
   *
   * @param name null for a manifest without one
   * @param fullName that containerd and docker gave it; their {@code name} is the tag alone
   */
  public record Entry(Descriptor descriptor, @Nullable String name, @Nullable String fullName) {
    /** The whole name as far as it is known. */
    @Nullable String bestName() {
      return fullName == null ? name : fullName;
    }
  }

  /**
   * Refuses a layout of a version that may mean something else by what it says. One that lacks the
   * file is taken, as by other tools.
   *
   * @param layout its directory
   * @throws Problem of kind CORRUPT
   */
  public static void requireVersion(Path layout) throws IOException {
    String name = layout.resolve(LAYOUT_FILE).toString();
    try (InputStream in = BlobDirectory.openFile(layout, LAYOUT_FILE, 0)) {
      requireVersion(Limit.SMALL_FILE_BYTES.read(in, name), name);
    } catch (NoSuchFileException e) {
      // Taken all the same.
    }
  }

  /**
   * As above, with the file's content.
   *
   * @param where for messages
   */
  public static void requireVersion(byte[] bytes, String where) {
    String version = ManifestJson.read(bytes, where).path("imageLayoutVersion").asString("");
    if (!version.startsWith("1.")) {
      throw Problem.corrupt(
          where
              + (version.isEmpty()
                  ? " names no version of the layout"
                  : " is of version " + Printable.text(version) + " of the layout")
              + "; this version of Slipway reads 1.x");
    }
  }

  public static LayoutIndex empty() {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("schemaVersion", 2);
    root.put("mediaType", MediaTypes.OCI_INDEX);
    return new LayoutIndex(root);
  }

  /** Reads the file; a missing one is empty. */
  public static LayoutIndex read(Path layout) throws IOException {
    String name = layout.resolve(FILE).toString();
    try (InputStream in = BlobDirectory.openFile(layout, FILE, 0)) {
      return parse(Limit.MANIFESTS_BYTES.read(in, name), name);
    } catch (NoSuchFileException e) {
      return empty();
    }
  }

  public static LayoutIndex parse(byte[] bytes, String where) {
    LayoutIndex index = new LayoutIndex((ObjectNode) ManifestJson.read(bytes, where));
    JsonNode manifests = index.root.path("manifests");
    if (!manifests.isArray() && !manifests.isNull() && !manifests.isMissingNode()) {
      throw Problem.corrupt("the manifests of " + where + " are not a list");
    }
    for (JsonNode node : manifests) {
      index.items.add(item(node, index.items.size()));
    }
    return index;
  }

  private static Item item(JsonNode node, int number) {
    try {
      Descriptor d = ManifestJson.descriptor(node, FILE + " manifests[" + number + "]");
      return new Item(
          node,
          new Entry(d, d.annotations().get(REF_NAME), d.annotations().get(CONTAINERD_NAME)),
          null);
    } catch (Problem e) {
      return new Item(node, null, Broken.of(node, String.valueOf(e.getMessage())));
    }
  }

  /** The entries that can be read. */
  public List<Entry> entries() {
    return items.stream().map(Item::entry).filter(Objects::nonNull).toList();
  }

  /** Removes entries that cannot be read, by name, and says whether there were any. */
  public boolean removeBroken(String name) {
    return items.removeIf(i -> i.broken() != null && i.broken().name().equals(name));
  }

  /** Entries that cannot be read; the file keeps them as they are until somebody removes them. */
  public List<Broken> broken() {
    return items.stream().map(Item::broken).filter(Objects::nonNull).toList();
  }

  /**
   * Adds an entry. One with the same name loses it: the entry stays without a name unless its
   * manifest has another name.
   *
   * @return false when all of it was so already
   * @throws Problem of kind CORRUPT when the name holds the digest of another manifest
   */
  public boolean put(Descriptor descriptor, @Nullable String name) {
    Digest digest = descriptor.digest();
    Reference.requireDigest(name, digest);
    if (has(e -> same(e, digest, name)) || (name == null && has(e -> isOf(e, digest)))) {
      return false;
    }
    if (name != null) {
      removeBroken(name); // As a damaged manifest is replaced by the one that has its name now.
      for (Entry old : entries()) {
        if (name.equals(old.name())) {
          removeIf(e -> same(e, old.descriptor().digest(), name));
          put(old.descriptor(), null);
        }
      }
      removeIf(e -> same(e, digest, null));
    }
    add(descriptor, name);
    return true;
  }

  private boolean has(Predicate<Entry> wanted) {
    return items.stream().anyMatch(i -> i.entry() != null && wanted.test(i.entry()));
  }

  private static boolean isOf(Entry e, Digest digest) {
    return e.descriptor().digest().equals(digest);
  }

  private void add(Descriptor descriptor, @Nullable String name) {
    ObjectNode node =
        ManifestJson.write(
            Descriptor.of(descriptor.mediaType(), descriptor.digest(), descriptor.size()));
    if (name != null) {
      node.putObject("annotations").put(REF_NAME, name);
    }
    items.add(item(node, items.size()));
  }

  /** Adds an entry in the place of one with the same name; null names the one without a name. */
  void replace(Descriptor descriptor, @Nullable String name) {
    Reference.requireDigest(name, descriptor.digest());
    removeIf(e -> Objects.equals(e.name(), name));
    add(descriptor, name);
  }

  /**
   * The manifest that a selector means: a name, a digest, {@code @N} for the entry of that number,
   * or null for the only one.
   *
   * @param where for messages
   * @return a digest that need not be of an entry: it may be of a child
   */
  public Digest find(@Nullable String selector, String where) {
    List<Entry> all = entries();
    if (selector == null || selector.isEmpty()) {
      if (all.size() == 1) {
        return all.getFirst().descriptor().digest();
      }
      throw Problem.input(
          all.isEmpty()
              ? where + " holds no image"
              : where + " holds " + all.size() + " images; name one of them: " + names(all));
    }
    for (Entry e : all) {
      if (selector.equals(e.name()) || selector.equals(e.fullName())) {
        Reference.requireDigest(selector, e.descriptor().digest());
        return e.descriptor().digest();
      }
    }
    if (selector.matches("@[0-9]{1,6}")) {
      int number = Integer.parseInt(selector.substring(1));
      if (number < all.size()) {
        return all.get(number).descriptor().digest();
      }
    } else if (selector.startsWith("sha256:") || selector.startsWith("sha512:")) {
      return Digest.parse(selector);
    }
    throw Problem.notFound(
        "there is no image "
            + Printable.text(selector)
            + " in "
            + where
            + "; it has "
            + names(all));
  }

  /**
   * The images that the entries name, each once.
   *
   * @param where for messages
   * @throws Problem of kind CORRUPT when an entry cannot be read
   */
  public List<ImageSource.Held> images(String where) {
    requireWhole(where);
    Map<Digest, List<String>> names = new LinkedHashMap<>();
    for (Entry e : entries()) {
      List<String> own = names.computeIfAbsent(e.descriptor().digest(), d -> new ArrayList<>());
      if (e.bestName() != null) {
        own.add(e.bestName());
      }
    }
    Limit.INDEX_MANIFESTS.check(names.size(), where);
    return names.entrySet().stream()
        .map(e -> new ImageSource.Held(e.getKey().toString(), e.getValue()))
        .toList();
  }

  /**
   * @throws Problem of kind CORRUPT when an entry cannot be read
   */
  public void requireWhole(String where) {
    if (!broken().isEmpty()) {
      throw Problem.corrupt(where + ": " + broken().getFirst().why());
    }
  }

  /**
   * Holds a manifest to what the entries for it say (image-spec, descriptor.md).
   *
   * @param where for messages
   * @throws Problem of kind CORRUPT when it has another size or media type
   */
  public void require(Manifest manifest, String where) {
    for (Entry e : entries()) {
      if (isOf(e, manifest.digest())) {
        e.descriptor().require(manifest, FILE + " of " + where);
      }
    }
  }

  private static String names(List<Entry> all) {
    String names =
        all.stream()
            .map(Entry::bestName)
            .filter(Objects::nonNull)
            .limit(20)
            .map(Printable::text)
            .collect(Collectors.joining(", "));
    return names.isEmpty() ? "none with a name" : names;
  }

  private static boolean same(Entry e, Digest digest, @Nullable String name) {
    return isOf(e, digest) && Objects.equals(e.name(), name);
  }

  /** Removes entries and says whether there were any. */
  public boolean removeIf(Predicate<Entry> gone) {
    return items.removeIf(i -> i.entry() != null && gone.test(i.entry()));
  }

  public byte[] toJson() {
    ArrayNode manifests = root.putArray("manifests");
    items.forEach(i -> manifests.add(i.node()));
    return Json.write(root);
  }

  /** Replaces the file: the commit point of a change of names. */
  public void write(Path layout) throws IOException {
    AtomicFile.write(layout.resolve(FILE), toJson());
  }
}
