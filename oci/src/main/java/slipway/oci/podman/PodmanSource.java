package slipway.oci.podman;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.OneImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.podman.StoredImage.StoredLayer;

/**
 * An image of podman's store. Layers lie there uncompressed. When the manifest that came with the
 * image names them so, it is given as it is; otherwise one that does, with the same config.
 */
public final class PodmanSource extends OneImageSource {
  private final StoredImage image;
  private final Map<Digest, StoredLayer> layers;

  private PodmanSource(
      String reference,
      StoredImage image,
      Manifest.Image manifest,
      byte[] config,
      Map<Digest, StoredLayer> layers) {
    super(reference, manifest, config);
    this.image = image;
    this.layers = layers;
  }

  /**
   * Opens an image.
   *
   * @param name behind {@code containers-storage:}: {@code [STORE]NAME[:TAG]}, {@code @ID}
   * @throws Problem of kind NOT_FOUND when no store has it
   */
  public static ImageSource open(String name) throws IOException {
    return open(name, System.getenv());
  }

  /**
   * The folders of the stores that an image is looked for in, there or not.
   *
   * @param name as {@link #open(String)} takes it
   */
  public static List<Path> stores(String name) throws IOException {
    return StorePlaces.of(name, System.getenv()).folders();
  }

  static ImageSource open(String name, Map<String, String> environment) throws IOException {
    String reference = "containers-storage:" + name;
    StorePlaces places = StorePlaces.of(name, environment);
    if (!StorePlaces.isRoot(environment)) {
      // Files of a user's layers belong to other users, who he is in podman's namespace alone.
      return SkopeoCopy.open(reference);
    }
    boolean otherDriver = false;
    for (Path folder : places.folders()) {
      Optional<StoredImage> image =
          StoredImage.find(OsPath.of(folder), places.driver(), places.image());
      if (image.isPresent()) {
        Optional<List<StoredLayer>> layers = image.get().layers();
        return layers.isPresent()
            ? of(reference, image.get(), layers.get())
            : SkopeoCopy.open(reference);
      }
      otherDriver |= StoredImage.hasOtherDriver(folder);
    }
    if (otherDriver) {
      return SkopeoCopy.open(reference);
    }
    throw Problem.notFound(
        "there is no image "
            + Printable.text(places.image())
            + " in podman's store "
            + places.folders().stream().map(Path::toString).collect(Collectors.joining(", "))
            + "; podman images lists what is there");
  }

  private static PodmanSource of(String reference, StoredImage image, List<StoredLayer> layers)
      throws IOException {
    byte[] bytes = image.file(StoredImage.MANIFEST, Limit.MANIFEST_BYTES);
    if (!(Manifest.parse(bytes, null) instanceof Manifest.Image kept)) {
      throw Problem.corrupt(reference + " has an index where its manifest belongs");
    }
    byte[] config = image.file(kept.config().digest().toString(), Limit.CONFIG_BYTES);
    List<Digest> digests = layers.stream().map(StoredLayer::digest).toList();
    if (!ImageConfig.parse(config).diffIds().equals(digests)) {
      throw Problem.corrupt(reference + " has other layers than its config lists");
    }
    Map<Digest, StoredLayer> byDigest = new HashMap<>();
    layers.forEach(l -> byDigest.put(l.digest(), l));
    Manifest.Image manifest = isPlain(kept, digests) ? kept : plain(kept, config, layers);
    return new PodmanSource(reference, image, manifest, config, byDigest);
  }

  /** Some versions of podman's library keep the type of the layer that was fetched. */
  private static boolean isPlain(Manifest.Image manifest, List<Digest> layers) {
    return manifest.layers().stream().map(Descriptor::digest).toList().equals(layers)
        && manifest.layers().stream()
            .allMatch(
                l ->
                    l.mediaType().equals(MediaTypes.OCI_LAYER)
                        || l.mediaType().equals(MediaTypes.DOCKER_LAYER));
  }

  private static Manifest.Image plain(
      Manifest.Image kept, byte[] config, List<StoredLayer> layers) {
    List<Descriptor> plain = new ArrayList<>();
    for (StoredLayer layer : layers) {
      plain.add(Descriptor.of(MediaTypes.OCI_LAYER, layer.digest(), layer.size()));
    }
    return Manifest.Image.of(
        Descriptor.of(MediaTypes.OCI_CONFIG, kept.config().digest(), config.length),
        plain,
        kept.annotations());
  }

  @Override
  protected @Nullable InputStream layer(Digest digest) throws IOException {
    StoredLayer layer = layers.get(digest);
    return layer == null ? null : image.open(layer);
  }
}
