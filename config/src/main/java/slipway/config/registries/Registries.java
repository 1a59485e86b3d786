package slipway.config.registries;

import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Reference;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;

/** Opens repositories as {@link RegistriesConf} wants it: where they are, blocked, insecure. */
public final class Registries {
  private final RegistriesConf conf;
  private final RegistryOptions options;
  private final @Nullable Boolean tlsVerify;

  /**
   * @param tlsVerify what the user said, which counts more than the configuration; null: nothing
   */
  public Registries(RegistriesConf conf, RegistryOptions options, @Nullable Boolean tlsVerify) {
    this.conf = conf;
    this.options = options;
    this.tlsVerify = tlsVerify;
  }

  /**
   * Opens an image for reading, from its mirrors or its own place.
   *
   * @throws slipway.base.Problem of kind DENIED when it is blocked
   */
  public ImageSource source(Reference image) {
    List<RegistriesConf.Place> places = conf.places(image);
    return places.size() == 1
        ? client(places.getFirst())
        : new MirroredSource(image, places, this::client);
  }

  /**
   * Opens a repository for writing.
   *
   * @throws slipway.base.Problem of kind DENIED when it is blocked
   */
  public RegistryClient target(Reference image) {
    return client(conf.target(image));
  }

  /** The whole name that a user means. */
  public Reference resolve(String name) {
    return conf.resolve(name);
  }

  /** How a registry is reached. */
  public RegistryOptions options(Reference image) {
    return options(conf.target(image).insecure());
  }

  private RegistryOptions options(boolean insecure) {
    return options.withTlsVerify(tlsVerify == null ? !insecure : tlsVerify);
  }

  private RegistryClient client(RegistriesConf.Place place) {
    return new RegistryClient(place.image(), options(place.insecure()));
  }
}
