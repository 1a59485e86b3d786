package slipway.base.document;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Finds the line of a config file on which a key stands. The parsers do not keep that for values,
 * so it is worked out when something is wrong, of a text that they have accepted. Keys are written
 * as in {@code customizations.user[1].uid}.
 */
final class ConfigPlaces {
  private static final Pattern HEADER = Pattern.compile("\\[(\\[?)([^\\[\\]]+)]]?\\s*(#.*)?");
  private static final Pattern KEY = Pattern.compile("([A-Za-z0-9_.\"'/: -]+?)\\s*=(.*)");

  /** Characters of a key that is looked for or at; nobody writes longer ones but to do harm. */
  private static final int LONGEST = 1000;

  /** A table whose keys are not looked at. */
  private static final String OTHER = "]";

  /** The key and those around it, the nearest first, and their lines as they are found. */
  private final Map<String, Integer> lines = new LinkedHashMap<>();

  private ConfigPlaces(String key) {
    String at = key.length() > LONGEST ? "" : key;
    while (!at.isEmpty()) {
      lines.put(at, 0);
      int cut = Math.max(at.lastIndexOf('.'), at.lastIndexOf('['));
      at = cut < 0 ? "" : at.substring(0, cut);
    }
  }

  private void found(String key, int line) {
    if (lines.getOrDefault(key, -1) == 0) {
      lines.put(key, line);
    }
  }

  /** The line of the key, or of the nearest key around it; 0 when there is none. */
  private int line() {
    return lines.values().stream().filter(line -> line > 0).findFirst().orElse(0);
  }

  /** Of JSON: every key is where its name stands, every entry of a list where it begins. */
  static int lineInJson(String text, String key) {
    ConfigPlaces places = new ConfigPlaces(key);
    try (JsonParser parser = new JsonFactory().createParser(text)) {
      for (JsonToken t = parser.nextToken(); t != null; t = parser.nextToken()) {
        if (t != JsonToken.END_OBJECT && t != JsonToken.END_ARRAY) {
          TokenStreamContext context = parser.streamReadContext();
          boolean begins = t == JsonToken.START_OBJECT || t == JsonToken.START_ARRAY;
          String path = path(begins ? context.getParent() : context);
          places.found(path, parser.currentTokenLocation().getLineNr());
        }
      }
    }
    return places.line();
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
  static int lineInToml(String text, String key) {
    ConfigPlaces places = new ConfigPlaces(key);
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
      Matcher assignment = KEY.matcher(code);
      if (header.matches()) {
        table = header(plain(header.group(2)), !header.group(1).isEmpty(), entries);
        places.around(table, number);
        places.found(table.replaceFirst("\\[[0-9]+]$", ""), number);
      } else if (assignment.matches()) {
        String name = plain(assignment.group(1));
        places.around(table.isEmpty() ? name : table + "." + name, number);
        closing = opened(assignment.group(2));
      }
    }
    return places.line();
  }

  /** A key, and the tables around it that have no line of their own. */
  private void around(String key, int number) {
    if (key.length() > 2 * LONGEST) {
      return;
    }
    for (int dot = key.indexOf('.'); dot > 0; dot = key.indexOf('.', dot + 1)) {
      String table = key.substring(0, dot);
      found(table, number);
      found(table.replaceFirst("\\[[0-9]+]$", ""), number);
    }
    found(key, number);
  }

  /** The path of a table, with the number of the entry of each list of tables on the way. */
  private static String header(String name, boolean list, Map<String, Integer> entries) {
    if (name.length() > LONGEST) {
      return OTHER;
    }
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
