package slipway.host.update;

import java.io.IOException;
import java.util.Optional;
import slipway.base.FileReason;
import slipway.base.Problem;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;

/**
 * Tells a failure before the deployments were changed from one after it. The first is a refusal,
 * the other says what boots next; whoever asks by the exit code must not take one for the other.
 *
 * @param sysroot as it was known at the beginning
 */
record ChangeGuard(Sysroot sysroot) {
  /** Work that may change the deployments, and returns what it did. */
  interface Work<T> {
    T run() throws IOException;
  }

  /** Does it. */
  <T> T run(Work<T> work) throws IOException {
    String before = sysroot.fingerprint();
    try {
      return work.run();
    } catch (IOException | Problem e) {
      // Who was in the way of another process has changed nothing.
      boolean told =
          e instanceof Problem p && (p.isAfterChange() || p.kind() == Problem.Kind.UNAVAILABLE);
      if (told || !isChanged(before, e)) {
        throw e;
      }
      throw new Problem(
              e instanceof Problem p ? p.kind() : Problem.Kind.ENVIRONMENT,
              FileReason.why(e) + "; " + state(),
              e)
          .afterChange();
    }
  }

  private boolean isChanged(String before, Exception failure) {
    try {
      sysroot.reload();
      return !sysroot.fingerprint().equals(before);
    } catch (IOException | Problem e) {
      failure.addSuppressed(e);
      return false;
    }
  }

  private String state() {
    Optional<Deployment> staged = sysroot.staged();
    if (staged.isEmpty()) {
      return "nothing is staged now";
    }
    String image;
    try {
      image = DeployedImage.describe(sysroot, staged.get());
    } catch (IOException | Problem e) {
      image = staged.get().toString();
    }
    return "staged is "
        + image
        + (staged.get().locked()
            ? ", which no reboot applies yet"
            : ", which the next boot starts");
  }
}
