package slipway.cli.output;

import java.util.List;
import java.util.Map;
import slipway.base.Printable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** The JSON that commands print for scripts. */
public final class JsonText {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private JsonText() {}

  static String steps(List<Steps.Done> steps) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    for (Steps.Done step : steps) {
      array
          .addObject()
          .put("step", step.name())
          .put("seconds", step.seconds())
          .put("result", step.result());
    }
    return pretty(array);
  }

  /** Indented, with what a terminal must not see escaped. */
  public static String pretty(JsonNode node) {
    return Printable.json(MAPPER.writeValueAsString(node));
  }

  /** The same on one line. */
  public static String line(JsonNode node) {
    return Printable.json(node.toString());
  }

  /** As {@link #pretty(JsonNode)} of maps, lists, strings, numbers, booleans and null. */
  public static String pretty(Map<String, ?> document) {
    return pretty(MAPPER.<JsonNode>valueToTree(document));
  }
}
