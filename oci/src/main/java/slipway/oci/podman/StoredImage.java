package slipway.oci.podman;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import slipway.archive.compress.Compression;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;
import slipway.linux.posix.UnixException;
import slipway.oci.chunked.TarSplitInput;
import slipway.oci.model.Digest;
import slipway.oci.model.Json;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;
import tools.jackson.databind.JsonNode;

/**
 * An image in one of podman's stores.
 *
 * @param graphroot the store
 * @param driver that keeps its layers
 * @param id of the image
 * @param top id of its uppermost layer, empty for an image without layers
 */
record StoredImage(OsPath graphroot, Driver driver, String id, String top) {
  private static final Pattern ID = Pattern.compile("[0-9a-f]{64}");

  /** The file with the manifest that the image came with. */
  static final String MANIFEST = "manifest";

  private static final Pattern BEGINNING = Pattern.compile("[0-9a-f]{4,64}");

  /** As containers/storage writes them as they are (images.go, makeBigDataBaseName). */
  private static final Pattern PLAIN = Pattern.compile("[a-zA-Z0-9_.-]+");

  /** Who keeps the files of layers, and where. */
  enum Driver {
    OVERLAY("overlay", "overlay", "diff"),
    VFS("vfs", "vfs/dir", ".");

    private final String label;
    private final String layers;
    private final String files;

    Driver(String label, String layers, String files) {
      this.label = label;
      this.layers = layers;
      this.files = files;
    }

    /** How the store's folders begin. */
    String label() {
      return label;
    }
  }

  /**
   * A layer whose tar can be put together again.
   *
   * @param digest of that tar
   * @param size the tar's bytes
   */
  record StoredLayer(String id, Digest digest, long size) {}

  /**
   * Looks for an image by name, digest, id or the beginning of an id.
   *
   * @param only the driver to look at; empty for all that are known here
   * @return nothing when none of them has it
   */
  static Optional<StoredImage> find(OsPath graphroot, String only, String wanted)
      throws IOException {
    for (Driver driver : Driver.values()) {
      if (!only.isEmpty() && !only.equals(driver.label)) {
        continue;
      }
      Optional<JsonNode> images = list(graphroot, driver.label + "-images/images.json");
      if (images.isPresent()) {
        Optional<JsonNode> found = choose(images.get(), wanted);
        if (found.isPresent()) {
          String id = id(found.get().path("id").asString(""));
          String top = found.get().path("layer").asString("");
          StoredImage image = new StoredImage(graphroot, driver, id, top.isEmpty() ? "" : id(top));
          image.requireDigest(wanted);
          return Optional.of(image);
        }
      }
    }
    return Optional.empty();
  }

  /** Whether a store's layers are kept by a driver that is not known here. */
  static boolean hasOtherDriver(Path graphroot) throws IOException {
    if (!Files.isDirectory(graphroot)) {
      return false;
    }
    try (Stream<Path> files = Files.list(graphroot)) {
      return files
          .map(f -> String.valueOf(f.getFileName()))
          .filter(f -> f.endsWith("-images"))
          .anyMatch(f -> Stream.of(Driver.values()).noneMatch(d -> f.equals(d.label + "-images")));
    }
  }

  private static Optional<JsonNode> choose(JsonNode images, String wanted) {
    int at = wanted.lastIndexOf('@');
    String last = wanted.substring(at + 1);
    if (ID.matcher(last).matches()) {
      return one(images, i -> i.path("id").asString("").equals(last));
    }
    if (at >= 0) {
      return one(
          images,
          i ->
              i.path("digest").asString("").equals(last)
                  || strings(i.path("big-data-names")).anyMatch((MANIFEST + "-" + last)::equals));
    }
    for (String name : names(wanted)) {
      Optional<JsonNode> named = one(images, i -> strings(i.path("names")).anyMatch(name::equals));
      if (named.isPresent()) {
        return named;
      }
    }
    if (!BEGINNING.matcher(wanted).matches()) {
      return Optional.empty();
    }
    if (all(images, i -> i.path("id").asString("").startsWith(wanted)).count() > 1) {
      throw Problem.input(
          "several images of podman's store have ids that begin with " + wanted + "; give more");
    }
    return one(images, i -> i.path("id").asString("").startsWith(wanted));
  }

  private interface Condition {
    boolean holds(JsonNode image);
  }

  private static Optional<JsonNode> one(JsonNode images, Condition condition) {
    return all(images, condition).findFirst();
  }

  private static Stream<JsonNode> all(JsonNode images, Condition condition) {
    return StreamSupport.stream(images.spliterator(), false).filter(condition::holds);
  }

  private static Stream<String> strings(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(n -> n.asString(""));
  }

  /** What a name may stand for there: podman gives what it builds the host localhost. */
  private static List<String> names(String wanted) {
    List<String> names = new ArrayList<>();
    try {
      names.add(Reference.parse(wanted).orLatest().toString());
      if (!Reference.hasHost(wanted)) {
        names.add(Reference.parse("localhost/" + wanted).orLatest().toString());
      }
    } catch (Problem e) {
      // An id, perhaps.
    }
    return names;
  }

  /** Ids become names of files; others would lead elsewhere. */
  private static String id(String text) {
    if (!ID.matcher(text).matches()) {
      throw Problem.corrupt("podman's store has an image or a layer without an id of its own");
    }
    return text;
  }

  private static Optional<JsonNode> list(OsPath graphroot, String file) throws IOException {
    Optional<byte[]> bytes;
    try {
      bytes = read(graphroot, OsPath.of(file), Limit.MANIFESTS_BYTES);
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT || e.errno() == UnixException.ENOTDIR) {
        return Optional.empty();
      }
      throw e;
    }
    return bytes.map(b -> Json.read(b, file + " of podman's store"));
  }

  private static Optional<byte[]> read(OsPath graphroot, OsPath file, Limit limit)
      throws IOException {
    String where = graphroot.resolve(file).toString();
    Optional<FdInput> open = RootedFile.open(graphroot, file, RootedFile.Links.BENEATH, where);
    if (open.isEmpty()) {
      return Optional.empty();
    }
    try (FdInput in = open.get()) {
      return Optional.of(limit.read(in, where));
    }
  }

  /** A digest in a name is held to what lies there, not to what the store says of it. */
  private void requireDigest(String wanted) throws IOException {
    int at = wanted.lastIndexOf('@');
    String digest = wanted.substring(at + 1);
    if (at < 0 || ID.matcher(digest).matches()) {
      return;
    }
    Digest promised = Digest.parse(digest);
    // Of an image that was named by its index, the index lies there under its own digest.
    Optional<byte[]> own = find(MANIFEST + "-" + digest, Limit.MANIFEST_BYTES);
    byte[] bytes = own.isPresent() ? own.get() : file(MANIFEST, Limit.MANIFEST_BYTES);
    if (!promised.matches(bytes)) {
      throw Problem.corrupt(
          "image " + id + " of podman's store is not what its digest " + promised + " says");
    }
    if (Manifest.parse(bytes, null) instanceof Manifest.Index index) {
      Digest chosen = Digest.sha256(file(MANIFEST, Limit.MANIFEST_BYTES));
      if (index.manifests().stream().noneMatch(m -> m.digest().equals(chosen))) {
        throw Problem.corrupt(
            "image " + id + " of podman's store is none of the index " + promised);
      }
    }
  }

  /**
   * A file of the image itself, such as {@code manifest}; of the config, its digest is the name.
   */
  byte[] file(String name, Limit limit) throws IOException {
    return find(name, limit)
        .orElseThrow(
            () -> Problem.corrupt("image " + id + " of podman's store lacks its file " + name));
  }

  private Optional<byte[]> find(String name, Limit limit) throws IOException {
    OsPath folder = OsPath.of(driver.label + "-images").resolve(id);
    return read(graphroot, folder.resolve(fileName(name)), limit);
  }

  /** How a file of an image is called on the disk. */
  static String fileName(String name) {
    return PLAIN.matcher(name).matches()
        ? name
        : "=" + Base64.getEncoder().encodeToString(name.getBytes(StandardCharsets.UTF_8));
  }

  /** Whether a text can be the id of an image or a layer. */
  static boolean isId(String text) {
    return ID.matcher(text).matches();
  }

  /**
   * Its layers, the lowest first.
   *
   * @return nothing when one of them came in parts, so that nobody knows its tar, or lies in
   *     another store
   */
  Optional<List<StoredLayer>> layers() throws IOException {
    Map<String, JsonNode> known = new HashMap<>();
    for (String file : List.of("layers.json", "volatile-layers.json")) {
      list(graphroot, driver.label + "-layers/" + file)
          .ifPresent(all -> all.forEach(l -> known.put(l.path("id").asString(""), l)));
    }
    List<StoredLayer> layers = new ArrayList<>();
    for (String next = top; !next.isEmpty(); ) {
      JsonNode layer = known.get(next);
      Optional<StoredLayer> whole = layer == null ? Optional.empty() : whole(layer);
      if (layer == null || whole.isEmpty()) {
        return Optional.empty();
      }
      layers.add(whole.get());
      Limit.IMAGE_LAYERS.check(layers.size(), "image " + id + " of podman's store");
      next = layer.path("parent").asString("");
    }
    return Optional.of(layers.reversed());
  }

  private Optional<StoredLayer> whole(JsonNode layer) throws IOException {
    String id = id(layer.path("id").asString(""));
    String digest = layer.path("diff-digest").asString("");
    long size = layer.path("diff-size").asLong(-1);
    Optional<FdInput> packed = tarSplit(id);
    if (packed.isEmpty()) {
      return Optional.empty();
    }
    packed.get().close();
    return digest.isEmpty() || size < 0
        ? Optional.empty()
        : Optional.of(new StoredLayer(id, Digest.parse(digest), size));
  }

  private Optional<FdInput> tarSplit(String layer) throws IOException {
    OsPath file = OsPath.of(driver.label + "-layers").resolve(layer + ".tar-split.gz");
    return RootedFile.open(
        graphroot, file, RootedFile.Links.BENEATH, graphroot.resolve(file).toString());
  }

  /** The tar of a layer, not verified. */
  InputStream open(StoredLayer layer) throws IOException {
    String where = "layer " + layer.digest() + " of podman's store";
    FdInput packed =
        tarSplit(layer.id()).orElseThrow(() -> Problem.corrupt(where + " lacks its tar-split"));
    int files = -1;
    try {
      files = files(layer);
      return new TarSplitInput(
          Compression.GZIP.decompress(packed), new FolderFiles(files, where), where);
    } catch (IOException | RuntimeException e) {
      packed.close();
      if (files >= 0) {
        Posix.close(files);
      }
      throw e;
    }
  }

  /**
   * The files of a layer beneath their folder.
   *
   * @param folder open; closed with this
   */
  private record FolderFiles(int folder, String where) implements TarSplitInput.Contents {
    @Override
    public InputStream open(OsPath name, long size) throws IOException {
      String file = Printable.text(name.toString());
      return RootedFile.openat(folder, name, RootedFile.Links.IN_ROOT, where + ": " + file)
          .orElseThrow(() -> Problem.corrupt(where + " lacks its file " + file));
    }

    @Override
    public void close() throws IOException {
      Posix.close(folder);
    }
  }

  /** The folder of a layer's files, open: no link on the way to it counts. */
  private int files(StoredLayer layer) throws IOException {
    int root = Posix.open(graphroot, Posix.O_PATH | Posix.O_DIRECTORY, 0);
    try {
      return Posix.openat2(
          root,
          OsPath.of(driver.layers).resolve(layer.id()).resolve(driver.files),
          Posix.O_PATH | Posix.O_DIRECTORY | Posix.O_CLOEXEC,
          0,
          Posix.RESOLVE_BENEATH | Posix.RESOLVE_NO_SYMLINKS);
    } catch (UnixException e) {
      throw new Problem(
          Problem.Kind.CORRUPT,
          "layer " + layer.digest() + " of podman's store has no folder of its own: " + e.text(),
          e);
    } finally {
      Posix.close(root);
    }
  }
}
