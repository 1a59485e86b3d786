package slipway.build;

import java.io.IOException;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.LocalStore;
import slipway.oci.Platform;
import slipway.oci.Reference;

/**
 * Brings a base image into the store under its name. Whoever starts the build knows the
 * credentials, mirrors and policy.
 */
@FunctionalInterface
public interface ImagePuller {
  /** Pulls nothing, and knows no other names. */
  ImagePuller NONE =
      (reference, platform, store, progress) -> {
        throw Problem.notFound("there is no image " + reference + " in " + store.root());
      };

  /**
   * @param reference complete: host, repository, and tag or digest
   * @throws Problem when it cannot be had
   */
  void pull(Reference reference, Platform platform, LocalStore store, Progress progress)
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
