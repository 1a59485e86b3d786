package slipway.oci.podman;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import slipway.archive.compress.Compression;
import slipway.archive.tar.ImageTotals;
import slipway.archive.tar.TarSplitter;
import slipway.base.BlockFilter;
import slipway.base.CountedInput;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.PlainLayer;
import slipway.oci.copy.Validate;
import slipway.oci.copy.VerifyingInputStream;
import slipway.oci.model.Descriptor;
import slipway.tree.Layer;
import slipway.tree.LayerUnpacker;
import slipway.tree.Node;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A layer on its way into podman's store: unpacked beside its place, and all that is said of it.
 */
final class LayerArrival {
  private final Path scratch;
  private final Path layers;
  private final List<LayerPlace> chain;

  /**
   * @param scratch an empty folder on the store's file system
   * @param layers where the folders of layers are
   * @param chain the layer, last, and all below it
   */
  LayerArrival(Path scratch, Path layers, List<LayerPlace> chain) {
    this.scratch = scratch;
    this.layers = layers;
    this.chain = List.copyOf(chain);
  }

  /** The folder that takes its place among the layers. */
  Path folder() {
    return scratch.resolve("layer");
  }

  /** How its tar is put together again. */
  Path tarSplit() {
    return scratch.resolve("tar-split.gz");
  }

  /**
   * Reads the layer from its source and unpacks it; nothing is synced.
   *
   * @return its entry in the list of layers
   * @throws slipway.base.Problem of kind CORRUPT when a digest is not what it should be
   */
  ObjectNode unpack(
      ImageSource source, Descriptor blob, ImageTotals totals, Instant now, Progress progress)
      throws IOException {
    LayerPlace place = chain.getLast();
    Files.createDirectory(
        folder(),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Path diff = folder().resolve("diff");
    String where = "layer " + blob.digest().brief();
    Layer layer;
    PlainLayer.Sum sum;
    Compression compression;
    try (Progress.Task task = progress.start(where, blob.size());
        OutputStream packed = Files.newOutputStream(tarSplit());
        TarSplitOutput recipe = new TarSplitOutput(packed, where);
        InputStream verified =
            new VerifyingInputStream(new CountedInput(source.blob(blob, 0), task::advance), blob);
        Head head = new Head(verified);
        PlainLayer plain = new PlainLayer(head, place.diffId().algorithm(), blob)) {
      TarSplitter splitter = new TarSplitter(recipe);
      layer = plain.readBy(in -> unpacked(new Recorded(in, splitter), diff, totals));
      sum = plain.finish();
      compression = head.compression();
      recipe.finish();
      Validate.match(blob, place.diffId(), sum.diffId());
      check(recipe, diff);
    }
    describe(place);
    return entry(place, blob, sum, compression, layer, now);
  }

  private Layer unpacked(InputStream tar, Path diff, ImageTotals totals) throws IOException {
    Layer layer = LayerUnpacker.unpack(tar, diff, below(), totals);
    tar.transferTo(OutputStream.nullOutputStream());
    return layer;
  }

  /** The folders of the layers below, the topmost first. */
  private List<Path> below() {
    return chain.subList(0, chain.size() - 1).reversed().stream()
        .map(p -> layers.resolve(p.id()).resolve("diff"))
        .toList();
  }

  private static void check(TarSplitOutput recipe, Path diff) throws IOException {
    int fd = Posix.open(OsPath.of(diff), Posix.O_PATH | Posix.O_DIRECTORY | Posix.O_CLOEXEC, 0);
    try {
      recipe.check(fd);
    } finally {
      Posix.close(fd);
    }
  }

  /** What the driver wants beside the files: the layer's short name, and those of all below. */
  private void describe(LayerPlace place) throws IOException {
    Files.writeString(folder().resolve("link"), place.link());
    var owner = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    if (chain.size() == 1) {
      Files.createDirectory(folder().resolve("empty"), owner);
      return;
    }
    Files.createDirectory(folder().resolve("work"), owner);
    Files.createDirectory(folder().resolve("merged"), owner);
    List<String> lower = new ArrayList<>();
    for (LayerPlace below : chain.subList(0, chain.size() - 1).reversed()) {
      // A layer that another tool wrote has a short name of that tool's choice.
      lower.add("l/" + Files.readString(layers.resolve(below.id()).resolve("link")).strip());
    }
    Files.writeString(folder().resolve("lower"), String.join(":", lower));
  }

  private ObjectNode entry(
      LayerPlace place,
      Descriptor blob,
      PlainLayer.Sum sum,
      Compression compression,
      Layer layer,
      Instant now)
      throws IOException {
    ObjectNode entry = JsonNodeFactory.instance.objectNode();
    entry.put("id", place.id());
    if (chain.size() > 1) {
      entry.put("parent", chain.get(chain.size() - 2).id());
    }
    entry.put("created", now.toString());
    entry.put("compressed-diff-digest", blob.digest().toString());
    entry.put("compressed-size", blob.size());
    entry.put("diff-digest", sum.diffId().toString());
    entry.put("diff-size", sum.size());
    entry.put("compression", number(compression));
    TreeSet<Integer> uids = new TreeSet<>();
    TreeSet<Integer> gids = new TreeSet<>();
    layer.walk(
        (path, node) -> {
          if (!(node instanceof Node.Whiteout || node instanceof Node.LinkBelow)) {
            uids.add(node.metadata().uid());
            gids.add(node.metadata().gid());
          }
        });
    ids(entry.putArray("uidset"), uids);
    ids(entry.putArray("gidset"), gids);
    return entry;
  }

  private static void ids(ArrayNode array, TreeSet<Integer> ids) {
    // Beyond what Go's integer there holds nobody has files.
    ids.stream().filter(i -> i >= 0).forEach(array::add);
  }

  /** The numbers of containers/storage, pkg/archive. */
  private static int number(Compression compression) {
    return switch (compression) {
      case NONE -> 0;
      case GZIP -> 2;
      case ZSTD -> 4;
    };
  }

  /** Tells the tar's bytes to the splitter as they are read. */
  private static final class Recorded extends BlockFilter {
    private final TarSplitter splitter;

    Recorded(InputStream in, TarSplitter splitter) {
      super(in);
      this.splitter = splitter;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int n = in.read(buffer, offset, length);
      if (n > 0) {
        splitter.feed(buffer, offset, n);
      }
      return n;
    }
  }

  /** Keeps the first bytes, which tell how the layer is packed. */
  private static final class Head extends BlockFilter {
    private static final int LENGTH = 8;
    private final byte[] head = new byte[LENGTH];
    private int filled;

    Head(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int n = in.read(buffer, offset, length);
      for (int i = 0; i < n && filled < LENGTH; i++) {
        head[filled++] = buffer[offset + i];
      }
      return n;
    }

    Compression compression() {
      return Compression.of(head);
    }
  }
}
