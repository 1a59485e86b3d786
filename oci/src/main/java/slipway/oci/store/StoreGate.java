package slipway.oci.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.oci.copy.DiffIds;
import slipway.oci.copy.PlainLayer;
import slipway.oci.copy.Validate;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;

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
   * Holds an image whose blobs are here to what its manifest and its config say.
   *
   * @throws Problem of kind CORRUPT when a part is missing or another one than is said, or all
   *     layers together are over {@link Limit#IMAGE_BYTES}
   */
  void require(Manifest.Image image) {
    List<Descriptor> parts = new ArrayList<>(image.layers());
    parts.add(image.config());
    try {
      for (Descriptor part : parts) {
        requirePart(image, part);
      }
      requireDiffIds(image);
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "cannot read image " + image.digest() + " in " + store.root() + ": " + e.getMessage(),
          e);
    }
  }

  private void requirePart(Manifest.Image image, Descriptor part) throws IOException {
    if (store.has(part.digest())) {
      long size = Files.size(store.blobPath(part.digest()));
      if (size != part.size()) {
        throw Problem.corrupt(
            "image %s says that its blob %s has %d bytes, but it has %d"
                .formatted(image.digest(), part.digest(), part.size(), size));
      }
    } else if (!MediaTypes.isForeign(part.mediaType())) {
      throw Problem.corrupt(
          "image " + image.digest() + " lacks its blob " + part.digest() + " in " + store.root());
    }
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
    long total = 0;
    for (int i = 0; i < promised.size(); i++) {
      Descriptor layer = image.layers().get(i);
      if (store.has(layer.digest())) { // A foreign one need not be.
        PlainLayer.Sum plain = plain(layer, promised.get(i).algorithm());
        Validate.match(layer, promised.get(i), plain.diffId());
        total = Validate.add(total, plain, image);
      }
    }
  }

  /** What a layer decompresses to: noted when it came in, or found out now. */
  private PlainLayer.Sum plain(Descriptor layer, Digest.Algorithm algorithm) throws IOException {
    Optional<PlainLayer.Sum> known = diffIds.find(layer.digest());
    if (known.isPresent() && known.get().diffId().algorithm() == algorithm) {
      return known.get();
    }
    try (InputStream in = store.openBlob(layer)) {
      PlainLayer.Sum plain = DiffIds.hash(in, algorithm, Validate.name(layer));
      store.blobs().note(layer.digest(), plain);
      return plain;
    }
  }
}
