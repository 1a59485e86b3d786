package slipway.oci;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import slipway.base.Limit;
import slipway.base.Problem;

/**
 * What every image passes on its way into a store: its layers decompress to what its config
 * promises. The layers' digests are noted as they come in, so that none is read twice.
 */
final class StoreGate {
  private final LocalStore store;
  private final DiffIds diffIds;

  StoreGate(LocalStore store, DiffIds diffIds) {
    this.store = store;
    this.diffIds = diffIds;
  }

  /**
   * @throws Problem of kind CORRUPT when the config does not fit the manifest, or a layer is
   *     another one than the config says
   */
  void requireDiffIds(Manifest.Image image) throws IOException {
    Validate.requireConfig(image);
    long size = Files.size(store.blobPath(image.config().digest())); // Not what is declared.
    if (size > Limit.CONFIG_BYTES.value() && !Validate.isImage(image)) {
      return; // An artifact; nobody can read its config as that of an image.
    }
    List<Digest> promised = Validate.diffIds(image, store.configBytes(image));
    for (int i = 0; i < promised.size(); i++) {
      Descriptor layer = image.layers().get(i);
      if (store.has(layer.digest())) { // A foreign one need not be.
        Validate.match(layer, promised.get(i), diffId(layer, promised.get(i).algorithm()));
      }
    }
  }

  /** What a layer decompresses to: noted when it came in, or found out now. */
  private Digest diffId(Descriptor layer, Digest.Algorithm algorithm) throws IOException {
    Optional<Digest> known = diffIds.find(layer.digest());
    if (known.isPresent() && known.get().algorithm() == algorithm) {
      return known.get();
    }
    try (InputStream in = store.openBlob(layer)) {
      Digest diffId = DiffIds.hash(in, algorithm, Validate.name(layer));
      store.blobs().note(layer.digest(), diffId);
      return diffId;
    }
  }
}
