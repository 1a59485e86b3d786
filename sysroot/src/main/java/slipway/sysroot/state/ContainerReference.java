package slipway.sysroot.state;

import slipway.base.Problem;

/**
 * An image as ostree's origin files name it (ostree-rs-ext, "ostree-container URLs"): how its
 * signature is checked, then the transport, then the name.
 *
 * @param signature how the image is verified
 * @param remote the ostree remote whose keys verify the commit; empty unless signature says so
 * @param transport a containers/image transport: registry, oci, oci-archive, docker-daemon,
 *     containers-storage or dir
 * @param name in the transport's own form, such as {@code quay.io/a/b:latest}
 */
public record ContainerReference(
    Signature signature, String remote, String transport, String name) {
  private static final String DOCKER = "docker://";

  /** Some installers put the transport before the name of an image in a registry once more. */
  public ContainerReference {
    while (transport.equals("registry") && name.startsWith(DOCKER)) {
      name = name.substring(DOCKER.length());
    }
  }

  /** How an image's signature is checked. */
  public enum Signature {
    /** Not at all. */
    UNVERIFIED,
    /** By containers/image's policy.json. */
    CONTAINER_POLICY,
    /** By the keys of an ostree remote. */
    OSTREE_REMOTE
  }

  /** An image in a registry that nobody verifies beyond its digests. */
  public static ContainerReference registry(String name) {
    return unverified("registry", name);
  }

  /** An image of any transport that nobody verifies beyond its digests. */
  public static ContainerReference unverified(String transport, String name) {
    return new ContainerReference(Signature.UNVERIFIED, "", transport, name);
  }

  /**
   * Parses the value of an origin file.
   *
   * @throws Problem of kind INPUT for a form we do not know
   */
  public static ContainerReference parse(String text) {
    int colon = text.indexOf(':');
    String scheme = colon < 0 ? "" : text.substring(0, colon);
    String rest = text.substring(colon + 1);
    return switch (scheme) {
      case "ostree-unverified-registry" -> registry(rest);
      case "ostree-unverified-image" -> image(Signature.UNVERIFIED, "", rest, text);
      case "ostree-image-signed" -> image(Signature.CONTAINER_POLICY, "", rest, text);
      case "ostree-remote-registry" -> {
        int end = remoteEnd(rest, text);
        yield new ContainerReference(
            Signature.OSTREE_REMOTE, rest.substring(0, end), "registry", rest.substring(end + 1));
      }
      case "ostree-remote-image" -> {
        int end = remoteEnd(rest, text);
        yield image(Signature.OSTREE_REMOTE, rest.substring(0, end), rest.substring(end + 1), text);
      }
      default -> throw unknown(text);
    };
  }

  private static int remoteEnd(String rest, String text) {
    int colon = rest.indexOf(':');
    if (colon <= 0) {
      throw unknown(text);
    }
    return colon;
  }

  private static ContainerReference image(
      Signature signature, String remote, String rest, String text) {
    if (rest.startsWith(DOCKER)) {
      return new ContainerReference(signature, remote, "registry", rest);
    }
    int colon = rest.indexOf(':');
    if (colon <= 0) {
      throw unknown(text);
    }
    String transport = rest.substring(0, colon);
    return new ContainerReference(
        signature,
        remote,
        transport.equals("docker") ? "registry" : transport,
        rest.substring(colon + 1));
  }

  private static Problem unknown(String text) {
    return Problem.input(
        "\""
            + text
            + "\" is not an ostree image reference; expected one like ostree-unverified-registry:HOST/NAME:TAG");
  }

  /** The image without the way it is verified: the name, or {@code transport:name}. */
  public String image() {
    return transport.equals("registry") ? name : transport + ":" + name;
  }

  /** As an origin file has it, in the shortest form. */
  @Override
  public String toString() {
    boolean registry = transport.equals("registry");
    String full = registry ? DOCKER + name : transport + ":" + name;
    return switch (signature) {
      case UNVERIFIED ->
          registry ? "ostree-unverified-registry:" + name : "ostree-unverified-image:" + full;
      case CONTAINER_POLICY -> "ostree-image-signed:" + full;
      case OSTREE_REMOTE ->
          registry
              ? "ostree-remote-registry:" + remote + ":" + name
              : "ostree-remote-image:" + remote + ":" + full;
    };
  }
}
