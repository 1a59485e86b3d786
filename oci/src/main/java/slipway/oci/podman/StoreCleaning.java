package slipway.oci.podman;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import slipway.base.Limit;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Removal;
import slipway.oci.model.Json;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * Takes images out of podman's store, and what nothing needs any more. First the lists are changed,
 * then files go: what a kill leaves of them is in no list, and goes the next time.
 */
final class StoreCleaning {
  private static final String TAR_SPLIT = ".tar-split.gz";

  private final Path root;
  private final LockedList layers;
  private final LockedList images;
  private final InstantSource clock;

  /** Containers and the layers that they write to, which others may have made here. */
  private final Set<String> usedImages = new HashSet<>();

  private final Set<String> usedLayers = new HashSet<>();

  StoreCleaning(Path root, LockedList layers, LockedList images, InstantSource clock) {
    this.root = root;
    this.layers = layers;
    this.images = images;
    this.clock = clock;
  }

  List<PodmanStore.Held> keepOnly(Set<String> names) throws IOException {
    readContainers();
    // A name with a digest means the image that has that manifest, whatever it is called here.
    Set<String> manifests =
        names.stream()
            .filter(name -> name.indexOf('@') >= 0)
            .map(name -> StoredImage.MANIFEST + "-" + name.substring(name.indexOf('@') + 1))
            .collect(Collectors.toSet());
    List<PodmanStore.Held> gone = new ArrayList<>();
    boolean changed =
        remove(
            images,
            image -> {
              List<String> has = strings(image.path("names"));
              String id = image.path("id").asString("");
              boolean keep =
                  usedImages.contains(id)
                      || has.stream().anyMatch(names::contains)
                      || strings(image.path("big-data-names")).stream()
                          .anyMatch(manifests::contains);
              if (!keep) {
                gone.add(new PodmanStore.Held(id, has));
              }
              return keep;
            });
    if (changed) {
      images.write(clock.instant());
    }
    Set<String> known = cleanLayers();
    removeFiles(known);
    return gone;
  }

  private void readContainers() throws IOException {
    Path folder = root.resolve(PodmanStore.DRIVER + "-containers");
    for (String file : List.of("containers.json", "volatile-containers.json")) {
      for (JsonNode container : list(folder.resolve(file))) {
        usedImages.add(container.path("image").asString(""));
        usedLayers.add(container.path("layer").asString(""));
      }
    }
  }

  private static JsonNode list(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      return JsonNodeFactory.instance.arrayNode();
    }
    try (InputStream in = Files.newInputStream(file)) {
      return Json.read(Limit.MANIFESTS_BYTES.read(in, file.toString()), file.toString());
    }
  }

  private static List<String> strings(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(n -> n.asString("")).toList();
  }

  /** Leaves in a list what is to be kept, and returns whether anything went. */
  private static boolean remove(LockedList list, Predicate<JsonNode> keep) {
    boolean changed = false;
    for (int i = list.entries().size() - 1; i >= 0; i--) {
      if (!keep.test(list.entries().get(i))) {
        list.entries().remove(i);
        changed = true;
      }
    }
    return changed;
  }

  /**
   * Takes layers out of their list that no image and no container stands on.
   *
   * @return those that stay
   */
  private Set<String> cleanLayers() throws IOException {
    Map<String, String> parents = new HashMap<>();
    Path volatileLayers =
        root.resolve(PodmanStore.DRIVER + "-layers").resolve("volatile-layers.json");
    Set<String> ofContainers = new HashSet<>();
    for (JsonNode layer : list(volatileLayers)) {
      parents.put(layer.path("id").asString(""), layer.path("parent").asString(""));
      ofContainers.add(layer.path("id").asString(""));
    }
    PodmanStore.entries(layers)
        .forEach(l -> parents.put(l.path("id").asString(""), l.path("parent").asString("")));
    Set<String> needed = new HashSet<>();
    Stream<String> tops =
        PodmanStore.entries(images)
            .flatMap(
                i ->
                    Stream.concat(
                        Stream.of(i.path("layer").asString("")),
                        strings(i.path("mapped-layers")).stream()));
    Stream.of(tops, usedLayers.stream(), ofContainers.stream())
        .flatMap(s -> s)
        .forEach(
            top -> {
              for (String at = top; !at.isEmpty() && needed.add(at); ) {
                at = parents.getOrDefault(at, "");
              }
            });
    if (remove(layers, l -> needed.contains(l.path("id").asString("")))) {
      layers.write(clock.instant());
    }
    return needed;
  }

  private void removeFiles(Set<String> knownLayers) throws IOException {
    Set<String> knownImages = new HashSet<>();
    PodmanStore.entries(images).forEach(i -> knownImages.add(i.path("id").asString("")));
    Path folder = root.resolve(PodmanStore.DRIVER);
    removeUnknown(root.resolve(PodmanStore.DRIVER + "-images"), "", knownImages);
    removeUnknown(folder, "", knownLayers);
    removeUnknown(root.resolve(PodmanStore.DRIVER + "-layers"), TAR_SPLIT, knownLayers);
    for (Path link : children(folder.resolve("l"))) {
      if (Files.isSymbolicLink(link)) {
        Path target = Files.readSymbolicLink(link);
        String id = target.getNameCount() == 3 ? target.getName(1).toString() : "";
        if (StoredImage.isId(id) && !knownLayers.contains(id)) {
          Files.deleteIfExists(link);
        }
      }
    }
    Removal.tree(OsPath.of(root.resolve("slipway")));
  }

  /** Removes what is named by an id that is in no list; other names are none of our business. */
  private static void removeUnknown(Path folder, String ending, Set<String> known)
      throws IOException {
    for (Path child : children(folder)) {
      String name = String.valueOf(child.getFileName());
      if (name.endsWith(ending)) {
        String id = name.substring(0, name.length() - ending.length());
        if (StoredImage.isId(id) && !known.contains(id)) {
          Removal.tree(OsPath.of(child));
        }
      }
    }
  }

  private static List<Path> children(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.toList();
    }
  }
}
