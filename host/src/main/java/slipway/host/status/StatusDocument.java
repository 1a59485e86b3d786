package slipway.host.status;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * The status as a document: JSON with its keys sorted and no white space (canonical JSON), or YAML.
 * Streams through the generator and writes YAML by hand, because starting a mapper takes longer
 * than all the rest of the command.
 */
public final class StatusDocument {
  private StatusDocument() {}

  /** The document as maps, lists, strings, numbers, booleans and null, in the schema's order. */
  static Map<String, @Nullable Object> of(HostStatus host) {
    Map<String, @Nullable Object> spec = new LinkedHashMap<>();
    spec.put("image", name(host.image()));
    spec.put("bootOrder", host.rollbackQueued() ? "rollback" : "default");
    Map<String, @Nullable Object> status = new LinkedHashMap<>();
    status.put("staged", entry(host.staged()));
    status.put("booted", entry(host.booted()));
    status.put("rollback", entry(host.rollback()));
    if (!host.others().isEmpty()) {
      status.put("otherDeployments", host.others().stream().map(StatusDocument::entry).toList());
    }
    status.put("rollbackQueued", host.rollbackQueued());
    HostStatus.Entry booted = host.booted();
    status.put("type", booted != null && booted.image() != null ? "bootcHost" : null);
    HostStatus.UsrOverlay overlay = host.usrOverlay();
    Map<String, @Nullable Object> usr = new LinkedHashMap<>();
    if (overlay != null) {
      usr.put("accessMode", overlay.writable() ? "readWrite" : "readOnly");
      usr.put("persistence", overlay.persistent() ? "persistent" : "transient");
    }
    status.put("usrOverlay", overlay == null ? null : usr);
    status.put("readOnly", host.readOnly());
    Map<String, @Nullable Object> root = new LinkedHashMap<>();
    root.put("apiVersion", "org.containers.bootc/v1");
    root.put("kind", "BootcHost");
    Map<String, @Nullable Object> metadata = new LinkedHashMap<>(Map.of("name", "host"));
    Map<String, String> annotations = host.annotations();
    if (!annotations.isEmpty()) {
      metadata.put("annotations", annotations);
    }
    root.put("metadata", metadata);
    root.put("spec", spec);
    root.put("status", status);
    return root;
  }

  private static @Nullable Map<String, @Nullable Object> name(HostStatus.@Nullable ImageName name) {
    if (name == null) {
      return null;
    }
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    map.put("image", name.image());
    map.put("transport", name.transport());
    String signature = name.signature();
    if (signature != null) {
      map.put(
          "signature",
          signature.startsWith("ostreeRemote:")
              ? Map.of("ostreeRemote", signature.substring("ostreeRemote:".length()))
              : signature);
    }
    return map;
  }

  private static @Nullable Map<String, @Nullable Object> image(HostStatus.@Nullable Image image) {
    if (image == null) {
      return null;
    }
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    map.put("image", name(image.name()));
    map.put("version", image.version());
    map.put("timestamp", image.timestamp());
    map.put("imageDigest", image.digest());
    map.put("architecture", image.architecture());
    return map;
  }

  private static @Nullable Map<String, @Nullable Object> entry(HostStatus.@Nullable Entry entry) {
    if (entry == null) {
      return null;
    }
    Map<String, @Nullable Object> ostree = new LinkedHashMap<>();
    ostree.put("stateroot", entry.stateroot());
    ostree.put("checksum", entry.checksum());
    ostree.put("deploySerial", entry.serial());
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    map.put("image", image(entry.image()));
    map.put("cachedUpdate", image(entry.update()));
    map.put("incompatible", entry.incompatible());
    map.put("pinned", entry.pinned());
    map.put("softRebootCapable", entry.softReboot());
    map.put("downloadOnly", entry.downloadOnly());
    map.put("store", "ostreeContainer");
    map.put("ostree", ostree);
    map.put("composefs", null);
    return map;
  }

  // ---- JSON ----

  public static String json(HostStatus status) {
    return json(of(status));
  }

  /**
   * Any document of maps, lists, strings, numbers, booleans and null: its keys sorted, on one line,
   * with nothing in it that a terminal obeys.
   */
  public static String json(Object document) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator generator =
        new JsonFactory().createGenerator(ObjectWriteContext.empty(), bytes, JsonEncoding.UTF8)) {
      write(generator, document);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  // Chains of instanceof, because a switch over types is linked at run time, which takes longer.

  private static void write(JsonGenerator out, @Nullable Object value) {
    if (value == null) {
      out.writeNull();
    } else if (value instanceof String s) {
      if (Printable.text(s).equals(s)) {
        out.writeString(s);
      } else {
        out.writeRawValue(doubleQuoted(s, false));
      }
    } else if (value instanceof Boolean b) {
      out.writeBoolean(b);
    } else if (value instanceof Integer i) {
      out.writeNumber(i);
    } else if (value instanceof Long l) {
      out.writeNumber(l);
    } else if (value instanceof List<?> list) {
      out.writeStartArray();
      for (Object element : list) {
        write(out, element);
      }
      out.writeEndArray();
    } else if (value instanceof Map<?, ?> map) {
      out.writeStartObject();
      for (Map.Entry<Object, Object> entry : new TreeMap<Object, Object>(map).entrySet()) {
        out.writeName(String.valueOf(entry.getKey()));
        write(out, entry.getValue());
      }
      out.writeEndObject();
    } else {
      throw new AssertionError("no JSON for " + value.getClass());
    }
  }

  // ---- YAML ----

  public static String yaml(HostStatus status) {
    return yaml(of(status));
  }

  /** A document of maps, lists, strings, numbers, booleans and null, with a line end. */
  public static String yaml(Map<String, ?> document) {
    StringBuilder out = new StringBuilder();
    mapping(out, document, 0, false);
    return out.toString();
  }

  /**
   * Writes a block mapping.
   *
   * @param inList whether the first line is already begun by a dash
   */
  private static void mapping(StringBuilder out, Map<?, ?> map, int indent, boolean inList) {
    boolean first = inList;
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      if (!first) {
        out.append(" ".repeat(indent));
      }
      first = false;
      out.append(entry.getKey()).append(':');
      Object value = entry.getValue();
      if (value instanceof Map<?, ?> child) {
        out.append('\n');
        mapping(out, child, indent + 2, false);
      } else if (value instanceof List<?> list && !list.isEmpty()) {
        out.append('\n');
        sequence(out, list, indent);
      } else {
        out.append(' ').append(scalar(value)).append('\n');
      }
    }
  }

  private static void sequence(StringBuilder out, List<?> list, int indent) {
    for (Object element : list) {
      out.append(" ".repeat(indent)).append("- ");
      if (element instanceof Map<?, ?> child) {
        mapping(out, child, indent + 2, true);
      } else {
        out.append(scalar(element)).append('\n');
      }
    }
  }

  /** A scalar, in single quotes when it would read as something else than text. */
  private static String scalar(@Nullable Object value) {
    String text = String.valueOf(value);
    if (!(value instanceof String)) {
      return text; // Of lists only one that is empty: [].
    }
    if (!Printable.text(text).equals(text)) {
      return doubleQuoted(text, true);
    }
    return isPlain(text) ? text : "'" + text.replace("'", "''") + "'";
  }

  private static boolean isPlain(String text) {
    if (text.isEmpty() || text.isBlank() || text.strip().length() != text.length()) {
      return false;
    }
    char first = text.charAt(0);
    if ("-?:,[]{}#&*!|>'\"%@`=~+.".indexOf(first) >= 0 || isNumberLike(text)) {
      return false;
    }
    return !text.contains(": ")
        && !text.contains(" #")
        && !text.endsWith(":")
        && switch (text.toLowerCase(java.util.Locale.ROOT)) {
          case "null", "true", "false", "yes", "no", "on", "off", "y", "n" -> false;
          default -> true;
        };
  }

  /** Whether a parser takes it for a number: decimal, with a point or an exponent, hex, octal. */
  private static boolean isNumberLike(String text) {
    if (text.startsWith("0x") || text.startsWith("0o")) {
      return text.length() > 2 && text.substring(2).chars().allMatch(StatusDocument::isHex);
    }
    int at = digits(text, 0);
    if (at == 0) {
      return false;
    }
    if (at < text.length() && text.charAt(at) == '.') {
      at = digits(text, at + 1);
    }
    if (at < text.length() && (text.charAt(at) == 'e' || text.charAt(at) == 'E')) {
      at++;
      if (at < text.length() && (text.charAt(at) == '+' || text.charAt(at) == '-')) {
        at++;
      }
      at = digits(text, at);
    }
    return at == text.length();
  }

  private static boolean isHex(int c) {
    return Character.digit(c, 16) >= 0;
  }

  /** The index after the digits from {@code at} on. */
  private static int digits(String text, int at) {
    int end = at;
    while (end < text.length() && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
      end++;
    }
    return end;
  }

  /**
   * In double quotes, with all escaped that a terminal obeys or does not show.
   *
   * @param yaml whether YAML reads it, else JSON, which knows fewer escapes
   */
  private static String doubleQuoted(String text, boolean yaml) {
    StringBuilder out = new StringBuilder("\"");
    text.codePoints().forEach(c -> escape(out, c, yaml));
    return out.append('"').toString();
  }

  private static void escape(StringBuilder out, int c, boolean yaml) {
    String character = Character.toString(c);
    if (c == '"' || c == '\\') {
      out.append('\\').append(character);
    } else if (Printable.text(character).equals(character)) {
      out.append(character);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '\t') {
      out.append("\\t");
    } else if (yaml && c < 0x100) {
      out.append("\\x").append(HexFormat.of().toHexDigits(c, 2));
    } else if (yaml && c > 0xffff) {
      out.append("\\U").append(HexFormat.of().toHexDigits(c, 8));
    } else {
      character
          .chars()
          .forEach(unit -> out.append("\\u").append(HexFormat.of().toHexDigits(unit, 4)));
    }
  }

  // ---- reading what an image says about itself ----

  /** Opens a parser without a mapper. */
  static tools.jackson.core.JsonParser parser(String json) {
    return new JsonFactory().createParser(ObjectReadContext.empty(), json);
  }
}
