package slipway.base.document;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.CollectionEndEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import slipway.base.Printable;
import slipway.base.Problem;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * YAML that strangers wrote, as a tree: anchors and what refers to them are resolved, which
 * Jackson's own reader does not do, and neither that nor loops among them makes it large.
 */
final class YamlTree {
  /** A file of some pages has hundreds. */
  private static final int MOST_NODES = 10_000;

  private static final int DEEPEST = 50;

  private static final LoadSettings SETTINGS =
      LoadSettings.builder().setAllowDuplicateKeys(false).build();

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private final String name;
  private int nodes;

  private YamlTree(String name) {
    this.name = name;
  }

  /**
   * Parses one document; nothing at all is an empty table.
   *
   * @param name of the file, for messages
   * @throws Problem of kind INPUT that names the line
   */
  static JsonNode parse(String text, String name) {
    Object loaded;
    try {
      requireFlat(text, name);
      loaded = new Load(SETTINGS).loadFromString(text);
    } catch (MarkedYamlEngineException e) {
      String line = e.getProblemMark().map(mark -> ":" + (mark.getLine() + 1)).orElse("");
      throw new Problem(
          Problem.Kind.INPUT,
          name + line + ": this is no YAML: " + Printable.text(String.valueOf(e.getProblem())),
          e);
    } catch (YamlEngineException e) {
      throw new Problem(
          Problem.Kind.INPUT,
          name + ": this is no YAML: " + Printable.text(String.valueOf(e.getMessage())),
          e);
    }
    return loaded == null ? NODES.objectNode() : new YamlTree(name).node(loaded, 0);
  }

  /** The library makes its values by recursion, for which a small text can be too deep. */
  private static void requireFlat(String text, String name) {
    int depth = 0;
    for (Event event : new Parse(SETTINGS).parseString(text)) {
      depth += event instanceof CollectionStartEvent ? 1 : 0;
      depth -= event instanceof CollectionEndEvent ? 1 : 0;
      if (depth > DEEPEST) {
        throw tooMuch(name);
      }
    }
  }

  private static Problem tooMuch(String name) {
    return Problem.input(
        "%s holds more than %d values, or more than %d in one another, references counted as often as they are used"
            .formatted(name, MOST_NODES, DEEPEST));
  }

  private JsonNode node(@Nullable Object value, int depth) {
    if (++nodes > MOST_NODES || depth > DEEPEST) {
      throw tooMuch(name);
    }
    return switch (value) {
      case null -> NODES.nullNode();
      case Map<?, ?> map -> {
        ObjectNode table = NODES.objectNode();
        map.forEach((key, each) -> table.set(String.valueOf(key), node(each, depth + 1)));
        yield table;
      }
      case Iterable<?> list -> {
        ArrayNode array = NODES.arrayNode();
        list.forEach(each -> array.add(node(each, depth + 1)));
        yield array;
      }
      case Boolean flag -> NODES.booleanNode(flag);
      case Integer number -> NODES.numberNode(number);
      case Long number -> NODES.numberNode(number);
      case java.math.BigInteger number -> NODES.numberNode(number);
      case Double number -> NODES.numberNode(number);
      default -> NODES.stringNode(value.toString());
    };
  }
}
