package slipway.host.update;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import slipway.base.Problem;
import slipway.host.status.DeploymentChoice;
import slipway.oci.model.Digest;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;

/**
 * Images that the administrator rolled back from. An update that nobody asked for at this moment
 * does not bring them again; a newer one ends that.
 */
final class HeldImages {
  private HeldImages() {}

  /** Whether an image is one of them, be it only packed otherwise. */
  static boolean has(Sysroot sysroot, ImagePull pull) throws IOException {
    List<String> held = held(sysroot);
    if (held.isEmpty()) {
      return false;
    }
    if (held.contains(pull.digest().toString())) {
      return true;
    }
    for (Deployment d : DeploymentChoice.all(sysroot)) {
      Optional<Digest> digest = DeployedImage.digestOf(sysroot, d);
      if (digest.isPresent()
          && held.contains(digest.get().toString())
          && sysroot
              .repository()
              .readableCommit(d.checksum())
              .filter(pull::isImageOf)
              .isPresent()) {
        return true;
      }
    }
    return false;
  }

  private static List<String> held(Sysroot sysroot) {
    try {
      return sysroot.settings().held();
    } catch (Problem | IOException e) {
      // Damaged settings hold nothing back; who changes them is told.
      return List.of();
    }
  }

  /** Ends it, once another image is staged or one of them is wanted again. */
  static void release(Sysroot sysroot) throws IOException {
    if (!held(sysroot).isEmpty()) {
      sysroot.changeSettings(settings -> settings.withHeld(List.of()));
    }
  }
}
