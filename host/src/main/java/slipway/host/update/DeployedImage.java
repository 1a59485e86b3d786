package slipway.host.update;

import java.io.IOException;
import java.util.Optional;
import slipway.base.Problem;
import slipway.host.status.StatusReader;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.ostree.repo.Repository;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;

/** What messages say of the image of a deployment. */
public final class DeployedImage {
  private DeployedImage() {}

  /** The image of a deployment by name and digest, for a message. */
  public static String describe(Sysroot sysroot, Deployment deployment) throws IOException {
    String name =
        deployment.origin().deployed().map(DeployedImage::shortDisplay).orElse("ostree commit");
    return name + " (" + digestOrChecksum(sysroot, deployment) + ")";
  }

  /**
   * The image's digest; the commit's checksum of what no image was made into, and of what cannot be
   * read: who only tells of it does not fail.
   */
  public static String digestOrChecksum(Sysroot sysroot, Deployment deployment) {
    try {
      return digestOf(sysroot, deployment)
          .map(Digest::toString)
          .orElse(deployment.checksum().hex());
    } catch (Problem | IOException e) {
      return deployment.checksum().hex();
    }
  }

  /** Whether a deployment is of an image, also when its commit does not tell of it any more. */
  static boolean isImage(Deployment deployment) {
    return deployment.origin().container().isPresent();
  }

  /** With the transport, as the reference shows an image where it asks for one. */
  static String display(ContainerReference image) {
    return image.signature() == ContainerReference.Signature.UNVERIFIED
            && image.transport().equals("registry")
        ? "docker://" + image.name()
        : image.toString();
  }

  /** Without the transport when that is the usual one. */
  static String shortDisplay(ContainerReference image) {
    return image.signature() == ContainerReference.Signature.UNVERIFIED
            && image.transport().equals("registry")
        ? image.name()
        : image.toString();
  }

  /** The digest of the manifest that a deployment was made from, as far as its commit tells. */
  public static Optional<Digest> digestOf(Sysroot sysroot, Deployment deployment)
      throws IOException {
    return sysroot
        .repository()
        .readableCommit(deployment.checksum())
        .flatMap(commit -> commit.string(StatusReader.MANIFEST_DIGEST))
        .map(Digest::parse);
  }

  /** The manifest that a deployment was made from, as far as its commit tells. */
  static Optional<Manifest.Image> manifestOf(Sysroot sysroot, Deployment deployment)
      throws IOException {
    Repository repository = sysroot.repository();
    return repository.readableCommit(deployment.checksum()).flatMap(ImageRefs::manifest);
  }
}
