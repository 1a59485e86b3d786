package slipway.oci.model;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import slipway.base.Printable;
import slipway.base.Problem;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Fields of a JSON object that we do not know, kept so that whoever writes the object again loses
 * none: of a descriptor {@code urls} and {@code data}, of a platform {@code os.version}, of a
 * config what comes after us. The values are never changed.
 *
 * @param fields by name, in the order of the document
 */
public record OtherFields(Map<String, JsonNode> fields) {
  /** There are no others. */
  public static final OtherFields NONE = new OtherFields(Map.of());

  public OtherFields {
    fields = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(fields));
  }

  /**
   * A name that is a known one but for its case is refused: decoders in Go, those of podman and
   * docker, take it for the known one, and the last of both counts, so that they would see another
   * user, command or layer than we do.
   *
   * @param known names that somebody else reads
   * @param where for messages: {@code the image config}
   * @throws Problem of kind CORRUPT for such a name
   */
  static OtherFields of(JsonNode object, Set<String> known, String where) {
    Map<String, JsonNode> others = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> e : object.properties()) {
      String name = e.getKey();
      if (!known.contains(name)) {
        known.stream().filter(name::equalsIgnoreCase).forEach(k -> refuse(name, k, where));
        others.put(name, e.getValue());
      }
    }
    return others.isEmpty() ? NONE : new OtherFields(others);
  }

  private static void refuse(String name, String known, String where) {
    throw Problem.corrupt(
        "%s has the field \"%s\", which some programs take for \"%s\" and others do not; whoever made it must write \"%s\""
            .formatted(where, Printable.text(name), known, known));
  }

  /** Adds them to an object that has its known fields. */
  void addTo(ObjectNode object) {
    fields.forEach(object::set);
  }
}
