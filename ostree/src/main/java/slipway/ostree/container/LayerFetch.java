package slipway.ostree.container;

import java.io.IOException;
import java.io.InputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import slipway.archive.compress.Compression;
import slipway.archive.tar.ImageTotals;
import slipway.base.CountedInput;
import slipway.base.Limit;
import slipway.base.Progress;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Validate;
import slipway.oci.copy.VerifyingInputStream;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Transaction;
import slipway.tree.ContentStore;
import slipway.tree.Layer;
import slipway.tree.LayerReader;

/** Reads one layer from its source in one pass, verifying both its digests. */
final class LayerFetch {
  private final ImageSource source;
  private final ImageTotals image;
  private final Progress progress;

  LayerFetch(ImageSource source, ImageTotals image, Progress progress) {
    this.source = source;
    this.image = image;
    this.progress = progress;
  }

  /**
   * What a layer became.
   *
   * @param dropped how many entries were left out, by top level directory
   * @param attributes how many extended attributes were left out, by name
   */
  record Fetched(
      Checksum commit,
      Layer layer,
      Map<String, Integer> dropped,
      Map<String, Integer> attributes) {}

  /** Writes it into a transaction, as a commit. */
  Fetched run(Transaction transaction, Descriptor blob, Digest diffId) throws IOException {
    LayerFilter filter = new LayerFilter(transaction, name(blob));
    Layer layer = read(filter, blob, diffId);
    return new Fetched(
        LayerCommits.write(transaction, layer, diffId),
        layer,
        filter.dropped(),
        filter.attributes());
  }

  /** Reads it, with the content of its files going to another place. */
  Layer read(ContentStore contents, Descriptor blob, Digest diffId) throws IOException {
    return read(new LayerFilter(contents, name(blob)), blob, diffId);
  }

  private Layer read(LayerFilter filter, Descriptor blob, Digest diffId) throws IOException {
    String name = name(blob);
    MessageDigest hash = diffId.algorithm().newMessageDigest();
    Layer raw;
    try (Progress.Task task = progress.start(name, blob.size());
        InputStream compressed =
            new VerifyingInputStream(new CountedInput(source.blob(blob, 0), task::advance), blob);
        InputStream tar =
            bounded(new DigestInputStream(Compression.decompressAny(compressed), hash), name)) {
      raw = LayerReader.read(tar, filter, image);
      tar.transferTo(java.io.OutputStream.nullOutputStream());
      // The decompressor may stop at the end of its data; the blob's digest is checked at its end.
      compressed.transferTo(java.io.OutputStream.nullOutputStream());
    }
    Validate.match(blob, diffId, Digest.of(diffId.algorithm(), hash.digest()));
    return filter.apply(raw);
  }

  private static String name(Descriptor blob) {
    return "layer " + blob.digest().brief();
  }

  /** What comes out of the decompressor, the padding after the last entry included. */
  private static InputStream bounded(InputStream in, String name) {
    AtomicLong total = new AtomicLong();
    return new CountedInput(in, n -> Limit.LAYER_BYTES.check(total.addAndGet(n), name));
  }
}
