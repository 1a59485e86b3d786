package slipway.host.system;

import java.io.IOException;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Reference;
import slipway.sysroot.state.ContainerReference;

/** Opens the place that an image comes from. */
@FunctionalInterface
public interface ImageSources {
  /**
   * Opens it; asking it for the manifest {@code null} gives the image that is meant.
   *
   * @throws slipway.base.Problem of kind INPUT for a transport that is not supported
   */
  ImageSource open(ContainerReference image) throws IOException;

  /**
   * Whether an image of a registry may as well come from another place, which keeps no signatures:
   * the machine demands none of this name.
   */
  default boolean isFree(Reference image) throws IOException {
    return true;
  }
}
