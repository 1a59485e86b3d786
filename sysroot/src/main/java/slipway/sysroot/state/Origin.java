package slipway.sysroot.state;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.KeyFile;
import slipway.base.Problem;

/**
 * Where a deployment came from and where its updates come from: the {@code .origin} file beside it.
 * A value; keys that we do not know are kept.
 *
 * @param file the key file; empty when it is damaged
 * @param damage what is wrong with the file, or null
 */
public record Origin(KeyFile file, @Nullable String damage) {
  private static final String GROUP = "origin";
  private static final String CONTAINER = "container-image-reference";
  private static final String TRANSIENT = "libostree-transient";

  /** Of our own: the image that was deployed, where that is not the one that is followed. */
  private static final String OURS = "slipway";

  private static final String DEPLOYED = "deployed-image";
  private static final String REGISTRY = "ostree-unverified-registry:";

  /** Of a deployment whose origin file is missing. */
  public static final Origin NONE = new Origin(KeyFile.empty());

  /** Of a file that is sound. */
  public Origin(KeyFile file) {
    this(file, null);
  }

  /**
   * As {@link #parse}, of a file beside a deployment: one that is damaged says nothing, so that it
   * spoils nothing but its own deployment.
   */
  static Origin read(String text, String name) {
    try {
      Origin origin = parse(text, name);
      origin.container();
      origin.deployed();
      origin.pinned();
      return origin;
    } catch (Problem e) {
      return damaged(String.valueOf(e.getMessage()));
    }
  }

  /**
   * Of a file that says nothing.
   *
   * @param damage what is wrong with it
   */
  static Origin damaged(String damage) {
    return new Origin(KeyFile.empty(), damage);
  }

  /** An image in a registry, without a signature check by ostree. */
  public static Origin ofRegistry(String image) {
    return ofContainer(REGISTRY + image);
  }

  /**
   * An image by ostree's own notation.
   *
   * @param reference such as {@code ostree-unverified-registry:quay.io/a/b:latest}
   */
  public static Origin ofContainer(String reference) {
    return NONE.withContainer(reference);
  }

  public static Origin parse(String text, String name) {
    return new Origin(KeyFile.parse(text, name));
  }

  /** ostree's image reference, or nothing when this is not of an image. */
  public Optional<ContainerReference> container() {
    return file.get(GROUP, CONTAINER).map(ContainerReference::parse);
  }

  /** As it stands in the file, without looking into it. */
  public Optional<String> containerText() {
    return file.get(GROUP, CONTAINER);
  }

  /** The ref that a plain ostree deployment follows. */
  public Optional<String> refspec() {
    return file.get(GROUP, "refspec").or(() -> file.get(GROUP, "baserefspec"));
  }

  public boolean pinned() {
    return file.getBoolean(TRANSIENT, "pinned", false);
  }

  /**
   * @throws Problem of kind CORRUPT for a damaged file, which stays as it is
   */
  public Origin withPinned(boolean pinned) {
    requireSound();
    return new Origin(
        pinned ? file.with(TRANSIENT, "pinned", "true") : file.without(TRANSIENT, "pinned"));
  }

  private void requireSound() {
    if (damage != null) {
      throw Problem.corrupt(damage + "; mend the file, or name the image again by bootc switch");
    }
  }

  /** The image that was deployed: that which is followed, unless it was taken for one time. */
  public Optional<ContainerReference> deployed() {
    return file.get(OURS, DEPLOYED).map(ContainerReference::parse).or(this::container);
  }

  /** Of an image that was deployed, while another one is followed. */
  public Origin withDeployed(String reference) {
    return new Origin(file.with(OURS, DEPLOYED, oneLine(reference)));
  }

  /**
   * Of an image that is deployed and followed, and no longer of the ref of a plain ostree
   * repository.
   */
  public Origin withContainer(String reference) {
    return new Origin(
        file.without(GROUP, "refspec")
            .without(GROUP, "baserefspec")
            .without(OURS, DEPLOYED)
            .with(GROUP, CONTAINER, oneLine(reference)));
  }

  private static String oneLine(String reference) {
    if (reference.isBlank() || reference.indexOf('\n') >= 0) {
      throw Problem.input("an image reference is one line of text");
    }
    return reference;
  }

  /**
   * Without what belongs to the deployment itself and not to where it came from: the pin (ostree
   * clears the same when a new deployment takes over an origin).
   *
   * @throws Problem of kind CORRUPT for a damaged file: a new deployment would follow nothing
   */
  public Origin withoutTransientState() {
    requireSound();
    return new Origin(
        file.without(TRANSIENT, "pinned")
            .without(GROUP, "unlocked")
            .without(GROUP, "override-commit"));
  }

  /** Whether rpm-ostree changed this deployment locally, which we cannot carry over. */
  public boolean modifiedByRpmOstree() {
    return file.groups().stream()
        .anyMatch(List.of("rpmostree", "packages", "overrides", "modules")::contains);
  }

  @Override
  public String toString() {
    return file.toString();
  }
}
