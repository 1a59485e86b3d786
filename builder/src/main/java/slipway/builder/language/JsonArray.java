package slipway.builder.language;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Position;
import slipway.oci.model.Json;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** The exec form of an instruction: a JSON array of strings. */
public final class JsonArray {
  private JsonArray() {}

  /**
   * The strings, or null when the text is not a JSON array, which then is for the shell.
   *
   * @throws slipway.base.Problem when it is an array of other things
   */
  static @Nullable List<String> parse(String text, Position at) {
    if (!text.stripLeading().startsWith("[")) {
      return null;
    }
    JsonNode node;
    try {
      node = Json.read(text);
    } catch (JacksonException e) {
      return null;
    }
    List<String> strings = new ArrayList<>();
    for (JsonNode item : node) {
      if (!item.isString()) {
        throw at.problem("the array " + text.strip() + " may hold strings only");
      }
      strings.add(item.asString());
    }
    return strings;
  }

  /** The array as JSON. */
  public static String write(List<String> strings) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    strings.forEach(array::add);
    return new String(Json.write(array), StandardCharsets.UTF_8);
  }
}
