package slipway.host;

import java.io.IOException;
import slipway.oci.ImageSource;
import slipway.sysroot.ContainerReference;

/** Opens the place that an image comes from. */
@FunctionalInterface
public interface ImageSources {
  /**
   * Opens it; asking it for the manifest {@code null} gives the image that is meant.
   *
   * @throws slipway.base.Problem of kind INPUT for a transport that is not supported
   */
  ImageSource open(ContainerReference image) throws IOException;
}
