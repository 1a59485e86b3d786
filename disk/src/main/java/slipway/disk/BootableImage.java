package slipway.disk;

import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.ostree.container.LayerCache;

/**
 * The image that goes onto a disk.
 *
 * @param name how it is called where it was found; null when that is of no use to others
 * @param source where its layers are read from
 * @param manifest the image
 * @param config its config
 * @param target the name that the machine follows for its updates
 * @param cache of layers that other disks had; null for none
 */
public record BootableImage(
    @Nullable String name,
    ImageSource source,
    Manifest.Image manifest,
    ImageConfig config,
    Reference target,
    @Nullable LayerCache cache) {
  private static final long MIB = 1L << 20;

  /** Bytes of all layers; larger sums would not fit a long. */
  private static final long LARGEST = 1L << 56;

  /**
   * Refuses what is not made to be booted.
   *
   * @throws Problem of kind INPUT
   */
  void requireBootable() {
    if (!"1".equals(config.labels().get("containers.bootc"))
        && !config.labels().containsKey("ostree.bootable")) {
      throw Problem.input(
          "image " + target + " is not a bootable image: it lacks the label containers.bootc=1");
    }
  }

  /**
   * Refuses what no machine of this architecture boots.
   *
   * @throws Problem of kind INPUT
   */
  void check() {
    requireBootable();
    if (!Platform.host().accepts(config.platform())) {
      throw Problem.input(
          "image "
              + target
              + " is for "
              + config.platform()
              + ", this machine is "
              + Platform.host()
              + "; bootc-image-builder --target-arch makes disks of images of another one");
    }
  }

  /** In OCI's names. */
  String architecture() {
    return config.platform().architecture();
  }

  private static boolean isPlain(Descriptor layer) {
    return layer.mediaType().equals(MediaTypes.OCI_LAYER)
        || layer.mediaType().equals(MediaTypes.DOCKER_LAYER);
  }

  /** Bytes of a root that has room for it twice: an upgrade needs the old and the new one. */
  long rootMinimum() {
    return 2 * unpacked() + 256 * MIB;
  }

  /** Bytes that its files take, about. */
  long unpacked() {
    long unpacked = 0;
    for (Descriptor layer : manifest.layers()) {
      // Packed layers take about half.
      unpacked += isPlain(layer) ? layer.size() : 2 * Math.min(layer.size(), LARGEST);
      if (layer.size() > LARGEST || unpacked > LARGEST) {
        throw Problem.corrupt("image " + target + " claims more bytes than any disk has");
      }
    }
    return unpacked;
  }
}
