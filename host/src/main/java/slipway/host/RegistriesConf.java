package slipway.host;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import slipway.base.Problem;
import slipway.oci.Reference;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.toml.TomlMapper;

/**
 * What an administrator says about registries: {@code /etc/containers/registries.conf} and {@code
 * registries.conf.d/*.conf} (containers-registries.conf(5)), as far as a machine's own image needs
 * it: {@code [[registry]]} with {@code prefix}, {@code location}, {@code insecure} and {@code
 * blocked}.
 */
final class RegistriesConf {
  /**
   * One {@code [[registry]]}.
   *
   * @param prefix of names that it is about: a host, a host and namespaces, or {@code *.domain}
   * @param location what takes the place of the prefix
   */
  record Rule(String prefix, String location, boolean insecure, boolean blocked) {
    /** Whether a name (host and repository) is meant. */
    boolean matches(String name) {
      if (prefix.startsWith("*.")) {
        int slash = name.indexOf('/');
        return name.substring(0, slash < 0 ? name.length() : slash).endsWith(prefix.substring(1));
      }
      return name.equals(prefix) || name.startsWith(prefix + "/");
    }
  }

  /** Where an image really is. */
  record Registry(Reference location, boolean insecure) {}

  private static final TomlMapper TOML = new TomlMapper();

  private final List<Rule> rules;

  private RegistriesConf(List<Rule> rules) {
    this.rules = List.copyOf(rules);
  }

  /**
   * Reads the files; without any nothing is special.
   *
   * @param root of the system
   * @throws Problem of kind INPUT that names file and key
   */
  static RegistriesConf read(Path root) throws IOException {
    Path main = root.resolve("etc/containers/registries.conf");
    TreeMap<String, Path> more = new TreeMap<>();
    Path directory = root.resolve("etc/containers/registries.conf.d");
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.conf")) {
        files.forEach(file -> more.put(file.toString(), file));
      }
    }
    TreeMap<String, Rule> rules = new TreeMap<>();
    if (Files.isRegularFile(main)) {
      add(rules, Files.readString(main), main.toString());
    }
    for (Path file : more.values()) {
      add(rules, Files.readString(file), file.toString());
    }
    return new RegistriesConf(List.copyOf(rules.values()));
  }

  /** For tests and for a file alone. */
  static RegistriesConf parse(String text, String name) {
    TreeMap<String, Rule> rules = new TreeMap<>();
    add(rules, text, name);
    return new RegistriesConf(List.copyOf(rules.values()));
  }

  /** A later rule of the same prefix takes the place of an earlier one. */
  private static void add(TreeMap<String, Rule> rules, String text, String name) {
    JsonNode root;
    try {
      root = TOML.readTree(text);
    } catch (JacksonException e) {
      throw new Problem(
          Problem.Kind.INPUT,
          name + ":" + e.getLocation().getLineNr() + ": " + e.getOriginalMessage(),
          e);
    }
    for (JsonNode entry : root.path("registry")) {
      String location = entry.path("location").asString("");
      String prefix = entry.path("prefix").asString(location);
      if (prefix.isEmpty()) {
        throw Problem.input(name + ": a [[registry]] has neither prefix nor location");
      }
      rules.put(
          prefix,
          new Rule(
              prefix,
              location,
              entry.path("insecure").asBoolean(false),
              entry.path("blocked").asBoolean(false)));
    }
  }

  /**
   * Where to fetch an image from; the rule with the longest prefix decides.
   *
   * @throws Problem of kind DENIED when the administrator blocked it
   */
  Registry find(Reference image) {
    List<Rule> found = new ArrayList<>(rules);
    found.removeIf(rule -> !rule.matches(image.name()));
    found.sort((a, b) -> Integer.compare(b.prefix().length(), a.prefix().length()));
    if (found.isEmpty()) {
      return new Registry(image, false);
    }
    Rule rule = found.getFirst();
    if (rule.blocked()) {
      throw Problem.denied("registries.conf blocks " + rule.prefix());
    }
    if (rule.location().isEmpty()
        || rule.location().equals(rule.prefix())
        || rule.prefix().startsWith("*.")) {
      return new Registry(image, rule.insecure());
    }
    String moved = rule.location() + image.toString().substring(rule.prefix().length());
    return new Registry(Reference.parse(moved), rule.insecure());
  }
}
