package slipway.builder.session;

import java.io.IOException;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.copy.ImageSink;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;

/**
 * Brings base images. Whoever starts the build knows the credentials, mirrors and policy; the build
 * knows when what came is to get its name in the store.
 */
@FunctionalInterface
public interface ImagePuller {
  /** Pulls nothing, and knows no other names. */
  ImagePuller NONE =
      (reference, platform, sink, progress) -> {
        throw Problem.notFound("there is no image " + reference + " in " + sink.describe());
      };

  /**
   * Copies an image, as {@link slipway.oci.copy.Transfer#copy} does, and gives it the sink's name.
   *
   * @param reference complete: host, repository, and tag or digest
   * @param sink what it is copied to; the caller closes it
   * @return what was copied: of an index the image for the platform
   * @throws Problem when it cannot be had
   */
  Manifest pull(Reference reference, Platform platform, ImageSink sink, Progress progress)
      throws IOException;

  /**
   * The whole name that a Containerfile means by one without a host, as {@code pull} has it: by
   * aliases and the registries in which short names are looked for.
   *
   * @throws Problem of kind INPUT for what is no name, or could be in several registries
   */
  default Reference resolve(String name) throws IOException {
    return Reference.parse(name);
  }
}
