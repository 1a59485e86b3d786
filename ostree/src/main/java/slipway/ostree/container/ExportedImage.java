package slipway.ostree.container;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.TarOptions;
import slipway.base.BlockInput;
import slipway.base.CountedOutput;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.oci.copy.OneImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.ImageConfigBuilder;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.repo.Repository;
import slipway.tree.FileTree;
import slipway.tree.Layer;
import slipway.tree.Node;
import slipway.tree.TarWriter;

/**
 * An image of the repository as one that can be copied elsewhere. Its layers are written anew from
 * their commits, so they have the files that were imported, and other digests: times, what an
 * import leaves out and the packing are lost. The same repository gives the same image.
 */
public final class ExportedImage extends OneImageSource {
  private static final OsPath USR = OsPath.of("usr");
  private static final OsPath ETC = OsPath.of("etc");
  private static final String USR_ETC = "usr/etc";
  private static final int PIPE = 256 * 1024;

  private final Map<Digest, Layer> layers;

  private ExportedImage(
      String name, Manifest.Image manifest, byte[] config, Map<Digest, Layer> layers) {
    super(Printable.text(name) + " of the repository", manifest, config);
    this.layers = layers;
  }

  /**
   * Opens an image; reads its layers once, to know their digests. The layers of a commit that it
   * stands on become one with the commit's files, and its labels no longer name that.
   *
   * @param name for messages
   * @throws Problem of kind NOT_FOUND when the repository lacks one of its layers, CORRUPT when it
   *     has another one in its place
   */
  public static ExportedImage open(Repository repository, ContainerImages.Stored image, String name)
      throws IOException {
    List<Descriptor> descriptors = new ArrayList<>();
    List<Digest> diffIds = new ArrayList<>();
    Map<Digest, Layer> layers = new HashMap<>();
    int ofCommit = Encapsulation.layers(image.manifest(), image.config());
    for (Layer read : read(repository, image, ofCommit, name)) {
      Layer layer = asImported(read);
      Descriptor written = describe(layer);
      descriptors.add(written);
      diffIds.add(written.digest());
      layers.put(written.digest(), layer);
    }
    byte[] config =
        ImageConfigBuilder.builder(image.config())
            .diffIds(diffIds)
            .labels(unencapsulated(image.config().labels()))
            .history(history(image.config(), ofCommit))
            .build()
            .toJson();
    Manifest.Image manifest =
        Manifest.Image.of(
            Descriptor.of(MediaTypes.OCI_CONFIG, config),
            descriptors,
            unencapsulated(image.manifest().annotations()));
    return new ExportedImage(name, manifest, config, layers);
  }

  /** The image's layers of files, bottom first; a commit below them is the first. */
  private static List<Layer> read(
      Repository repository, ContainerImages.Stored image, int ofCommit, String name)
      throws IOException {
    List<Layer> layers = new ArrayList<>();
    FileTree base = ofCommit == 0 ? null : base(repository, image, ofCommit, name);
    if (base != null) {
      layers.add(new Layer(base.root()));
    }
    LinkedLayers linked = new LinkedLayers(base);
    for (int i = ofCommit; i < image.manifest().layers().size(); i++) {
      Checksum commit = commit(repository, image, i, name);
      requireOwn(repository.readCommit(commit), image, i, name);
      Layer layer = LayerCommits.read(repository, commit);
      layers.add(linked.add(layer));
    }
    return layers;
  }

  private static Checksum commit(
      Repository repository, ContainerImages.Stored image, int layer, String name)
      throws IOException {
    Digest blob = image.manifest().layers().get(layer).digest();
    return repository
        .resolveRef(ContainerRefs.layer(blob))
        .orElseThrow(
            () ->
                Problem.notFound(
                    "the layer "
                        + blob
                        + " of "
                        + Printable.text(name)
                        + " is not in the repository"));
  }

  /** The ref of a blob leads to what the last image said that it holds, be it another one. */
  private static void requireOwn(
      Commit commit, ContainerImages.Stored image, int layer, String name) {
    Digest listed = image.config().diffIds().get(layer);
    Optional<Digest> diffId = LayerCommits.diffId(commit);
    if (diffId.isPresent() && !diffId.get().equals(listed)) {
      throw Problem.corrupt(
          "what the repository holds as the layer "
              + image.manifest().layers().get(layer).digest()
              + " of "
              + Printable.text(name)
              + " is "
              + diffId.get()
              + " of another image, and not "
              + listed
              + "; copy the image from where it came from");
    }
  }

  /** The files of the commit that the image was put together on. */
  private static FileTree base(
      Repository repository, ContainerImages.Stored image, int ofCommit, String name)
      throws IOException {
    Checksum parent = image.commit().parent();
    for (int i = 0; parent != null && i < ofCommit; i++) {
      if (commit(repository, image, i, name).equals(parent)) {
        return repository.readTree(parent);
      }
    }
    throw Problem.notFound(
        "the commit that "
            + Printable.text(name)
            + " stands on is not in the repository as one of its layers; copy the image from where"
            + " it came from");
  }

  private static Map<String, String> unencapsulated(Map<String, String> labels) {
    Map<String, String> left = new LinkedHashMap<>(labels);
    left.remove(Encapsulation.FINAL_DIFF_ID);
    left.remove(Encapsulation.COMMIT);
    return left;
  }

  /** Of the lines for the commit's layers only the last one has a layer now. */
  private static List<ImageConfig.History> history(ImageConfig config, int ofCommit) {
    long lines = config.history().stream().filter(h -> !h.emptyLayer()).count();
    if (ofCommit <= 1) {
      return config.history();
    }
    if (lines != config.diffIds().size()) {
      return List.of(); // Nobody knows which of them was for which layer.
    }
    List<ImageConfig.History> history = new ArrayList<>();
    int left = ofCommit - 1;
    for (ImageConfig.History h : config.history()) {
      boolean gone = !h.emptyLayer() && left-- > 0;
      history.add(
          new ImageConfig.History(
              h.created(), h.createdBy(), h.comment(), gone || h.emptyLayer(), h.others()));
    }
    return history;
  }

  private static Descriptor describe(Layer layer) throws IOException {
    MessageDigest hash = Digest.Algorithm.SHA256.newMessageDigest();
    CountedOutput out =
        new CountedOutput(new DigestOutputStream(OutputStream.nullOutputStream(), hash));
    TarWriter.write(out, layer, TarOptions.EXACT);
    return Descriptor.of(
        MediaTypes.OCI_LAYER, Digest.of(Digest.Algorithm.SHA256, hash.digest()), out.bytes());
  }

  /** With {@code /etc} where images have it. */
  static Layer asImported(Layer layer) {
    TreeMap<OsPath, Node> children = new TreeMap<>(layer.root().children());
    if (children.get(USR) instanceof Node.Directory usr && usr.children().containsKey(ETC)) {
      TreeMap<OsPath, Node> inUsr = new TreeMap<>(usr.children());
      Node etc = inUsr.remove(ETC);
      children.put(ETC, etc);
      if (inUsr.isEmpty() && usr.implied() && !usr.opaque()) {
        children.remove(USR);
      } else {
        children.put(USR, new Node.Directory(usr.metadata(), inUsr, usr.opaque(), usr.implied()));
      }
    }
    Node.Directory root = layer.root();
    return new Layer(
        linked(new Node.Directory(root.metadata(), children, root.opaque(), root.implied())));
  }

  /** Hard links into layers below lead where those have their files. */
  private static Node.Directory linked(Node.Directory directory) {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    directory
        .children()
        .forEach(
            (child, node) ->
                children.put(
                    child,
                    switch (node) {
                      case Node.Directory d -> linked(d);
                      case Node.LinkBelow l when l.target().startsWith(USR_ETC + "/") ->
                          new Node.LinkBelow(
                              l.target().substring(USR_ETC.indexOf('/') + 1), l.metadata());
                      default -> node;
                    }));
    return new Node.Directory(
        directory.metadata(), children, directory.opaque(), directory.implied());
  }

  @Override
  protected @Nullable InputStream layer(Digest digest) throws IOException {
    Layer layer = layers.get(digest);
    return layer == null ? null : new Written(layer);
  }

  /** A layer's tar, which a thread of its own writes while it is read. */
  private static final class Written extends BlockInput {
    private final PipedInputStream in = new PipedInputStream(PIPE);
    private volatile @Nullable Exception failure;

    Written(Layer layer) throws IOException {
      PipedOutputStream out = new PipedOutputStream(in);
      Thread.ofPlatform()
          .daemon()
          .name("tar")
          .start(
              () -> {
                try (out) {
                  write(layer, out);
                } catch (IOException e) {
                  failure = e;
                }
              });
    }

    /** What goes wrong is known before the stream ends, so that its reader is told that. */
    private void write(Layer layer, PipedOutputStream out) {
      try {
        TarWriter.write(out, layer, TarOptions.EXACT);
      } catch (IOException | RuntimeException e) {
        failure = e;
      }
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int n = in.read(buffer, offset, length);
      Exception thrown = failure;
      if (n < 0 && thrown != null) {
        switch (thrown) {
          case Problem p -> throw p;
          default -> throw new IOException(thrown.getMessage(), thrown);
        }
      }
      return n;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
