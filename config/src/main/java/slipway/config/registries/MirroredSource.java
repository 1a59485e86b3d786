package slipway.config.registries;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Span;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;
import slipway.oci.registry.RegistryClient;

/**
 * An image that may be had in several places: the first that has its manifest gives all of it. What
 * is found by a tag in a mirror is what the mirror says; digests hold everywhere.
 */
final class MirroredSource implements ImageSource {
  private final Reference image;
  private final List<RegistriesConf.Place> places;
  private final Function<RegistriesConf.Place, RegistryClient> opener;
  private @Nullable RegistryClient chosen;

  MirroredSource(
      Reference image,
      List<RegistriesConf.Place> places,
      Function<RegistriesConf.Place, RegistryClient> opener) {
    this.image = image;
    this.places = places;
    this.opener = opener;
  }

  @Override
  public String describe() {
    RegistryClient client = chosen;
    return client == null ? "registry " + image.registry() : client.describe();
  }

  @Override
  public synchronized Manifest manifest(@Nullable String selector) throws IOException {
    if (chosen != null) {
      return chosen.manifest(selector);
    }
    List<Problem> failures = new ArrayList<>();
    for (RegistriesConf.Place place : places) {
      RegistryClient client = opener.apply(place);
      try {
        Manifest manifest = client.manifest(selector);
        chosen = client;
        return manifest;
      } catch (Problem e) {
        failures.add(e);
      } finally {
        if (chosen != client) {
          client.close();
        }
      }
    }
    throw failed(failures);
  }

  /** The last place is the image's own, so its failure is the one that counts. */
  private static Problem failed(List<Problem> failures) {
    Problem last = failures.removeLast();
    StringBuilder text = new StringBuilder(String.valueOf(last.getMessage()));
    for (Problem mirror : failures) {
      text.append("; before, from a mirror: ").append(mirror.getMessage());
    }
    return new Problem(last.kind(), text.toString(), last);
  }

  @Override
  public InputStream blob(Descriptor descriptor, long offset) throws IOException {
    return chosen().blob(descriptor, offset);
  }

  @Override
  public Optional<InputStream> parts(Descriptor descriptor, List<Span> spans, LongConsumer fetched)
      throws IOException {
    return chosen().parts(descriptor, spans, fetched);
  }

  private synchronized RegistryClient chosen() {
    RegistryClient client = chosen;
    if (client == null) {
      throw new IllegalStateException("a blob belongs to a manifest, which comes first");
    }
    return client;
  }

  @Override
  public synchronized void close() {
    if (chosen != null) {
      chosen.close();
    }
  }
}
