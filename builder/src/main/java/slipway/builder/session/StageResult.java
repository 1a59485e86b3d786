package slipway.builder.session;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.builder.cache.CacheKey;
import slipway.builder.cache.LayerRef;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;

/**
 * What a stage ended with, or what an image is that a stage begins with.
 *
 * @param state a digest that stands for all that led here
 * @param config without the digests of its layers
 * @param layers bottom first
 * @param created of the last step, or null
 * @param base name and digest of the image at the bottom, or null for scratch
 */
public record StageResult(
    String state,
    ImageConfig config,
    List<LayerRef> layers,
    @Nullable String created,
    @Nullable Base base) {
  /**
   * The image that others were made from.
   *
   * @param state the result's as long as nothing was changed
   */
  public record Base(String name, Manifest.Image manifest, String state) {}

  /**
   * Begins the names of snapshots whose content was checked against the diff id; those of versions
   * that did not check had another, so nothing takes them any more.
   */
  public static final String SNAPSHOT_PREFIX = "layer-";

  public StageResult {
    layers = List.copyOf(layers);
  }

  /** An image of the store. */
  static StageResult of(String name, Manifest.Image manifest, ImageConfig config) {
    List<LayerRef> layers = new ArrayList<>();
    String chain = "";
    for (int i = 0; i < manifest.layers().size(); i++) {
      Digest diffId = config.diffIds().get(i);
      chain = chain.isEmpty() ? diffId.hex() : chainId(chain, diffId);
      Descriptor layer = manifest.layers().get(i);
      layers.add(
          new LayerRef(
              SNAPSHOT_PREFIX + chain,
              new LayerRef.Blob(layer.withMediaType(ociType(layer.mediaType())), diffId)));
    }
    String state = CacheKey.of("image", manifest.config().digest().toString());
    return new StageResult(
        state, config, layers, config.created(), new Base(name, manifest, state));
  }

  /** The image that this is, when no instruction came after FROM. */
  public Optional<Manifest.Image> untouched() {
    return Optional.ofNullable(base).filter(b -> b.state().equals(state)).map(Base::manifest);
  }

  /** OCI image-spec, config.md, "Layer ChainID". */
  private static String chainId(String parent, Digest diffId) {
    byte[] text =
        ("sha256:" + parent + " " + diffId).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    return Digest.sha256(text).hex();
  }

  /** Docker's types of layers under OCI's names; the bytes are the same. */
  private static String ociType(String mediaType) {
    return switch (mediaType) {
      case MediaTypes.DOCKER_LAYER_GZIP -> MediaTypes.OCI_LAYER_GZIP;
      case MediaTypes.DOCKER_LAYER -> MediaTypes.OCI_LAYER;
      default -> mediaType;
    };
  }
}
