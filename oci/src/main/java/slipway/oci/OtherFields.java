package slipway.oci;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
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
   * @param known names that somebody else reads
   */
  static OtherFields of(JsonNode object, Set<String> known) {
    Map<String, JsonNode> others = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> e : object.properties()) {
      if (!known.contains(e.getKey())) {
        others.put(e.getKey(), e.getValue());
      }
    }
    return others.isEmpty() ? NONE : new OtherFields(others);
  }

  /** Adds them to an object that has its known fields. */
  void addTo(ObjectNode object) {
    fields.forEach(object::set);
  }
}
