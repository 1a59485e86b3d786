package slipway.host.system;

import java.io.IOException;
import slipway.base.Progress;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Platform;
import slipway.oci.podman.PodmanStore;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.transport.TransportRef;

/** Puts an image to any place, podman's store among them. */
public final class ImageTarget {
  private ImageTarget() {}

  /**
   * Copies an image.
   *
   * @param image what {@code null} selects there
   * @param host whose variables and clock are used
   * @param options how a registry is reached
   */
  public static void copy(
      ImageSource image,
      TransportRef to,
      HostEnvironment host,
      RegistryOptions options,
      Progress progress)
      throws IOException {
    if (to instanceof TransportRef.Podman podman) {
      PodmanStore.Named named = PodmanStore.named(podman.name(), host.variables(), host.clock());
      named.store().add(image, named.image(), progress);
      return;
    }
    try (ImageSink sink = to.sink(options)) {
      Transfer.copy(image, null, sink, null, Transfer.Options.of(Platform.host()), progress);
    }
  }
}
