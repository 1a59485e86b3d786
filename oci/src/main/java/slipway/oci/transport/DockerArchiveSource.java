package slipway.oci.transport;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import slipway.archive.compress.Compression;
import slipway.archive.tar.TarIndex;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Json;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Reference;
import tools.jackson.databind.JsonNode;

/** Reads {@link DockerArchive}. */
final class DockerArchiveSource implements ImageSource {
  private final String file;
  private final TarIndex tar;
  private final @Nullable String name;
  private final List<Item> items;
  private final Map<Digest, String> files = new HashMap<>();
  private final Map<Digest, Manifest.Image> manifests = new HashMap<>();
  private final Map<Item, Manifest.Image> built = new HashMap<>();

  private record Item(String config, List<String> names, List<String> layers) {}

  public DockerArchiveSource(TarIndex tar, @Nullable String name) throws IOException {
    this.file = tar.name();
    this.tar = tar;
    this.name = name;
    this.items = items();
  }

  static DockerArchiveSource open(Path file, @Nullable String name) throws IOException {
    TarIndex tar = TarIndex.open(file);
    try {
      return new DockerArchiveSource(tar, name);
    } catch (Problem | IOException e) {
      tar.close();
      throw e;
    }
  }

  private List<Item> items() throws IOException {
    if (!tar.has(DockerArchive.MANIFEST)) {
      throw tar.lacks(DockerArchive.MANIFEST + " of a docker archive");
    }
    JsonNode root =
        Json.read(
            tar.read(DockerArchive.MANIFEST, Limit.MANIFEST_BYTES),
            DockerArchive.MANIFEST + " in " + file);
    List<Item> list = new ArrayList<>();
    for (JsonNode node : root) {
      List<String> layers = strings(node.path("Layers"));
      Limit.IMAGE_LAYERS.check(layers.size(), "an image in " + file);
      Limit.INDEX_MANIFESTS.check(list.size() + 1L, file);
      list.add(new Item(node.path("Config").asString(""), strings(node.path("RepoTags")), layers));
    }
    return list;
  }

  private static List<String> strings(JsonNode array) {
    List<String> list = new ArrayList<>();
    array.forEach(n -> list.add(n.asString("")));
    return list;
  }

  @Override
  public String describe() {
    return "archive " + file;
  }

  @Override
  public List<Held> images() {
    List<Held> list = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      list.add(new Held("@" + i, items.get(i).names()));
    }
    return list;
  }

  private String names() {
    return items.stream()
        .flatMap(i -> i.names().stream())
        .limit(20)
        .map(Printable::text)
        .collect(Collectors.joining(", "));
  }

  @Override
  public synchronized Manifest manifest(@Nullable String selector) throws IOException {
    String wanted = selector == null ? name : selector;
    if (wanted != null && wanted.startsWith("sha256:")) {
      Manifest known = manifests.get(Digest.parse(wanted));
      if (known != null) {
        return known;
      }
    }
    Manifest.Image image = image(choose(wanted));
    Reference.requireDigest(wanted, image.digest());
    return image;
  }

  private Manifest.Image image(Item item) throws IOException {
    Manifest.Image known = built.get(item);
    if (known != null) {
      return known;
    }
    Manifest.Image image = build(item);
    built.put(item, image);
    manifests.put(image.digest(), image);
    return image;
  }

  private Item choose(@Nullable String wanted) {
    if (wanted == null) {
      if (items.size() == 1) {
        return items.getFirst();
      }
      throw Problem.input(
          file + " holds " + items.size() + " images; name one of them: " + names());
    }
    if (wanted.matches("@[0-9]{1,6}") && Integer.parseInt(wanted.substring(1)) < items.size()) {
      return items.get(Integer.parseInt(wanted.substring(1)));
    }
    for (Item item : items) {
      if (item.names().stream().anyMatch(n -> same(n, wanted))) {
        return item;
      }
    }
    throw Problem.notFound(
        "there is no image " + Printable.text(wanted) + " in " + file + "; it has " + names());
  }

  private static boolean same(String a, String b) {
    try {
      return a.equals(b) || Reference.parse(a).orLatest().equals(Reference.parse(b).orLatest());
    } catch (Problem e) {
      return false; // One of them is not a name.
    }
  }

  private Manifest.Image build(Item item) throws IOException {
    byte[] bytes = tar.read(item.config(), Limit.CONFIG_BYTES);
    ImageConfig config = ImageConfig.parse(bytes);
    if (config.diffIds().size() != item.layers().size()) {
      throw Problem.corrupt(
          "%s has an image with %d layers whose config lists %d"
              .formatted(file, item.layers().size(), config.diffIds().size()));
    }
    Descriptor configDescriptor = Descriptor.of(MediaTypes.OCI_CONFIG, bytes);
    files.put(configDescriptor.digest(), item.config());
    List<Descriptor> layers = new ArrayList<>();
    for (int i = 0; i < item.layers().size(); i++) {
      layers.add(layer(item.layers().get(i), config.diffIds().get(i)));
    }
    return Manifest.Image.of(configDescriptor, layers, Map.of());
  }

  /** An uncompressed layer has the digest that the config promises; another one is hashed now. */
  private Descriptor layer(String entry, Digest diffId) throws IOException {
    Compression compression;
    try (InputStream in = tar.open(entry, 0)) {
      compression = Compression.of(in.readNBytes(4));
    }
    Digest digest = compression == Compression.NONE ? diffId : hash(entry);
    files.put(digest, entry);
    return Descriptor.of(MediaTypes.layer(compression), digest, tar.size(entry));
  }

  private Digest hash(String entry) throws IOException {
    MessageDigest hash = Digest.Algorithm.SHA256.newMessageDigest();
    byte[] buffer = new byte[128 * 1024];
    try (InputStream in = tar.open(entry, 0)) {
      for (int n; (n = in.read(buffer)) >= 0; ) {
        hash.update(buffer, 0, n);
      }
    }
    return Digest.of(Digest.Algorithm.SHA256, hash.digest());
  }

  @Override
  public synchronized InputStream blob(Descriptor descriptor, long offset) {
    String entry = files.get(descriptor.digest());
    if (entry == null) {
      throw Problem.notFound("blob " + descriptor.digest() + " is not in " + file);
    }
    return tar.open(entry, offset);
  }

  @Override
  public void close() throws IOException {
    tar.close();
  }
}
