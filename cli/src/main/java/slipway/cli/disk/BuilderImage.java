package slipway.cli.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.cli.command.State;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.store.LocalStore;
import slipway.oci.transport.TransportRef;

/**
 * The image that a disk is made of, from our own store or, as bootc-image-builder has it, from
 * podman's.
 *
 * @param name as the user gave it
 * @param store that is open for it; null for podman's
 */
record BuilderImage(
    String name,
    ImageSource source,
    Manifest.Image manifest,
    ImageConfig config,
    @Nullable LocalStore store)
    implements AutoCloseable {

  /**
   * Opens it.
   *
   * @throws Problem of kind NOT_FOUND when neither store has it, INPUT when it is for another
   *     architecture
   */
  static BuilderImage open(String name, Platform platform, State state) throws IOException {
    if (Files.isDirectory(state.directory().resolve("store"))) {
      LocalStore store = state.storeWith(name);
      try {
        Manifest found = store.find(name).orElse(null);
        if (found != null) {
          Manifest.Image image = store.image(found, name, platform);
          return checked(
              new BuilderImage(name, store.source(), image, store.config(image), store), platform);
        }
      } catch (RuntimeException e) {
        store.close();
        throw e;
      }
      store.close();
    }
    return podmans(name, platform, TransportRef.parse("containers-storage:" + name));
  }

  private static BuilderImage podmans(String name, Platform platform, TransportRef place)
      throws IOException {
    if (place.places().stream().noneMatch(Files::isDirectory)) {
      Path folder = place.places().getFirst();
      throw Problem.notFound(
          "could not access container storage, did you forget -v %1$s:%1$s? There is neither an image \"%2$s\" in the local store nor podman's store %1$s"
              .formatted(folder, name));
    }
    ImageSource source;
    try {
      source = place.source(RegistryOptions.anonymous(System.getenv()));
    } catch (Problem e) {
      if (e.kind() != Problem.Kind.NOT_FOUND) {
        throw e;
      }
      throw new Problem(
          Problem.Kind.NOT_FOUND,
          "failed to inspect the image "
              + name
              + ": neither the local store nor podman's has it; images are not pulled, make sure to"
              + " do so before: sudo podman pull "
              + name,
          e);
    }
    try {
      if (!(source.manifest(null) instanceof Manifest.Image image)) {
        throw Problem.corrupt(name + " is an index in podman's store, where an image belongs");
      }
      ImageConfig config = ImageConfig.parse(bytes(source, image));
      return checked(new BuilderImage(name, source, image, config, null), platform);
    } catch (IOException | RuntimeException e) {
      source.close();
      throw e;
    }
  }

  private static byte[] bytes(ImageSource source, Manifest.Image image) throws IOException {
    try (var in = source.blob(image.config(), 0)) {
      return Limit.CONFIG_BYTES.read(in, "the image's config");
    }
  }

  private static BuilderImage checked(BuilderImage image, Platform platform) {
    Platform own = image.config.platform();
    if (!platform.accepts(own)) {
      throw Problem.input(
          "requested bootc arch \"%s\" does not match available arches [%s] of %s"
              .formatted(platform.architecture(), own.architecture(), image.name));
    }
    return image;
  }

  @Override
  public void close() throws IOException {
    source.close();
    if (store != null) {
      store.close();
    }
  }
}
