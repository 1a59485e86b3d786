package slipway.ostree;

import java.io.IOException;
import slipway.base.Progress;
import slipway.oci.ImageConfig;
import slipway.oci.ImageSource;
import slipway.oci.Manifest;

/** Brings a container image into a repository. */
public final class ContainerImport {
  private ContainerImport() {}

  /**
   * Imports an image.
   *
   * @param imgref what names it in the ref, such as {@code docker://quay.io/os/image:tag}
   */
  public static Imported run(
      Repository repository,
      ImageSource source,
      Manifest.Image manifest,
      ImageConfig config,
      String imgref,
      Progress progress)
      throws IOException {
    throw new AssertionError();
  }

  /** A part of a ref name, escaped as ostree-ext does. */
  public static String escapeRef(String text) {
    throw new AssertionError();
  }
}
