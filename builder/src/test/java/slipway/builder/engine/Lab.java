package slipway.builder.engine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import slipway.archive.compress.Compression;
import slipway.archive.tar.TarOptions;
import slipway.base.Notes;
import slipway.base.Progress;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.BuildRequestBuilder;
import slipway.builder.session.ImagePuller;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.Transfer;
import slipway.oci.layout.BlobWriter;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;
import slipway.tree.Layer;
import slipway.tree.LayerReader;
import slipway.tree.Layers;
import slipway.tree.Node;
import slipway.tree.TarWriter;

/** A store with a tiny base image, and a builder over it, in a directory of a test. */
public final class Lab implements AutoCloseable {
  public static final String BASE = "localhost/base:1";

  /** Each step needs the one before. */
  public static final String FIVE_STEPS =
      """
      FROM base:1
      ENV A=b
      RUN echo one > /one
      COPY file /file
      RUN cat /one /file > /both
      """;

  private static byte @Nullable [] baseLayer;

  public final Path directory;
  public final LocalStore store;
  public final List<String> notes = Collections.synchronizedList(new ArrayList<>());
  public final List<String> output = Collections.synchronizedList(new ArrayList<>());
  private final RandomGenerator random = new Random(7);

  public Lab(Path directory) throws IOException {
    this.directory = directory;
    this.store = LocalStore.open(directory.resolve("store"));
  }

  /** As the one before, with the base image in its store. */
  public static Lab withBase(Path directory) throws IOException {
    Lab lab = new Lab(directory);
    lab.importLayer(baseLayer(), BASE);
    return lab;
  }

  /** The base's layer, made once. */
  private static synchronized byte[] baseLayer() throws IOException {
    if (baseLayer == null) {
      Path root = Files.createTempDirectory("lab-root");
      try {
        makeRoot(root);
        baseLayer = tar(root, new TarOptions(null, true));
      } finally {
        Posix.removeTree(OsPath.of(root));
      }
    }
    return baseLayer;
  }

  private static byte[] tar(Path root, TarOptions options) throws IOException {
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    TarWriter.write(tar, DirectoryReader.read(root), options);
    return tar.toByteArray();
  }

  /** A root file system of busybox (Debian package busybox-static). */
  public static void makeRoot(Path root) throws IOException {
    Files.createDirectories(root);
    Posix.chmod(OsPath.of(root), 0755);
    for (String d : List.of("bin", "etc", "home/user", "tmp", "usr/bin", "usr/lib", "var/lib")) {
      Files.createDirectories(root.resolve(d));
    }
    Posix.chmod(OsPath.of(root.resolve("tmp")), 01777);
    Files.createSymbolicLink(root.resolve("lib"), Path.of("usr/lib"));
    Path busybox = root.resolve("bin/busybox");
    Files.copy(Path.of("/bin/busybox"), busybox);
    String applets = Command.of("/bin/busybox", "--list").output();
    for (String applet : applets.split("\n")) {
      if (!applet.equals("busybox")) {
        Files.createSymbolicLink(root.resolve("bin/" + applet), Path.of("busybox"));
      }
    }
    Files.writeString(
        root.resolve("etc/passwd"),
        "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1001:User:/home/user:/bin/sh\n");
    Files.writeString(
        root.resolve("etc/group"), "root:x:0:\nuser:x:1001:\nwheel:x:10:user\ntty:x:5:\n");
    Posix.lchown(OsPath.of(root.resolve("home/user")), 1000, 1001);
    Command.of("find", root.toString(), "-exec", "touch", "-h", "-d", "@1600000000", "{}", "+")
        .run();
  }

  /** Makes an image of one layer. */
  public void importRoot(Path root, String name) throws IOException {
    importLayer(tar(root, new TarOptions(null, true)), name);
  }

  private void importLayer(byte[] tar, String name) throws IOException {
    try (BlobWriter writer = store.newBlob()) {
      try (OutputStream gzip = Compression.GZIP.compress(writer, 1)) {
        gzip.write(tar);
      }
      Descriptor layer = writer.commit(MediaTypes.OCI_LAYER_GZIP);
      ImageDraft draft = ImageDraft.scratch(Platform.host());
      draft.cmd = List.of("/bin/sh");
      draft.addHistory(new ImageConfig.History("2020-09-13T12:26:40Z", "base", null, false));
      put(name, draft.toConfig("2020-09-13T12:26:40Z", List.of(Digest.sha256(tar))), layer);
    }
  }

  /** Gives an image of this config a name; its layers are in the store. */
  public void put(String name, ImageConfig config, Descriptor... layers) {
    Descriptor blob = store.putBlob(MediaTypes.OCI_CONFIG, config.toJson());
    store.putManifest(Manifest.Image.of(blob, List.of(layers), Map.of()), Reference.parse(name));
  }

  /** A layer with one file, {@code who}, that does not tell when it was made. */
  public byte[] layerOf(String text) throws IOException {
    Path root = Files.createTempDirectory(directory, "layer");
    Files.writeString(root.resolve("who"), text);
    return tar(root, new TarOptions(0L, true));
  }

  /** A new context with one file, its Containerfile. */
  public Path context(String containerfile) throws IOException {
    Path context = Files.createTempDirectory(directory, "context");
    Files.writeString(context.resolve("Containerfile"), containerfile);
    return context;
  }

  /** The context of {@link #FIVE_STEPS}. */
  public Path fiveSteps() throws IOException {
    Path context = context(FIVE_STEPS);
    Files.writeString(context.resolve("file"), "file\n");
    return context;
  }

  public Builder builder() {
    return builder(Map.of());
  }

  public Builder builder(Map<String, String> environment) {
    return new Builder(
        store,
        directory.resolve("build"),
        ImagePuller.NONE,
        Clock.systemUTC(),
        environment,
        random);
  }

  /** A builder that brings images with a puller. */
  public Builder builder(ImagePuller puller) {
    return new Builder(
        store, directory.resolve("build"), puller, Clock.systemUTC(), Map.of(), random);
  }

  /** Hands out the base image, as a puller does for whatever name. */
  public Manifest copyBase(Platform platform, ImageSink sink, Progress progress)
      throws IOException {
    return Transfer.copy(store.source(), BASE, sink, null, Transfer.Options.of(platform), progress);
  }

  public Manifest.Image build(BuildRequestBuilder request) {
    return build(builder(), request);
  }

  /** As the one before, by another builder. */
  public Manifest.Image build(Builder builder, BuildRequestBuilder request) {
    return builder.build(request.build(), progress(), output::add);
  }

  /** Builds a context without files. */
  public Manifest.Image build(String containerfile) throws IOException {
    return build(BuildRequest.of(context(containerfile)));
  }

  public Progress progress() {
    return new Notes(notes::add);
  }

  /** The merged tree of an image, its content in memory. */
  public FileTree tree(Manifest.Image image) throws IOException {
    List<Layer> layers = new ArrayList<>();
    for (Descriptor d : image.layers()) {
      layers.add(layer(d));
    }
    return Layers.merge(layers);
  }

  /** The paths of all that is no directory. */
  public static TreeSet<String> files(FileTree tree) throws IOException {
    TreeSet<String> names = new TreeSet<>();
    tree.walk(
        (path, node) -> {
          if (!(node instanceof Node.Directory)) {
            names.add(path.toString());
          }
        });
    return names;
  }

  public Layer layer(Descriptor descriptor) throws IOException {
    try (var in = Compression.decompressAny(store.openBlob(descriptor))) {
      return LayerReader.read(
          in, (path, metadata, size, content) -> slipway.tree.Content.of(content.readAllBytes()));
    }
  }

  /** The text of a file of an image. */
  public String text(Manifest.Image image, String path) throws IOException {
    var node = tree(image).find(path).orElseThrow(() -> new AssertionError("no " + path));
    try (var in = ((Node.File) node).content().open()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  public ImageConfig config(Manifest.Image image) {
    return store.config(image);
  }

  /** How many steps of the last builds came from the cache. */
  public long cached() {
    return notes.stream().filter(n -> n.endsWith("(cached)")).count();
  }

  @Override
  public void close() {
    store.close();
  }
}
