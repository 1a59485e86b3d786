package slipway.oci;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The {@code index.json} of an OCI image layout (image-spec, image-layout.md): descriptors of
 * manifests, some with a name. Fields that we do not know are kept. A change is: lock, read,
 * change, {@link #write}; the caller locks.
 */
final class LayoutIndex {
  static final String FILE = "index.json";

  /** Says which version of the layout it is. */
  static final String LAYOUT_FILE = "oci-layout";

  static final String LAYOUT = "{\"imageLayoutVersion\":\"1.0.0\"}";

  /** Annotation that holds the name of an entry (image-spec, annotations.md). */
  static final String REF_NAME = "org.opencontainers.image.ref.name";

  private static final int LIMIT = 64 * 1024 * 1024;

  private final ObjectNode root;

  private LayoutIndex(ObjectNode root) {
    this.root = root;
  }

  /** One entry; the name is null for a manifest without one. */
  record Entry(Descriptor descriptor, @Nullable String name) {}

  static LayoutIndex empty() {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("schemaVersion", 2);
    root.put("mediaType", MediaTypes.OCI_INDEX);
    root.putArray("manifests");
    return new LayoutIndex(root);
  }

  /** Reads the file; a missing one is empty. */
  static LayoutIndex read(Path layout) throws IOException {
    Path file = layout.resolve(FILE);
    if (!Files.exists(file)) {
      return empty();
    }
    if (Files.size(file) > LIMIT) {
      throw Problem.corrupt(file + " is over " + LIMIT + " bytes");
    }
    return parse(Files.readAllBytes(file), file.toString());
  }

  static LayoutIndex parse(byte[] bytes, String where) {
    JsonNode node = ManifestJson.read(bytes, where);
    LayoutIndex index = new LayoutIndex((ObjectNode) node);
    index.manifests();
    return index;
  }

  private ArrayNode manifests() {
    JsonNode manifests = root.get("manifests");
    if (manifests == null || manifests.isNull()) {
      return root.putArray("manifests");
    }
    if (manifests instanceof ArrayNode array) {
      return array;
    }
    throw Problem.corrupt("the manifests of " + FILE + " are not a list");
  }

  List<Entry> entries() {
    List<Entry> list = new ArrayList<>();
    ArrayNode manifests = manifests();
    for (int i = 0; i < manifests.size(); i++) {
      Descriptor d = ManifestJson.descriptor(manifests.get(i), FILE + " manifests[" + i + "]");
      list.add(new Entry(d, d.annotations().get(REF_NAME)));
    }
    return list;
  }

  /**
   * Adds an entry. One with the same name loses it: the entry stays without a name unless its
   * manifest has another name.
   *
   * @return false when all of it was so already
   */
  boolean put(Descriptor descriptor, @Nullable String name) {
    List<Entry> before = entries();
    if (before.stream().anyMatch(e -> same(e, descriptor.digest(), name))) {
      return false;
    }
    if (name != null) {
      for (Entry e : before) {
        if (name.equals(e.name())) {
          unname(e);
        }
      }
      removeIf(e -> same(e, descriptor.digest(), null));
    } else if (before.stream().anyMatch(e -> e.descriptor().digest().equals(descriptor.digest()))) {
      return false;
    }
    ObjectNode entry =
        ManifestJson.write(
            Descriptor.of(descriptor.mediaType(), descriptor.digest(), descriptor.size()));
    if (name != null) {
      entry.putObject("annotations").put(REF_NAME, name);
    }
    manifests().add(entry);
    return true;
  }

  /** Adds an entry in the place of one with the same name; null names the one without a name. */
  void replace(Descriptor descriptor, @Nullable String name) {
    removeIf(e -> java.util.Objects.equals(e.name(), name));
    ObjectNode entry = manifests().addObject();
    entry.setAll(
        ManifestJson.write(
            Descriptor.of(descriptor.mediaType(), descriptor.digest(), descriptor.size())));
    if (name != null) {
      entry.putObject("annotations").put(REF_NAME, name);
    }
  }

  /**
   * The manifest that a selector means: a name, a digest, {@code @N} for the entry of that number,
   * or null for the only one.
   *
   * @param where for messages
   * @return a digest that need not be of an entry: it may be of a child
   */
  Digest find(@Nullable String selector, String where) {
    List<Entry> all = entries();
    if (selector == null || selector.isEmpty()) {
      if (all.size() == 1) {
        return all.getFirst().descriptor().digest();
      }
      throw Problem.input(
          where + " holds " + all.size() + " images; name one of them: " + names(all));
    }
    for (Entry e : all) {
      if (selector.equals(e.name())) {
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
        "there is no image " + selector + " in " + where + "; it has " + names(all));
  }

  private static String names(List<Entry> all) {
    String names =
        all.stream()
            .map(Entry::name)
            .filter(java.util.Objects::nonNull)
            .limit(20)
            .collect(Collectors.joining(", "));
    return names.isEmpty() ? "none with a name" : names;
  }

  private void unname(Entry old) {
    removeIf(e -> same(e, old.descriptor().digest(), old.name()));
    put(old.descriptor(), null);
  }

  private static boolean same(Entry e, Digest digest, @Nullable String name) {
    return e.descriptor().digest().equals(digest) && java.util.Objects.equals(e.name(), name);
  }

  /** Removes entries and says whether there were any. */
  boolean removeIf(Predicate<Entry> gone) {
    List<Entry> all = entries();
    ArrayNode manifests = manifests();
    boolean any = false;
    for (int i = all.size() - 1; i >= 0; i--) {
      if (gone.test(all.get(i))) {
        manifests.remove(i);
        any = true;
      }
    }
    return any;
  }

  byte[] toJson() {
    return Json.write(root);
  }

  /** Replaces the file: the commit point of a change of names. */
  void write(Path layout) throws IOException {
    AtomicFile.write(layout.resolve(FILE), toJson());
  }
}
