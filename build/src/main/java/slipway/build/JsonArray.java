package slipway.build;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/** The exec form of an instruction: a JSON array of strings. */
final class JsonArray {
  static final ObjectMapper MAPPER =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

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
      node = MAPPER.readTree(text);
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
}
