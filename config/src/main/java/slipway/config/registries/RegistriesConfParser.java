package slipway.config.registries;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.config.registries.RegistriesConf.Mirror;
import slipway.config.registries.RegistriesConf.PullFrom;
import slipway.config.registries.RegistriesConf.Rule;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.toml.TomlMapper;

/** Reads one file of {@link RegistriesConf}; whatever it does not know it refuses. */
final class RegistriesConfParser {
  private static final Set<String> TOP =
      Set.of(
          "registry",
          "aliases",
          "unqualified-search-registries",
          "short-name-mode",
          "credential-helpers",
          // About stores of layers on the side, which we do not have.
          "additional-layer-store-auth-helper");
  private static final Set<String> REGISTRY =
      Set.of("prefix", "location", "insecure", "blocked", "mirror", "mirror-by-digest-only");
  private static final Set<String> MIRROR = Set.of("location", "insecure", "pull-from-mirror");
  private static final Pattern HEADER = Pattern.compile("\\s*\\[\\[?\\s*([^\\]]+?)\\s*\\]\\]?.*");
  private static final Pattern KEY = Pattern.compile("\\s*[\"']?([A-Za-z0-9_./:-]+)[\"']?\\s*=.*");
  private static final Pattern WILDCARD = Pattern.compile("\\*\\.[A-Za-z0-9.-]+");

  private final String text;
  private final String name;

  RegistriesConfParser(Path file) throws IOException {
    this(read(file), file.toString());
  }

  RegistriesConfParser(String text, String name) {
    this.text = text;
    this.name = name;
  }

  private static String read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(Limit.SMALL_FILE_BYTES.read(in, file.toString()), StandardCharsets.UTF_8);
    }
  }

  /** Lays this file over what others said. */
  void into(RegistriesConf.Content content) {
    JsonNode root = toml();
    if (root.has("registries")) {
      throw wrong(
          "registries", "", 0, "version 1 of the form is not supported; write [[registry]]");
    }
    known(root, TOP, "", 0);
    requireHelpers(root);
    if (root.has("unqualified-search-registries")) {
      content.search = strings(root, "unqualified-search-registries");
    }
    JsonNode aliases = root.path("aliases");
    for (Map.Entry<String, JsonNode> alias : aliases.properties()) {
      content.aliases.put(alias.getKey(), string(aliases, alias.getKey(), "aliases", 0));
    }
    Set<String> seen = new HashSet<>();
    int number = 0;
    int mirrors = 0;
    for (JsonNode entry : root.path("registry")) {
      Rule rule = rule(entry, number++, mirrors);
      mirrors += rule.mirrors().size();
      if (!seen.add(rule.prefix())) {
        throw Problem.input(rule.where() + ": there is a [[registry]] of the same prefix before");
      }
      content.rules.put(rule.prefix(), rule);
    }
  }

  private JsonNode toml() {
    try {
      return new TomlMapper().readTree(text);
    } catch (JacksonException e) {
      int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
      throw new Problem(
          Problem.Kind.INPUT,
          (line > 0 ? name + ":" + line : name)
              + ": "
              + Printable.text(String.valueOf(e.getOriginalMessage())),
          e);
    }
  }

  /** Others than auth.json hold credentials that would be missed. */
  private void requireHelpers(JsonNode root) {
    if (root.has("credential-helpers")
        && !strings(root, "credential-helpers").equals(List.of("containers-auth.json"))) {
      throw wrong(
          "credential-helpers",
          "",
          0,
          "only containers-auth.json is supported here; name helpers in auth.json (credHelpers)");
    }
  }

  /**
   * @param number of the [[registry]] in the file
   * @param mirrors how many [[registry.mirror]] stand before it
   */
  private Rule rule(JsonNode entry, int number, int mirrors) {
    known(entry, REGISTRY, "registry", number);
    String location = string(entry, "location", "registry", number);
    String prefix = string(entry, "prefix", "registry", number);
    String where = at(line("registry", number, prefix.isEmpty() ? "location" : "prefix"));
    if (prefix.isEmpty()) {
      prefix = location;
    }
    if (prefix.isEmpty()) {
      throw Problem.input(where + ": a [[registry]] has neither prefix nor location");
    }
    if (prefix.startsWith("*") && !WILDCARD.matcher(prefix).matches()) {
      throw wrong("prefix", "registry", number, "a wildcard has the form *.example.com, no more");
    }
    boolean byDigest = bool(entry, "mirror-by-digest-only", "registry", number);
    List<Mirror> list = new ArrayList<>();
    for (JsonNode mirror : entry.path("mirror")) {
      list.add(mirror(mirror, mirrors + list.size(), byDigest));
    }
    return new Rule(
        prefix,
        location.isEmpty() && !prefix.startsWith("*.") ? prefix : location,
        bool(entry, "insecure", "registry", number),
        bool(entry, "blocked", "registry", number),
        list,
        where);
  }

  private Mirror mirror(JsonNode entry, int number, boolean byDigest) {
    String table = "registry.mirror";
    known(entry, MIRROR, table, number);
    String location = string(entry, "location", table, number);
    if (location.isEmpty()) {
      throw wrong("location", table, number, "a mirror needs one");
    }
    String from = string(entry, "pull-from-mirror", table, number);
    if (byDigest && !from.isEmpty()) {
      throw wrong("pull-from-mirror", table, number, "it does not go with mirror-by-digest-only");
    }
    PullFrom pull =
        switch (from) {
          case "", "all" -> byDigest ? PullFrom.DIGEST_ONLY : PullFrom.ALL;
          case "digest-only" -> PullFrom.DIGEST_ONLY;
          case "tag-only" -> PullFrom.TAG_ONLY;
          default ->
              throw wrong("pull-from-mirror", table, number, "it is all, digest-only or tag-only");
        };
    return new Mirror(location, bool(entry, "insecure", table, number), pull);
  }

  private void known(JsonNode object, Set<String> keys, String table, int number) {
    for (Map.Entry<String, JsonNode> e : object.properties()) {
      if (!keys.contains(e.getKey())) {
        throw wrong(e.getKey(), table, number, "the key is unknown, so what it asks is not done");
      }
    }
  }

  private String string(JsonNode object, String key, String table, int number) {
    JsonNode value = object.path(key);
    if (value.isMissingNode()) {
      return "";
    }
    if (!value.isString()) {
      throw wrong(key, table, number, "it must be a string");
    }
    String string = value.asString();
    if (string.toLowerCase(Locale.ROOT).matches("https?://.*")) {
      throw wrong(key, table, number, "write the host without http:// or https://");
    }
    return string.replaceFirst("/+$", "");
  }

  private boolean bool(JsonNode object, String key, String table, int number) {
    JsonNode value = object.path(key);
    if (!value.isMissingNode() && !value.isBoolean()) {
      throw wrong(key, table, number, "it must be true or false");
    }
    return value.asBoolean(false);
  }

  private List<String> strings(JsonNode object, String key) {
    List<String> list = new ArrayList<>();
    for (JsonNode item : object.path(key)) {
      if (!item.isString()) {
        throw wrong(key, "", 0, "it must be a list of strings");
      }
      list.add(item.asString());
    }
    return list;
  }

  private Problem wrong(String key, String table, int number, String why) {
    return Problem.input(at(line(table, number, key)) + ": " + Printable.text(key) + ": " + why);
  }

  private String at(int line) {
    return line > 0 ? name + ":" + line : name;
  }

  /**
   * The line of a key, which the parser does not tell; 0 where it is written in an unusual form.
   *
   * @param number of the table among those of its name
   */
  private int line(String table, int number, String key) {
    String current = "";
    int count = -1;
    int line = 0;
    for (String row : text.split("\n", -1)) {
      line++;
      Matcher header = HEADER.matcher(row);
      Matcher entry = KEY.matcher(row);
      if (header.matches() && !entry.matches()) {
        current = header.group(1);
        count += current.equals(table) ? 1 : 0;
        if (table.isEmpty() && (current.equals(key) || current.startsWith(key + "."))) {
          return line;
        }
      } else if (entry.matches()
          && current.equals(table)
          && (table.isEmpty() || !row.isEmpty())
          && entry.group(1).equals(key)
          && (table.isEmpty() || table.equals("aliases") || count == number)) {
        return line;
      }
    }
    return 0;
  }
}
