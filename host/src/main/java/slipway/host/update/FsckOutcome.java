package slipway.host.update;

import slipway.base.Problem;
import slipway.ostree.repo.FsckReport;

/**
 * What a check of a machine came to.
 *
 * @param repair whether what was found was to be mended
 * @param mended how many objects are whole again
 * @param relinked how many files of deployments lead to an object that is whole again
 * @param kernels how many files were put into {@code /boot} again
 * @param images how many composefs images were written again
 * @param left what is broken still
 */
public record FsckOutcome(
    boolean repair, int mended, int relinked, int kernels, int images, FsckReport left) {
  /**
   * Fails for what is broken still.
   *
   * @throws Problem of kind CORRUPT
   */
  public void requireSound() {
    if (!left.isClean()) {
      throw Problem.corrupt(
          "the machine has "
              + MachineFsck.counted(left.errors().size(), "error")
              + (repair
                  ? " that no image of a deployment mends: switch to another image, or install"
                      + " anew"
                  : "; bootc fsck --repair fetches what is broken again"));
    }
  }
}
