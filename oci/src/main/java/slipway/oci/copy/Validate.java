package slipway.oci.copy;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;

/**
 * Checks that an image is what it says: each blob has its digest and size, its config lists as many
 * layers as its manifest, and each layer decompresses to what the config promises (image-spec,
 * config.md, "rootfs"). Everything that is built or deployed is named after those promises, so an
 * image that lies about them would take the place of another one.
 */
public final class Validate {
  private Validate() {}

  /**
   * Reads all of an image.
   *
   * @throws Problem of kind CORRUPT that names what is wrong, NOT_FOUND when a part is missing
   */
  public static void image(ImageSource source, Manifest.Image image, Progress progress)
      throws IOException {
    requireConfig(image);
    List<Digest> diffIds = diffIds(image, Transfer.config(source, image));
    long total = 0;
    for (int i = 0; i < image.layers().size(); i++) {
      Descriptor layer = image.layers().get(i);
      try (Progress.Task task = progress.start(name(layer), layer.size());
          InputStream blob = new VerifyingInputStream(source.blob(layer, 0), layer)) {
        if (diffIds.isEmpty()) {
          blob.transferTo(java.io.OutputStream.nullOutputStream());
        } else {
          Digest wanted = diffIds.get(i);
          PlainLayer.Sum plain = DiffIds.hash(blob, wanted.algorithm(), name(layer));
          match(layer, wanted, plain.diffId());
          total = add(total, plain, image);
        }
        task.advance(layer.size());
      }
    }
  }

  /**
   * Refuses what cannot be a config: a layer, by its type or since the manifest lists it as one, or
   * another manifest.
   */
  public static void requireConfig(Manifest.Image image) {
    Descriptor config = image.config();
    boolean alsoLayer =
        image.layers().stream()
            .anyMatch(l -> MediaTypes.isLayer(l.mediaType()) && l.digest().equals(config.digest()));
    if (alsoLayer
        || MediaTypes.isLayer(config.mediaType())
        || MediaTypes.isManifest(config.mediaType())) {
      throw Problem.corrupt(
          "the config of image %s is no config but %s, %s"
              .formatted(
                  image.digest(),
                  alsoLayer ? "one of its layers" : "of type " + config.mediaType(),
                  config.digest()));
    }
  }

  /**
   * What the layers must decompress to.
   *
   * @param config the bytes of the image's config
   * @return a digest for each layer, or nothing for an artifact, which has no file system
   * @throws Problem of kind CORRUPT when the config does not fit the manifest
   */
  public static List<Digest> diffIds(Manifest.Image image, byte[] config) {
    boolean typed = isImage(image);
    List<Digest> diffIds;
    try {
      diffIds = ImageConfig.parse(config).diffIds();
    } catch (Problem e) {
      if (typed) {
        throw e;
      }
      return List.of(); // Nobody else takes it for an image's config either.
    }
    boolean layers = image.layers().stream().anyMatch(l -> MediaTypes.isLayer(l.mediaType()));
    if (diffIds.isEmpty() && !(typed && layers)) {
      return List.of();
    }
    if (diffIds.size() != image.layers().size()) {
      throw Problem.corrupt(
          "image %s has %d layers but its config lists %d"
              .formatted(image.digest(), image.layers().size(), diffIds.size()));
    }
    return diffIds;
  }

  /** Whether the manifest says that its config is one of an image. */
  public static boolean isImage(Manifest.Image image) {
    return image.config().mediaType().equals(MediaTypes.OCI_CONFIG)
        || image.config().mediaType().equals(MediaTypes.DOCKER_CONFIG);
  }

  /**
   * Refuses a layer that decompresses to something else than its image's config says.
   *
   * @param wanted the diff id of the config
   * @throws Problem of kind CORRUPT
   */
  public static void match(Descriptor layer, Digest wanted, Digest actual) {
    if (!actual.equals(wanted)) {
      throw Problem.corrupt(
          name(layer)
              + " has the uncompressed digest "
              + actual
              + ", but the image's config names "
              + wanted
              + "; it was damaged or forged");
    }
  }

  /**
   * Counts a layer of an image.
   *
   * @param total bytes of the layers before
   * @return bytes with it
   * @throws Problem when the image holds more than {@link Limit#IMAGE_BYTES}
   */
  public static long add(long total, PlainLayer.Sum layer, Manifest.Image image) {
    long sum = Math.addExact(total, layer.size());
    Limit.IMAGE_BYTES.check(sum, "image " + image.digest());
    return sum;
  }

  public static String name(Descriptor layer) {
    return "layer " + layer.digest().brief();
  }
}
