package slipway.builder.engine;

import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.builder.language.Expander;
import slipway.oci.transport.TransportRef;

/**
 * Which variables of a stage have a value that a base image chose, by its configuration or its
 * ONBUILD, and those that were made of such values. Its author is a stranger, who must not choose
 * which directory, archive or store of this machine {@code --from=$VARIABLE} reads.
 */
final class ForeignVariables {
  private final Set<String> names = new HashSet<>();

  /** The names, for a stage that is built on this one. */
  Set<String> names() {
    return Set.copyOf(names);
  }

  /** Variables that come with an image from elsewhere, or from a stage that has one. */
  void addAll(Collection<String> foreign) {
    names.addAll(foreign);
  }

  /** Notes that a variable got a value. */
  void assigned(String name, boolean foreign) {
    if (foreign) {
      names.add(name);
    } else {
      names.remove(name);
    }
  }

  /** Whether a text was made of such a value. */
  boolean wereUsedBy(Expander expander) {
    return !Collections.disjoint(expander.used(), names);
  }

  /**
   * Refuses a source of files that a base image chose.
   *
   * @param from what a text became
   * @param expander that it became that by
   */
  void check(String from, Expander expander, Position at) {
    if (isFileOfMachine(from) && wereUsedBy(expander)) {
      throw refused(from, at);
    }
  }

  private static boolean isFileOfMachine(String from) {
    return TransportRef.hasTransport(from)
        && !from.startsWith("docker:")
        && !from.startsWith("registry:");
  }

  private static Problem refused(String from, Position at) {
    return at.problem(
        "a variable of the base image chooses "
            + from
            + ", which is read from this machine; write it in the Containerfile, or, if you trust"
            + " the image, build with --allow onbuild");
  }
}
