package slipway.base.document;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import slipway.base.Printable;
import slipway.base.Problem;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.toml.TomlMapper;

/**
 * A TOML, JSON or YAML file that people write. Keys are named from the root, as in {@code
 * customizations.user[1].uid}; what is wrong with one is told with its file and line. Immutable.
 */
public final class ConfigDocument {
  private static final ObjectMapper TOML = new TomlMapper();

  private final String name;
  private final String text;
  private final boolean isJson;
  private final JsonNode root;

  /** What keys stand below in the file: nothing, or a key and a dot. */
  private final String prefix;

  private ConfigDocument(String name, String text, boolean isJson, JsonNode root, String prefix) {
    this.name = name;
    this.text = text;
    this.isJson = isJson;
    this.root = root;
    this.prefix = prefix;
  }

  /**
   * Parses TOML.
   *
   * @param name of the file, for messages
   * @throws Problem of kind INPUT that names the line
   */
  public static ConfigDocument toml(String text, String name) {
    return new ConfigDocument(name, text, false, parse(TOML, text, name), "");
  }

  /** As {@link #toml(String, String)}, of bytes that must be UTF-8. */
  public static ConfigDocument toml(byte[] bytes, String name) {
    try {
      return toml(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString(), name);
    } catch (CharacterCodingException e) {
      throw new Problem(Problem.Kind.INPUT, name + " is not UTF-8", e);
    }
  }

  /** As {@link #toml(String, String)}, of JSON. */
  public static ConfigDocument json(String text, String name) {
    ObjectMapper strict =
        JsonMapper.builder(
                JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    return new ConfigDocument(name, text, true, parse(strict, text, name), "");
  }

  /** As {@link #toml(String, String)}, of YAML, whose keys are told without their lines. */
  public static ConfigDocument yaml(String text, String name) {
    // In an empty text no key has a line.
    return new ConfigDocument(name, "", false, YamlTree.parse(text, name), "");
  }

  private static JsonNode parse(ObjectMapper mapper, String text, String name) {
    try {
      return mapper.readTree(text);
    } catch (JacksonException e) {
      throw SyntaxFault.problem(name, text, e);
    }
  }

  /** The document with one of its tables for the root, which its keys are told without. */
  public ConfigDocument below(String key) {
    return new ConfigDocument(name, text, isJson, root.path(key), prefix + key + ".");
  }

  /** All that it says. */
  public JsonNode root() {
    return root;
  }

  /** File and line of a key, or of the nearest one around it: {@code config.toml:3}. */
  public String place(String key) {
    int line =
        isJson
            ? ConfigPlaces.lineInJson(text, prefix + key)
            : ConfigPlaces.lineInToml(text, prefix + key);
    return line == 0 ? name : name + ":" + line;
  }

  /**
   * What is wrong with a key.
   *
   * @param reason one sentence; what it quotes of the file is made printable
   */
  public Problem wrong(String key, String reason) {
    return Problem.input(place(key) + ": " + Printable.text(reason));
  }

  /** Whether a table has a key; JSON's null is a key that is not there. */
  public static boolean isGiven(JsonNode table, String key) {
    return !table.path(key).isMissingNode() && !table.path(key).isNull();
  }

  /**
   * A list of strings; empty when the key is not there.
   *
   * @param at the whole key
   * @throws Problem of kind INPUT for anything else
   */
  public List<String> strings(JsonNode table, String key, String at) {
    List<String> list = new ArrayList<>();
    if (!isGiven(table, key)) {
      return list;
    }
    boolean good = table.path(key).isArray();
    for (JsonNode entry : table.path(key)) {
      good &= entry.isString();
      list.add(entry.asString(""));
    }
    if (!good) {
      throw wrong(at, at + " is not a list of strings");
    }
    return list;
  }
}
