package slipway.base.document;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamContext;
import tools.jackson.core.json.JsonFactory;

/**
 * On which lines of a config file its keys stand. The parsers do not keep that for values, so it is
 * worked out when something is wrong, of a text that they have accepted. Keys are written as in
 * {@code customizations.user[1].uid}.
 */
final class ConfigPlaces {
  private static final Pattern HEADER = Pattern.compile("\\[(\\[?)([^\\[\\]]+)]]?\\s*(#.*)?");
  private static final Pattern KEY = Pattern.compile("([A-Za-z0-9_.\"'/: -]+?)\\s*=(.*)");

  private final Map<String, Integer> lines;

  private ConfigPlaces(Map<String, Integer> lines) {
    this.lines = lines;
  }

  /** The line of a key, or of the nearest key around it; 0 when there is none. */
  int line(String key) {
    String at = key;
    while (!at.isEmpty()) {
      Integer line = lines.get(at);
      if (line != null) {
        return line;
      }
      int cut = Math.max(at.lastIndexOf('.'), at.lastIndexOf('['));
      at = cut < 0 ? "" : at.substring(0, cut);
    }
    return 0;
  }

  /** Of JSON: every key is where its name stands, every entry of a list where it begins. */
  static ConfigPlaces ofJson(String text) {
    Map<String, Integer> lines = new HashMap<>();
    try (JsonParser parser = new JsonFactory().createParser(text)) {
      for (JsonToken t = parser.nextToken(); t != null; t = parser.nextToken()) {
        if (t != JsonToken.END_OBJECT && t != JsonToken.END_ARRAY) {
          TokenStreamContext context = parser.streamReadContext();
          boolean begins = t == JsonToken.START_OBJECT || t == JsonToken.START_ARRAY;
          String path = path(begins ? context.getParent() : context);
          lines.putIfAbsent(path, parser.currentTokenLocation().getLineNr());
        }
      }
    }
    return new ConfigPlaces(lines);
  }

  private static String path(TokenStreamContext context) {
    if (context == null || context.inRoot()) {
      return "";
    }
    String parent = path(context.getParent());
    if (context.inArray()) {
      return parent + "[" + context.getCurrentIndex() + "]";
    }
    return parent.isEmpty() ? context.currentName() : parent + "." + context.currentName();
  }

  /** Of TOML: keys at the beginning of lines and headers of tables; inline tables count as one. */
  static ConfigPlaces ofToml(String text) {
    Map<String, Integer> lines = new HashMap<>();
    Map<String, Integer> entries = new HashMap<>();
    String table = "";
    String closing = "";
    int number = 0;
    for (String line : text.split("\n", -1)) {
      number++;
      String code = line.strip();
      if (!closing.isEmpty()) {
        closing = code.contains(closing) ? "" : closing;
        continue;
      }
      Matcher header = HEADER.matcher(code);
      Matcher key = KEY.matcher(code);
      if (header.matches()) {
        table = header(plain(header.group(2)), !header.group(1).isEmpty(), entries);
        around(lines, table, number);
        lines.putIfAbsent(table.replaceFirst("\\[[0-9]+]$", ""), number);
      } else if (key.matches()) {
        String name = plain(key.group(1));
        around(lines, table.isEmpty() ? name : table + "." + name, number);
        closing = opened(key.group(2));
      }
    }
    return new ConfigPlaces(lines);
  }

  /** A key, and the tables around it that have no line of their own. */
  private static void around(Map<String, Integer> lines, String key, int number) {
    for (int dot = key.indexOf('.'); dot > 0; dot = key.indexOf('.', dot + 1)) {
      String table = key.substring(0, dot);
      lines.putIfAbsent(table, number);
      lines.putIfAbsent(table.replaceFirst("\\[[0-9]+]$", ""), number);
    }
    lines.putIfAbsent(key, number);
  }

  /** The path of a table, with the number of the entry of each list of tables on the way. */
  private static String header(String name, boolean list, Map<String, Integer> entries) {
    StringBuilder path = new StringBuilder();
    String[] parts = name.split("\\.");
    for (int i = 0; i < parts.length; i++) {
      path.append(i == 0 ? "" : ".").append(parts[i]);
      String here = path.toString();
      if (i == parts.length - 1 && list) {
        path.append('[').append(entries.merge(here, 0, (old, zero) -> old + 1)).append(']');
      } else if (entries.containsKey(here)) {
        path.append('[').append(entries.get(here)).append(']');
      }
    }
    return path.toString();
  }

  /** The quotes that a text over several lines ends with, or nothing. */
  private static String opened(String value) {
    for (String quotes : new String[] {"\"\"\"", "'''"}) {
      int at = value.indexOf(quotes);
      if (at >= 0 && value.indexOf(quotes, at + 3) < 0) {
        return quotes;
      }
    }
    return "";
  }

  private static String plain(String key) {
    return key.replaceAll("[\"'\\s]", "");
  }
}
