package slipway.iso;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.ImageTotals;
import slipway.base.CountedInput;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.PlainLayer;
import slipway.oci.copy.Validate;
import slipway.oci.copy.VerifyingInputStream;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Layer;
import slipway.tree.LayerReader;
import slipway.tree.Layers;

/**
 * The merged tree of an image whose files' content lies in one file, one behind the other: it can
 * be written out in any order, without a folder that only root could fill. Layers are verified.
 */
final class SpooledImage {
  private final Path file;
  private long end;

  private SpooledImage(Path file) {
    this.file = file;
  }

  /**
   * Reads an image.
   *
   * @param file is made, and stays as long as content is read
   */
  static FileTree read(
      ImageSource source, Manifest.Image manifest, ImageConfig config, Path file, Progress progress)
      throws IOException {
    if (manifest.layers().size() != config.diffIds().size()) {
      throw Problem.corrupt("the image's config tells of another number of layers than it has");
    }
    SpooledImage spool = new SpooledImage(file);
    ImageTotals totals = new ImageTotals("the image's layers");
    List<Layer> layers = new ArrayList<>();
    try (OutputStream out = Files.newOutputStream(file)) {
      for (int i = 0; i < manifest.layers().size(); i++) {
        layers.add(
            spool.layer(
                source, manifest.layers().get(i), config.diffIds().get(i), totals, out, progress));
      }
    }
    return Layers.merge(layers);
  }

  private Layer layer(
      ImageSource source,
      Descriptor blob,
      Digest diffId,
      ImageTotals totals,
      OutputStream out,
      Progress progress)
      throws IOException {
    try (Progress.Task task = progress.start("layer " + blob.digest().brief(), blob.size());
        InputStream compressed =
            new VerifyingInputStream(new CountedInput(source.blob(blob, 0), task::advance), blob);
        PlainLayer tar = new PlainLayer(compressed, diffId.algorithm(), blob)) {
      Layer layer =
          tar.readBy(
              in ->
                  LayerReader.read(
                      in, (path, metadata, size, content) -> store(content, out), totals));
      Validate.match(blob, diffId, tar.finish().diffId());
      return layer;
    }
  }

  private Content store(InputStream in, OutputStream out) throws IOException {
    long start = end;
    end += in.transferTo(out);
    return new Part(start, end - start);
  }

  /** Bytes of the file. */
  private final class Part implements Content {
    private final long start;
    private final long size;

    Part(long start, long size) {
      this.start = start;
      this.size = size;
    }

    @Override
    public long size() {
      return size;
    }

    @Override
    public InputStream open() throws IOException {
      FileInputStream in = new FileInputStream(file.toFile());
      in.getChannel().position(start);
      return new Bounded(in, size);
    }
  }

  /** The beginning of a stream. */
  private static final class Bounded extends InputStream {
    private final InputStream in;
    private long left;

    Bounded(InputStream in, long left) {
      this.in = in;
      this.left = left;
    }

    @Override
    public int read() throws IOException {
      int c = left == 0 ? -1 : in.read();
      left -= c < 0 ? 0 : 1;
      return c;
    }

    @Override
    public int read(byte @Nullable [] bytes, int offset, int length) throws IOException {
      int n = left == 0 ? -1 : in.read(bytes, offset, (int) Math.min(length, left));
      left -= Math.max(n, 0);
      return n;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
