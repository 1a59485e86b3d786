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
import slipway.tree.Layer;
import slipway.tree.LayerReader;

/** Reads one layer from its source into a transaction, in one pass, verifying both its digests. */
final class LayerFetch {
  private final Transaction transaction;
  private final ImageSource source;
  private final ImageTotals image;
  private final Progress progress;

  LayerFetch(Transaction transaction, ImageSource source, ImageTotals image, Progress progress) {
    this.transaction = transaction;
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

  Fetched run(Descriptor blob, Digest diffId) throws IOException {
    String name = "layer " + blob.digest().brief();
    MessageDigest hash = diffId.algorithm().newMessageDigest();
    LayerFilter filter = new LayerFilter(transaction, name);
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
    Layer layer = filter.apply(raw);
    return new Fetched(
        LayerCommits.write(transaction, layer, diffId),
        layer,
        filter.dropped(),
        filter.attributes());
  }

  /** What comes out of the decompressor, the padding after the last entry included. */
  private static InputStream bounded(InputStream in, String name) {
    AtomicLong total = new AtomicLong();
    return new CountedInput(in, n -> Limit.LAYER_BYTES.check(total.addAndGet(n), name));
  }
}
