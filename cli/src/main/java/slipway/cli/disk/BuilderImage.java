package slipway.cli.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.command.State;
import slipway.config.registries.Registries;
import slipway.iso.Companions;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.store.LocalStore;
import slipway.oci.transport.TransportRef;

/**
 * The image that a disk is made of, from our own store or, as bootc-image-builder has it, from
 * podman's.
 *
 * @param name as the user gave it
 * @param named what that leads to: the image, or an index that has it
 * @param store that is open for it; null for podman's
 */
record BuilderImage(
    String name,
    ImageSource source,
    Manifest named,
    Manifest.Image manifest,
    ImageConfig config,
    @Nullable LocalStore store)
    implements Companions.Companion {

  /**
   * Opens it. In a container that sees no store of podman's it is fetched: there is nobody who
   * could have pulled it before.
   *
   * @param fetching how, where this is such a container; else null
   * @throws Problem of kind NOT_FOUND when neither store has it, INPUT when it is for another
   *     architecture
   */
  static BuilderImage open(String name, Platform platform, State state, @Nullable Fetching fetching)
      throws IOException {
    BuilderImage own = ofStore(name, name, platform, state);
    if (own != null) {
      return own;
    }
    TransportRef place = TransportRef.parse("containers-storage:" + name);
    if (place.places().stream().anyMatch(Files::isDirectory)) {
      return podmans(name, platform, place);
    }
    Path folder = place.places().getFirst();
    if (fetching == null || name.startsWith("localhost/")) {
      throw noStore(name, folder, null);
    }
    Reference fetched;
    try {
      fetched = fetching.fetch(name, platform, state);
    } catch (Problem e) {
      throw noStore(name, folder, e);
    }
    BuilderImage image = ofStore(name, fetched.toString(), platform, state);
    if (image == null) {
      throw new AssertionError(fetched + " is gone");
    }
    return image;
  }

  private static Problem noStore(String name, Path folder, @Nullable Problem failure) {
    String sentence =
        "could not access container storage, did you forget -v %1$s:%1$s? There is neither an image \"%2$s\" in the local store nor podman's store %1$s"
            .formatted(folder, name);
    return failure == null
        ? Problem.notFound(sentence)
        : new Problem(
            Problem.Kind.NOT_FOUND,
            sentence + ", and it cannot be fetched: " + failure.sentence(),
            failure);
  }

  /**
   * Brings an image from its registry into the local store.
   *
   * @param registries as the user reaches them
   */
  record Fetching(Registries registries, Progress progress) {
    Reference fetch(String name, Platform platform, State state) throws IOException {
      Reference reference = registries.resolve(name).orLatest();
      progress.note("fetching " + reference + ", because no container storage is mounted");
      try (LocalStore store = state.store();
          ImageSource registry = registries.source(reference)) {
        Transfer.copy(
            registry,
            reference.selector(),
            store.sink(reference),
            null,
            Transfer.Options.of(platform),
            progress);
      }
      return reference;
    }
  }

  /**
   * One of the local store.
   *
   * @throws Problem of kind NOT_FOUND when it has none of that name
   */
  static BuilderImage ofStore(String name, Platform platform, State state) throws IOException {
    BuilderImage found = ofStore(name, name, platform, state);
    if (found == null) {
      throw State.missing(name);
    }
    return found;
  }

  /**
   * @param name as the user gave it
   * @param stored its name in the store
   */
  private static @Nullable BuilderImage ofStore(
      String name, String stored, Platform platform, State state) throws IOException {
    if (!Files.isDirectory(state.directory().resolve("store"))) {
      return null;
    }
    LocalStore store = state.storeWith(name);
    try {
      Manifest found = store.find(stored).orElse(null);
      if (found != null) {
        Manifest.Image image = store.image(found, name, platform);
        return checked(
            new BuilderImage(name, store.source(), found, image, store.config(image), store),
            platform);
      }
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
    store.close();
    return null;
  }

  private static BuilderImage podmans(String name, Platform platform, TransportRef place)
      throws IOException {
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
      return checked(new BuilderImage(name, source, image, image, config, null), platform);
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
