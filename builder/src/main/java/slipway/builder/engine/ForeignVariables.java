package slipway.builder.engine;

import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.builder.language.Expander;
import slipway.oci.model.Reference;
import slipway.oci.transport.TransportRef;

/**
 * Which variables of a stage have a value that a base image chose, by its configuration or its
 * ONBUILD, and those that were made of such values. Its author is a stranger, who must not choose
 * which directory, archive or store of this machine {@code --from=$VARIABLE} reads, nor which
 * server is asked for an image or a download: this machine may reach some that a stranger cannot.
 *
 * <p>What the base chose of a text is seen by what the text would be had the base set something
 * else: for that, the values are kept that its variables and those made of them would have then. So
 * a version that a base sets may stand in the path of an address whose server the Containerfile
 * names.
 */
final class ForeignVariables {
  /** Instead of what a base image set; no place of anything has this in its name. */
  private static final String SOMETHING_ELSE = "\uE000";

  private final Map<String, String> otherwise = new HashMap<>();

  /** The variables with their other values, for a stage that is built on this one. */
  Map<String, String> values() {
    return Map.copyOf(otherwise);
  }

  /** Variables that come with an image from elsewhere. */
  void addImage(Collection<String> names) {
    names.forEach(n -> otherwise.put(n, SOMETHING_ELSE));
  }

  /** Variables of a stage, as its {@link #values} has them. */
  void addStage(Map<String, String> values) {
    otherwise.putAll(values);
  }

  /**
   * Notes that a variable got a value.
   *
   * @param other what it would be had the base images set something else, or null when they have no
   *     part in it
   */
  void assigned(String name, @Nullable String other) {
    if (other != null) {
      otherwise.put(name, other);
    } else {
      otherwise.remove(name);
    }
  }

  /** What a variable that a trigger of a base image sets would be. */
  static String ofTrigger() {
    return SOMETHING_ELSE;
  }

  /** Whether a text was made of such a value. */
  boolean wereUsedBy(Expander expander) {
    return !Collections.disjoint(expander.used(), otherwise.keySet());
  }

  /** The variables as they would be. */
  Expander.Variables otherwise(Expander.Variables real) {
    return name -> otherwise.containsKey(name) ? otherwise.get(name) : real.get(name);
  }

  /**
   * Refuses a source of files that a base image chose.
   *
   * @param from of {@code --from}
   * @param other what it would be had the base set something else, which is something else
   */
  static void checkImage(String from, String other, Position at) {
    if (isFileOfMachine(from)) {
      throw refused(from, "which is read from this machine", at);
    }
    if (!registry(from).equals(registry(other))) {
      throw refused(from, "an image of another registry", at);
    }
  }

  /**
   * Refuses a download from a server that a base image chose.
   *
   * @param address as for {@link #checkImage}
   */
  static void checkDownload(String address, String other, Position at) {
    if (!server(address).equals(server(other))) {
      throw refused(address, "which is downloaded by this machine", at);
    }
  }

  private static boolean isFileOfMachine(String from) {
    return TransportRef.hasTransport(from) && registryName(from).equals(from);
  }

  /** Without the transport of registries. */
  private static String registryName(String from) {
    return from.replaceFirst("^(docker://|registry:)", "");
  }

  /** The host of an image's name; empty for a short name, which this machine's rules make whole. */
  private static String registry(String from) {
    String name = registryName(from);
    return Reference.hasHost(name) ? name.substring(0, name.indexOf('/')) : "";
  }

  /** All up to the path: programs do not agree on where before it a host begins and ends. */
  private static String server(String address) {
    int scheme = address.indexOf("://");
    int slash = address.indexOf('/', scheme < 0 ? 0 : scheme + 3);
    return slash < 0 ? address : address.substring(0, slash);
  }

  static Problem refused(String what, String how, Position at) {
    return at.problem(
        "a variable of the base image chooses "
            + what
            + ", "
            + how
            + "; write it in the Containerfile, or, if you trust the image, build with --allow onbuild");
  }
}
