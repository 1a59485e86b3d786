package slipway.oci.model;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.document.SyntaxFault;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * JSON documents as trees, read and written token by token: the first use of an {@code
 * ObjectMapper}, which does the same, costs a short command as much as all else that it does.
 */
public final class Json {
  private static final JsonFactory FACTORY =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private static final int MAX_TEXT = 1 << 20;

  /** Without tables of the names in a document, which grow with it. */
  private static final JsonFactory LONG_DOCUMENTS =
      JsonFactory.builder()
          .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
          .streamReadConstraints(StreamReadConstraints.builder().maxStringLength(MAX_TEXT).build())
          .build();

  private static final int SHOWN = 200;

  private final JsonParser parser;
  private long values;

  private Json(JsonParser parser) {
    this.parser = parser;
  }

  /** More values than {@link Limit#JSON_NODES} allows; the message is the limit's own. */
  static final class TooMany extends StreamReadException {
    private static final long serialVersionUID = 1;

    TooMany(JsonParser parser) {
      super(parser, Limit.JSON_NODES.exceeded("the document").getMessage());
    }
  }

  /**
   * Reads one document.
   *
   * @throws JacksonException when the bytes are anything else, an object has a name twice, or there
   *     are more values than {@link Limit#JSON_NODES}
   */
  public static JsonNode read(byte[] bytes) {
    try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), bytes)) {
      return new Json(parser).document();
    }
  }

  /** As {@link #read(byte[])}. */
  public static JsonNode read(String text) {
    try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), text)) {
      return new Json(parser).document();
    }
  }

  /**
   * Reads one document that a stranger sent.
   *
   * @param what it is, for messages: {@code image config}
   * @throws Problem of kind CORRUPT in every case in which {@link #read(byte[])} throws
   */
  public static JsonNode read(byte[] bytes, String what) {
    try {
      return read(bytes);
    } catch (TooMany e) {
      throw Limit.JSON_NODES.exceeded("the " + what);
    } catch (JacksonException e) {
      throw new Problem(
          Problem.Kind.CORRUPT,
          "the " + what + " is not valid JSON: " + Printable.text(reason(e)),
          e);
    }
  }

  /**
   * Reads a document token by token that is too large for a tree. Whoever calls closes it. Nothing
   * of it is kept, so that names which come twice are the caller's to find.
   *
   * @throws JacksonException from {@link JsonParser#getString} for a text of more than 1 MiB
   */
  public static JsonParser parser(InputStream in) {
    return LONG_DOCUMENTS.createParser(ObjectReadContext.empty(), in);
  }

  /** The parser's reason without the part of the document that it likes to show. */
  private static String reason(JacksonException e) {
    String text = SyntaxFault.said(e);
    return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
  }

  private JsonNode document() {
    JsonNode node = node(parser.nextToken());
    if (parser.nextToken() != null) {
      throw new StreamReadException(parser, "something follows the document");
    }
    return node;
  }

  /** The parser bounds how deep it goes. */
  private JsonNode node(@Nullable JsonToken token) {
    if (++values > Limit.JSON_NODES.value()) {
      throw new TooMany(parser);
    }
    JsonNodeFactory nodes = JsonNodeFactory.instance;
    return switch (token) {
      case START_OBJECT -> {
        ObjectNode object = nodes.objectNode();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = text(parser.currentName());
          object.set(name, node(parser.nextToken()));
        }
        yield object;
      }
      case START_ARRAY -> {
        ArrayNode array = nodes.arrayNode();
        for (JsonToken t; (t = parser.nextToken()) != JsonToken.END_ARRAY; ) {
          array.add(node(t));
        }
        yield array;
      }
      case VALUE_STRING -> nodes.stringNode(text(parser.getString()));
      case VALUE_NUMBER_INT ->
          switch (parser.getNumberType()) {
            case INT -> nodes.numberNode(parser.getIntValue());
            case LONG -> nodes.numberNode(parser.getLongValue());
            default -> nodes.numberNode(parser.getBigIntegerValue());
          };
      // As an ObjectMapper does: what an exponent makes of a decimal has no bounds.
      case VALUE_NUMBER_FLOAT -> nodes.numberNode(parser.getDoubleValue());
      case VALUE_TRUE -> nodes.booleanNode(true);
      case VALUE_FALSE -> nodes.booleanNode(false);
      case VALUE_NULL -> nodes.nullNode();
      case null, default -> throw new StreamReadException(parser, "there is no value");
    };
  }

  /**
   * Half of a surrogate pair, which JSON can escape, is no character: no UTF-8 and no file's name
   * holds it. It becomes U+FFFD, as in Go's decoder, so that nobody behind this need expect it.
   */
  private static String text(String value) {
    StringBuilder out = null;
    for (int i = 0; i < value.length(); ) {
      int c = value.codePointAt(i);
      if (Character.getType(c) == Character.SURROGATE) {
        out = out == null ? new StringBuilder(value) : out;
        out.setCharAt(i, '\ufffd');
      }
      i += Character.charCount(c);
    }
    return out == null ? value : out.toString();
  }

  /** The document without white space. */
  public static byte[] write(JsonNode node) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator generator = FACTORY.createGenerator(ObjectWriteContext.empty(), bytes)) {
      write(node, generator);
    }
    return bytes.toByteArray();
  }

  private static void write(JsonNode node, JsonGenerator out) {
    switch (node.getNodeType()) {
      case OBJECT -> {
        out.writeStartObject();
        for (Map.Entry<String, JsonNode> e : node.properties()) {
          out.writeName(e.getKey());
          write(e.getValue(), out);
        }
        out.writeEndObject();
      }
      case ARRAY -> {
        out.writeStartArray();
        for (JsonNode item : node) {
          write(item, out);
        }
        out.writeEndArray();
      }
      case STRING -> out.writeString(node.stringValue());
      case NUMBER -> {
        if (node.isIntegralNumber()) {
          out.writeNumber(node.bigIntegerValue());
        } else {
          out.writeNumber(node.doubleValue());
        }
      }
      case BOOLEAN -> out.writeBoolean(node.booleanValue());
      case NULL -> out.writeNull();
      case BINARY, POJO, MISSING ->
          throw new IllegalArgumentException("not JSON: " + node.getNodeType());
    }
  }
}
