package slipway.cli.build;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.builder.session.BuildRequest;

/**
 * What {@code --secret} says, in the words of podman build. An empty value, such as an unset
 * variable of a shell leaves, is refused: an empty {@code src} would be the current folder.
 */
final class SecretOption {
  private static final String EXPECTED = "; expected id=ID[,src=FILE][,env=NAME]";

  /** {@code source} is {@code src}; {@code type} is file or env. */
  private static final Set<String> KEYS = Set.of("id", "src", "source", "env", "type");

  private SecretOption() {}

  /** The secrets by their ids. */
  static Map<String, BuildRequest.Secret> parse(List<String> given) {
    Map<String, BuildRequest.Secret> all = new LinkedHashMap<>();
    for (String text : given) {
      Map<String, String> fields = fields(text);
      String id = fields.get("id");
      if (id == null) {
        throw Problem.usage("--secret \"" + text + "\" has no id" + EXPECTED);
      }
      all.put(id, secret(id, fields));
    }
    return all;
  }

  private static Map<String, String> fields(String text) {
    Map<String, String> fields = new LinkedHashMap<>();
    for (String field : text.split(",", -1)) {
      int equals = field.indexOf('=');
      String key = equals < 0 ? field : field.substring(0, equals);
      String value = equals < 0 ? "" : field.substring(equals + 1);
      if (!KEYS.contains(key)) {
        throw Problem.usage(
            "--secret \"" + text + "\": \"" + key + "\" is not one of its keys" + EXPECTED);
      }
      if (value.isEmpty()) {
        throw Problem.usage("--secret \"" + text + "\" has an empty " + key + EXPECTED);
      }
      fields.put(key.equals("source") ? "src" : key, value);
    }
    return fields;
  }

  private static BuildRequest.Secret secret(String id, Map<String, String> fields) {
    String variable = variable(id, fields);
    if (variable != null) {
      String value = System.getenv(variable);
      if (value == null) {
        throw Problem.usage("--secret " + id + ": the variable " + variable + " is not set");
      }
      return () -> value.getBytes(StandardCharsets.UTF_8);
    }
    Path path = Path.of(fields.getOrDefault("src", id));
    if (Files.isDirectory(path)) {
      throw Problem.usage("--secret " + id + ": " + path + " is a folder; name a file");
    }
    if (!Files.isReadable(path)) {
      throw Problem.usage("--secret " + id + ": cannot read " + path);
    }
    return () -> Files.readAllBytes(path);
  }

  private static @Nullable String variable(String id, Map<String, String> fields) {
    String type = fields.getOrDefault("type", "file");
    if (!type.equals("file") && !type.equals("env")) {
      throw Problem.usage("--secret " + id + ": type is file or env, not \"" + type + "\"");
    }
    String named = fields.get("env");
    return named == null && type.equals("env") ? fields.getOrDefault("src", id) : named;
  }
}
