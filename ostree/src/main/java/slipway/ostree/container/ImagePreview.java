package slipway.ostree.container;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.ImageTotals;
import slipway.archive.tar.Metadata;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.ostree.object.Holding;
import slipway.tree.Content;
import slipway.tree.ContentStore;
import slipway.tree.FileTree;
import slipway.tree.Layer;
import slipway.tree.Layers;
import slipway.tree.Node;
import slipway.tree.TreeBuilder;

/**
 * The files that an import of an image would make, known without writing any: every layer is read
 * once, its digests are checked, and its content is dropped but for small files that somebody will
 * ask for. For who must know what an image is before something is erased for it.
 *
 * <p>Layers that encapsulate a commit have its files, too, as hard links to the objects ({@link
 * Encapsulation}); they are read like any others, without the labels of SELinux. Which object will
 * be asked for is known after all names are; such a layer is read once more when the first is.
 */
public final class ImagePreview {
  /** Lists of a kernel's modules have some hundred kilobytes. */
  private static final long LARGEST = 4 << 20;

  private static final long LARGEST_IN_ALL = 64 << 20;

  /** What is asked for afterwards all the same; there is no reason for more. */
  private static final long LARGEST_LATER = 64 << 20;

  private final ImageSource source;
  private final Predicate<OsPath> kept;
  private final LayerFetch layers;
  private final Set<Different> different = new HashSet<>();

  /** Content that will be asked for under the paths that it has in layers, by blob. */
  private final Map<Digest, Set<OsPath>> later = new HashMap<>();

  private final Map<Digest, Map<OsPath, byte[]>> found = new HashMap<>();
  private long bytes;
  private long held;

  private ImagePreview(ImageSource source, Predicate<OsPath> kept, Progress progress) {
    this.source = source;
    this.kept = kept;
    this.layers = new LayerFetch(source, new ImageTotals("the image's layers"), progress);
  }

  /**
   * What was found.
   *
   * @param bytes that the different files of all layers have at least, which is what a repository
   *     takes for them
   */
  public record Seen(FileTree files, long bytes) {}

  /** Tells most contents apart; those that it does not count once. */
  private record Different(long sum, long size) {}

  /**
   * Reads an image.
   *
   * @param source where the layers are; what it gives is verified. It stays open as long as content
   *     is asked for
   * @param image its name for messages
   * @param kept which files' content is kept, by their paths in the layers; that of others takes
   *     another reading of its layer when it is opened
   * @throws Problem when the image is damaged or nothing that an import takes
   */
  public static Seen read(
      ImageSource source,
      Manifest.Image manifest,
      ImageConfig config,
      String image,
      Predicate<OsPath> kept,
      Progress progress)
      throws IOException {
    ContainerImport.requireLayers(manifest, config, Printable.text(image));
    return new ImagePreview(source, kept, progress).read(manifest, config);
  }

  private Seen read(Manifest.Image manifest, ImageConfig config) throws IOException {
    Map<Digest, Layer> known = new HashMap<>();
    List<Layer> order = new ArrayList<>();
    int ofCommit = Encapsulation.layers(manifest, config);
    for (int i = 0; i < manifest.layers().size(); i++) {
      Descriptor blob = manifest.layers().get(i);
      Layer layer = known.get(blob.digest());
      if (layer == null) {
        Digest diffId = config.diffIds().get(i);
        layer = layers.read(store(blob, diffId), blob, diffId, ofCommit > 0);
        known.put(blob.digest(), layer);
      }
      order.add(layer);
    }
    FileTree tree = LayerMerge.withoutLeftovers(withoutObjects(Layers.merge(order)));
    tree.walk(
        (path, node) -> {
          Holding.require(path, node);
          if (node instanceof Node.File f
              && f.content() instanceof Elsewhere elsewhere
              && elsewhere.size <= LARGEST
              && kept.test(path)) {
            later
                .computeIfAbsent(elsewhere.blob.digest(), b -> new HashSet<>())
                .add(elsewhere.path);
          }
        });
    return new Seen(tree, bytes);
  }

  private static FileTree withoutObjects(FileTree tree) {
    TreeBuilder builder = new TreeBuilder(tree);
    builder.remove(LinkedLayers.SYSROOT.resolve(LinkedLayers.OSTREE).toString());
    return builder.build();
  }

  private ContentStore store(Descriptor blob, Digest diffId) {
    return (path, metadata, size, in) -> {
      CRC32C sum = new CRC32C();
      if (kept.test(path) && size <= LARGEST && held + size <= LARGEST_IN_ALL) {
        held += size;
        byte[] content = in.readNBytes((int) size);
        sum.update(content);
        count(sum, size);
        return Content.of(content);
      }
      byte[] buffer = new byte[(int) Math.min(size, 64 << 10)];
      for (long left = size; left > 0; ) {
        int n = in.read(buffer, 0, (int) Math.min(left, buffer.length));
        if (n < 0) {
          throw new EOFException("the content of " + path + " ended early");
        }
        sum.update(buffer, 0, n);
        left -= n;
      }
      count(sum, size);
      return new Elsewhere(blob, diffId, path, size);
    };
  }

  private void count(CRC32C sum, long size) {
    if (different.add(new Different(sum.getValue(), size))) {
      bytes += size;
    }
  }

  /** Content that was not kept. */
  private final class Elsewhere implements Content {
    private final Descriptor blob;
    private final Digest diffId;
    private final OsPath path;
    private final long size;

    Elsewhere(Descriptor blob, Digest diffId, OsPath path, long size) {
      this.blob = blob;
      this.diffId = diffId;
      this.path = path;
      this.size = size;
    }

    @Override
    public long size() {
      return size;
    }

    @Override
    public InputStream open() throws IOException {
      if (size > LARGEST_LATER) {
        throw Problem.input("the image's /" + Printable.text(path.toString()) + " is too large");
      }
      byte[] content = again();
      if (content == null) {
        throw new IOException("a layer has another content than a moment ago");
      }
      return new ByteArrayInputStream(content);
    }

    /** The content, of a reading that was done for another file or of one for it. */
    private byte @Nullable [] again() throws IOException {
      synchronized (found) {
        Map<OsPath, byte[]> known = found.computeIfAbsent(blob.digest(), b -> new HashMap<>());
        byte[] content = known.get(path);
        if (content == null) {
          Set<OsPath> more = later.getOrDefault(blob.digest(), Set.of());
          Wanted wanted = new Wanted(path, more);
          new LayerFetch(source, new ImageTotals("the image's layers"), Progress.NONE)
              .read(wanted, blob, diffId, false);
          content = more.contains(path) ? wanted.found.get(path) : wanted.found.remove(path);
          known.putAll(wanted.found);
        }
        return content;
      }
    }
  }

  /** Takes the content of one file, and of more that will be asked for as far as there is room. */
  private final class Wanted implements ContentStore {
    private final OsPath path;
    private final Set<OsPath> more;
    private final Map<OsPath, byte[]> found = new HashMap<>();

    Wanted(OsPath path, Set<OsPath> more) {
      this.path = path;
      this.more = more;
    }

    @Override
    public Content store(OsPath where, Metadata metadata, long size, InputStream in)
        throws IOException {
      boolean asked = where.equals(path) && size <= LARGEST_LATER;
      boolean kept = more.contains(where) && size <= LARGEST && held + size <= LARGEST_IN_ALL;
      if (asked || kept) {
        held += kept ? size : 0;
        byte[] content = in.readNBytes((int) size);
        found.put(where, content);
        return Content.of(content);
      }
      in.skipNBytes(size);
      return Content.EMPTY;
    }
  }
}
