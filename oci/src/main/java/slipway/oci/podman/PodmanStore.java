package slipway.oci.podman;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import slipway.archive.tar.ImageTotals;
import slipway.base.AtomicFile;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Removal;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.LayerSpace;
import slipway.oci.copy.Transfer;
import slipway.oci.copy.Validate;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A store of podman's with the overlay driver, written without podman: what {@code podman --root
 * FOLDER} and an {@code additionalimagestore} read. Layers stream from their source into place one
 * after the other, each in one pass that verifies both of its digests; nothing is stored packed.
 *
 * <p>Each layer counts from the rename of {@code layers.json} on, and the image from that of {@code
 * images.json}, which comes last. What a failure leaves before is taken over by the next attempt,
 * or goes with {@link #keepOnly}. Needs root. Others may use the store at the same time, by
 * podman's locks; of us one at a time writes.
 */
public final class PodmanStore {
  static final String DRIVER = StoredImage.Driver.OVERLAY.label();
  private static final String PRIVATE = "rwx------";

  private final Path root;
  private final InstantSource clock;

  private PodmanStore(Path root, InstantSource clock) {
    this.root = root;
    this.clock = clock;
  }

  /**
   * The folders of the stores that root has on a machine, there or not.
   *
   * @param root where the machine's root directory is seen
   */
  public static List<Path> foldersOf(Path root) throws IOException {
    return StorePlaces.ofMachine(root);
  }

  /** Opens a store, and makes it when it is missing. */
  public static PodmanStore create(Path root, InstantSource clock) throws IOException {
    PodmanStore store = new PodmanStore(root.toAbsolutePath(), clock);
    Files.createDirectories(Objects.requireNonNull(store.root.getParent()));
    for (Path folder :
        List.of(store.root, store.layerFolder(), store.layers(), store.images(), store.links())) {
      if (!Files.isDirectory(folder)) {
        Files.createDirectories(
            folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(PRIVATE)));
      }
    }
    // Whoever opens the store for reading alone wants them to be there.
    for (Path lock :
        List.of(
            store.root.resolve("storage.lock"),
            store.layers().resolve("layers.lock"),
            store.images().resolve("images.lock"))) {
      // Never by a rename: others may hold the lock of the file that is there.
      Files.newByteChannel(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE).close();
    }
    return store;
  }

  /**
   * A store that a name behind {@code containers-storage:} means.
   *
   * @param image what is left of the name
   */
  public record Named(PodmanStore store, String image) {}

  /**
   * Opens podman's own store of this machine, or the one that a name says itself.
   *
   * @param name {@code [STORE]NAME[:TAG]}
   * @throws Problem of kind ENVIRONMENT for a store whose layers another driver keeps, DENIED
   *     without root
   */
  public static Named named(String name, Map<String, String> environment, InstantSource clock)
      throws IOException {
    StorePlaces places = StorePlaces.of(name, environment);
    if (!StorePlaces.isRoot(environment)) {
      throw Problem.denied("writing to podman's store needs root; run it as root");
    }
    Path folder = places.folders().getFirst();
    boolean other =
        !(places.driver().isEmpty() || places.driver().equals(DRIVER))
            || (!exists(folder)
                && (StoredImage.hasOtherDriver(folder)
                    || Files.isDirectory(
                        folder.resolve(StoredImage.Driver.VFS.label() + "-images"))));
    if (other) {
      throw Problem.environment(
          "podman's store " + folder + " keeps layers by another driver than " + DRIVER);
    }
    return new Named(create(folder, clock), places.image());
  }

  /** Whether a folder is a store, even an empty one. */
  public static boolean exists(Path root) {
    return Files.isDirectory(root.resolve(DRIVER + "-images"));
  }

  private Path layerFolder() {
    return root.resolve(DRIVER);
  }

  private Path links() {
    return layerFolder().resolve("l");
  }

  private Path layers() {
    return root.resolve(DRIVER + "-layers");
  }

  private Path images() {
    return root.resolve(DRIVER + "-images");
  }

  private Path scratch() {
    return root.resolve("slipway");
  }

  private Flock lock() throws IOException {
    return Flock.file(root.resolve("slipway.lock"), true);
  }

  /**
   * The name under which podman keeps an image: with its registry, and with {@code latest} where
   * nothing else is said; of tag and digest the digest counts.
   *
   * @throws Problem of kind INPUT for what is no reference
   */
  public static String name(String text) {
    Reference reference = Reference.parse(text);
    Digest digest = reference.digest();
    return (digest == null ? reference.orLatest() : reference.withDigest(digest)).toString();
  }

  /** The id of the image that has a name, if one has. */
  public Optional<String> find(String name) throws IOException {
    return StoredImage.find(OsPath.of(root), DRIVER, name(name)).map(StoredImage::id);
  }

  /**
   * An image in the store.
   *
   * @param id 64 hexadecimal digits
   * @param names with registry and tag or digest
   */
  public record Held(String id, List<String> names) {
    public Held {
      names = List.copyOf(names);
    }
  }

  /** All of them, in the store's order. */
  public List<Held> list() throws IOException {
    try (LockedList list = LockedList.open(images(), "images")) {
      return entries(list)
          .map(i -> new Held(i.path("id").asString(""), strings(i.path("names")).toList()))
          .toList();
    }
  }

  static Stream<JsonNode> entries(LockedList list) {
    return StreamSupport.stream(list.entries().spliterator(), false);
  }

  private static Stream<String> strings(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(n -> n.asString(""));
  }

  // ---- adding ----

  /**
   * Brings an image in under a name, which another image loses. An image that is there gets the
   * name alone.
   *
   * @param source what {@code null} selects there
   * @param name as {@link #name} takes it
   * @return the image's id
   * @throws Problem when the image is damaged, cannot be held, or does not fit
   */
  public String add(ImageSource source, String name, Progress progress) throws IOException {
    String kept = name(name);
    List<Manifest> way = Transfer.way(source, null, Platform.host());
    Manifest.Image image = (Manifest.Image) way.getLast();
    Validate.requireConfig(image);
    byte[] config = Transfer.config(source, image);
    List<Digest> diffIds = Validate.diffIds(image, config);
    if (diffIds.size() != image.layers().size()) {
      throw Problem.input(kept + " is no image of a file system");
    }
    requireSha256(image, diffIds, kept);
    Limit.IMAGE_LAYERS.check(diffIds.size(), kept);
    try (Flock own = lock()) {
      List<LayerPlace> chain = LayerPlace.chain(diffIds);
      bringLayers(source, image, chain, kept, progress);
      String id = image.config().digest().hex();
      writeImage(new NewImage(id, kept, way, config), chain);
      return id;
    }
  }

  /** Digests are names of files here, and other tools take them for SHA-256. */
  private static void requireSha256(Manifest.Image image, List<Digest> diffIds, String name) {
    if (Stream.concat(Stream.of(image.config().digest()), diffIds.stream())
        .anyMatch(d -> d.algorithm() != Digest.Algorithm.SHA256)) {
      throw Problem.input(
          name + " has other digests than sha256, which podman's store cannot hold");
    }
  }

  private void bringLayers(
      ImageSource source,
      Manifest.Image image,
      List<LayerPlace> chain,
      String name,
      Progress progress)
      throws IOException {
    Set<String> known = knownLayers();
    List<Descriptor> missing = new ArrayList<>();
    for (LayerPlace place : chain) {
      if (!known.contains(place.id())) {
        missing.add(image.layers().get(place.index()));
      }
    }
    new LayerSpace(source, missing).require(Files.getFileStore(root).getUsableSpace(), name, root);
    ImageTotals totals = new ImageTotals("the image's layers");
    Removal.tree(OsPath.of(scratch()));
    // Also where it fails: a layer may be gigabytes, and nobody knows when the next image comes.
    try (Closeable half = () -> Removal.tree(OsPath.of(scratch()))) {
      for (LayerPlace place : chain) {
        if (!known.contains(place.id())) {
          Descriptor blob = image.layers().get(place.index());
          bringLayer(source, blob, chain.subList(0, place.index() + 1), totals, progress);
        }
      }
    }
  }

  private void bringLayer(
      ImageSource source,
      Descriptor blob,
      List<LayerPlace> chain,
      ImageTotals totals,
      Progress progress)
      throws IOException {
    Files.createDirectories(
        scratch(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(PRIVATE)));
    LayerArrival arrival = new LayerArrival(scratch(), layerFolder(), chain);
    ObjectNode entry =
        arrival.unpack(source, blob, totals.withoutTrees(), clock.instant(), progress);
    Posix.syncfs(OsPath.of(root));
    commitLayer(arrival, chain.getLast(), entry);
    Removal.tree(OsPath.of(scratch()));
  }

  /** Those that are in the list, and whose files are in their place. */
  private Set<String> knownLayers() throws IOException {
    try (LockedList list = LockedList.open(layers(), "layers")) {
      return complete(list);
    }
  }

  private Set<String> complete(LockedList list) {
    Set<String> known = new HashSet<>();
    entries(list)
        .filter(l -> !l.path("flags").path("incomplete").asBoolean(false))
        .map(l -> l.path("id").asString(""))
        .filter(id -> StoredImage.isId(id) && Files.isDirectory(diff(id)))
        .forEach(known::add);
    return known;
  }

  private Path diff(String id) {
    return layerFolder().resolve(id).resolve("diff");
  }

  private void commitLayer(LayerArrival arrival, LayerPlace place, ObjectNode entry)
      throws IOException {
    try (LockedList list = LockedList.open(layers(), "layers")) {
      if (complete(list).contains(place.id())) {
        return; // Another program brought it meanwhile, and a container may run on it.
      }
      Path target = layerFolder().resolve(place.id());
      Removal.tree(OsPath.of(target));
      Files.move(arrival.folder(), target);
      Path link = links().resolve(place.link());
      Files.deleteIfExists(link);
      Files.createSymbolicLink(link, Path.of("..", place.id(), "diff"));
      AtomicFile.rename(arrival.tarSplit(), layers().resolve(place.id() + ".tar-split.gz"));
      AtomicFile.syncDirectory(links());
      AtomicFile.syncDirectory(layerFolder());
      list.put(entry);
      list.write(clock.instant());
    }
  }

  // ---- the image ----

  /** What an image consists of beside its layers. */
  private record NewImage(String id, String name, List<Manifest> way, byte[] config) {}

  private void writeImage(NewImage image, List<LayerPlace> chain) throws IOException {
    try (LockedList list = LockedList.open(images(), "images")) {
      ObjectNode entry =
          entries(list)
              .filter(i -> i.path("id").asString("").equals(image.id()))
              .filter(i -> i instanceof ObjectNode)
              .map(i -> (ObjectNode) i)
              .findFirst()
              .orElseGet(() -> begun(image, chain));
      Manifest.Image manifest = (Manifest.Image) image.way().getLast();
      keep(entry, image.id(), manifest.config().digest().toString(), image.config());
      for (Manifest each : image.way()) {
        keep(entry, image.id(), StoredImage.MANIFEST + "-" + each.digest(), each.bytes());
      }
      keep(entry, image.id(), StoredImage.MANIFEST, manifest.bytes());
      entry.put("digest", manifest.digest().toString());
      list.put(entry);
      for (JsonNode other : list.entries()) {
        if (other instanceof ObjectNode each) {
          name(each, image.name(), each == entry);
        }
      }
      AtomicFile.syncDirectory(images());
      list.write(clock.instant());
    }
  }

  private ObjectNode begun(NewImage image, List<LayerPlace> chain) {
    ObjectNode entry = JsonNodeFactory.instance.objectNode();
    entry.put("id", image.id());
    entry.put("digest", "");
    entry.putArray("names");
    if (!chain.isEmpty()) {
      entry.put("layer", chain.getLast().id());
    }
    entry.put("metadata", "{}");
    entry.putArray("big-data-names");
    entry.putObject("big-data-sizes");
    entry.putObject("big-data-digests");
    entry.put("created", clock.instant().toString());
    return entry;
  }

  /** Writes a file of the image and lists it. */
  private void keep(ObjectNode entry, String id, String file, byte[] content) throws IOException {
    Path folder = images().resolve(id);
    AtomicFile.write(folder.resolve(StoredImage.fileName(file)), content);
    ArrayNode names = entry.withArray("big-data-names");
    if (strings(names).noneMatch(file::equals)) {
      names.add(file);
    }
    object(entry, "big-data-sizes").put(file, content.length);
    object(entry, "big-data-digests").put(file, Digest.sha256(content).toString());
  }

  private static ObjectNode object(ObjectNode parent, String key) {
    return parent.get(key) instanceof ObjectNode o ? o : parent.putObject(key);
  }

  /** Gives an image a name, or takes it away. */
  private static void name(ObjectNode entry, String name, boolean has) {
    List<String> names = new ArrayList<>(strings(entry.path("names")).toList());
    if (has == names.contains(name)) {
      return;
    }
    if (has) {
      names.addFirst(name);
    } else {
      names.remove(name);
    }
    ArrayNode changed = entry.putArray("names");
    names.forEach(changed::add);
  }

  // ---- removing ----

  /**
   * Removes images that have none of these names, unless a container uses them, with what they
   * alone needed and whatever interrupted work has left.
   *
   * @param names as {@link #name} gives them
   * @return what was removed
   */
  public List<Held> keepOnly(Set<String> names) throws IOException {
    try (Flock own = lock();
        LockedList layerList = LockedList.open(layers(), "layers");
        LockedList imageList = LockedList.open(images(), "images")) {
      return new StoreCleaning(root, layerList, imageList, clock).keepOnly(names);
    }
  }
}
