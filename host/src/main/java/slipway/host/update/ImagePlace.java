package slipway.host.update;

import slipway.base.CommandValue;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.oci.model.Reference;
import slipway.oci.transport.TransportRef;
import slipway.sysroot.state.ContainerReference;

/** Where an image is fetched from, as the options of commands name it. */
final class ImagePlace {
  private ImagePlace() {}

  /**
   * Parses the value of {@code --from}.
   *
   * @param from {@code TRANSPORT:PLACE}
   * @throws Problem of kind USAGE for what is none, or of a transport that nothing is fetched from
   */
  static ContainerReference parse(String from) {
    int colon = from.indexOf(':');
    if (colon <= 0 || colon == from.length() - 1) {
      throw Problem.usage(
          "--from takes TRANSPORT:PLACE, such as oci:/run/media/os, not \""
              + Printable.text(from)
              + "\"");
    }
    String transport = from.substring(0, colon);
    String name = from.substring(colon + 1);
    if (transport.equals("docker") && name.startsWith("//")) {
      return registry(name.substring(2));
    }
    if (transport.equals("registry")) {
      return registry(name);
    }
    requireKnown("--from", transport);
    return ContainerReference.unverified(transport, fromAnywhere(transport, name));
  }

  /**
   * Refuses what is no name of an image in a registry. With a transport in front, as other commands
   * print it, it is said how that is given.
   *
   * @throws Problem of kind USAGE
   */
  static void requireName(String target) {
    try {
      CommandValue.of("the image", () -> Reference.parse(target));
    } catch (Problem e) {
      if (!TransportRef.hasTransport(target)) {
        throw e;
      }
      String place = target.substring(target.indexOf(':') + 1);
      boolean docker = target.startsWith("docker:");
      throw new Problem(
          Problem.Kind.USAGE,
          "the image: a transport is an option of its own: --transport "
              + (docker ? "registry " : target.substring(0, target.indexOf(':')) + " ")
              + Printable.text(docker ? place.substring(2) : place),
          e);
    }
  }

  /**
   * A folder or file by its whole path: later updates look for it from another folder.
   *
   * @throws Problem of kind USAGE when no place is named
   */
  static String fromAnywhere(String transport, String place) {
    String text = TransportRef.parse(transport + ":" + place).absolute().toString();
    return text.substring(transport.length() + 1);
  }

  private static ContainerReference registry(String name) {
    CommandValue.of("--from", () -> Reference.parse(name));
    return ContainerReference.registry(name);
  }

  /**
   * Refuses a transport that images cannot be fetched by.
   *
   * @param option what asked for it, for the message
   * @throws Problem of kind USAGE
   */
  static void requireKnown(String option, String transport) {
    if (!TransportRef.hasTransport(transport + ":")) {
      throw Problem.usage(
          option
              + ": images of transport \""
              + Printable.text(transport)
              + "\" cannot be fetched; known are registry, oci, oci-archive, docker-archive, dir and"
              + " containers-storage");
    }
  }

  /** The same image with another tag, and without a digest. */
  static ContainerReference withTag(ContainerReference image, String tag) {
    String name;
    if (image.transport().equals("registry")) {
      name = Reference.parse(image.name()).withTag(tag).toString();
    } else {
      String bare = image.name().replaceFirst("@.*", "");
      int colon = bare.lastIndexOf(':');
      name = (colon < 0 ? bare : bare.substring(0, colon)) + ":" + tag;
    }
    return new ContainerReference(image.signature(), image.remote(), image.transport(), name);
  }
}
