package slipway.config.registries;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.document.ConfigDocument;
import slipway.config.registries.RegistriesConf.Mirror;
import slipway.config.registries.RegistriesConf.PullFrom;
import slipway.config.registries.RegistriesConf.Rule;
import tools.jackson.databind.JsonNode;

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
  private static final Pattern WILDCARD = Pattern.compile("\\*\\.[A-Za-z0-9.-]+");

  private final ConfigDocument document;

  RegistriesConfParser(Path file) throws IOException {
    this.document = ConfigDocument.toml(read(file), file.toString());
  }

  RegistriesConfParser(String text, String name) {
    this.document = ConfigDocument.toml(text, name);
  }

  private static byte[] read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return Limit.SMALL_FILE_BYTES.read(in, file.toString());
    }
  }

  /** Lays this file over what others said. */
  void into(RegistriesConf.Content content) {
    JsonNode root = document.root();
    if (root.has("registries")) {
      throw wrong("", "registries", "version 1 of the form is not supported; write [[registry]]");
    }
    known(root, TOP, "");
    requireHelpers(root);
    if (root.has("unqualified-search-registries")) {
      content.search = strings("unqualified-search-registries");
    }
    JsonNode aliases = root.path("aliases");
    for (Map.Entry<String, JsonNode> alias : aliases.properties()) {
      content.aliases.put(alias.getKey(), string(aliases, alias.getKey(), "aliases."));
    }
    Set<String> seen = new HashSet<>();
    int number = 0;
    for (JsonNode entry : root.path("registry")) {
      Rule rule = rule(entry, "registry[" + number++ + "].");
      if (!seen.add(rule.prefix())) {
        throw Problem.input(rule.where() + ": there is a [[registry]] of the same prefix before");
      }
      content.rules.put(rule.prefix(), rule);
    }
  }

  /** Others than auth.json hold credentials that would be missed. */
  private void requireHelpers(JsonNode root) {
    if (root.has("credential-helpers")
        && !strings("credential-helpers").equals(List.of("containers-auth.json"))) {
      throw wrong(
          "",
          "credential-helpers",
          "only containers-auth.json is supported here; name helpers in auth.json (credHelpers)");
    }
  }

  /**
   * @param at the table, to begin keys with, such as {@code registry[0].}
   */
  private Rule rule(JsonNode entry, String at) {
    known(entry, REGISTRY, at);
    String location = string(entry, "location", at);
    String prefix = string(entry, "prefix", at);
    String where = document.place(at + (prefix.isEmpty() ? "location" : "prefix"));
    if (prefix.isEmpty()) {
      prefix = location;
    }
    if (prefix.isEmpty()) {
      throw Problem.input(where + ": a [[registry]] has neither prefix nor location");
    }
    if (prefix.startsWith("*") && !WILDCARD.matcher(prefix).matches()) {
      throw wrong(at, "prefix", "a wildcard has the form *.example.com, no more");
    }
    boolean byDigest = bool(entry, "mirror-by-digest-only", at);
    List<Mirror> list = new ArrayList<>();
    for (JsonNode mirror : entry.path("mirror")) {
      list.add(mirror(mirror, at + "mirror[" + list.size() + "].", byDigest));
    }
    return new Rule(
        prefix,
        location.isEmpty() && !prefix.startsWith("*.") ? prefix : location,
        bool(entry, "insecure", at),
        bool(entry, "blocked", at),
        list,
        where);
  }

  private Mirror mirror(JsonNode entry, String at, boolean byDigest) {
    known(entry, MIRROR, at);
    String location = string(entry, "location", at);
    if (location.isEmpty()) {
      throw wrong(at, "location", "a mirror needs one");
    }
    String from = string(entry, "pull-from-mirror", at);
    if (byDigest && !from.isEmpty()) {
      throw wrong(at, "pull-from-mirror", "it does not go with mirror-by-digest-only");
    }
    PullFrom pull =
        switch (from) {
          case "", "all" -> byDigest ? PullFrom.DIGEST_ONLY : PullFrom.ALL;
          case "digest-only" -> PullFrom.DIGEST_ONLY;
          case "tag-only" -> PullFrom.TAG_ONLY;
          default -> throw wrong(at, "pull-from-mirror", "it is all, digest-only or tag-only");
        };
    return new Mirror(location, bool(entry, "insecure", at), pull);
  }

  private void known(JsonNode object, Set<String> keys, String at) {
    for (Map.Entry<String, JsonNode> e : object.properties()) {
      if (!keys.contains(e.getKey())) {
        throw wrong(at, e.getKey(), "the key is unknown, so what it asks is not done");
      }
    }
  }

  private String string(JsonNode object, String key, String at) {
    JsonNode value = object.path(key);
    if (value.isMissingNode()) {
      return "";
    }
    if (!value.isString()) {
      throw wrong(at, key, "it must be a string");
    }
    String string = value.asString();
    if (string.toLowerCase(Locale.ROOT).matches("https?://.*")) {
      throw wrong(at, key, "write the host without http:// or https://");
    }
    return string.replaceFirst("/+$", "");
  }

  private boolean bool(JsonNode object, String key, String at) {
    JsonNode value = object.path(key);
    if (!value.isMissingNode() && !value.isBoolean()) {
      throw wrong(at, key, "it must be true or false");
    }
    return value.asBoolean(false);
  }

  private List<String> strings(String key) {
    return document.strings(document.root(), key, key);
  }

  private Problem wrong(String at, String key, String why) {
    return document.wrong(at + key, key + ": " + why);
  }
}
