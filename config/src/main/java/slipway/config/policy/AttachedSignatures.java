package slipway.config.policy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * Whether signatures that are attached to an image in its registry are looked for
 * (containers-registries.d(5)). They are unless a file says no: containers/image has it the other
 * way round, and so finds none where nobody wrote such a file.
 *
 * @param root of the machine
 * @param scopes of the image, the narrowest first
 */
record AttachedSignatures(Path root, List<String> scopes) {
  /** A file in the first stands for those of its name in the others. */
  private static final List<String> FOLDERS =
      List.of("etc/containers/registries.d", "usr/share/containers/registries.d");

  private static final String OTHERWISE = "default-docker";
  private static final String SCOPES = "docker";
  private static final String KEY = "use-sigstore-attachments";

  private static final YAMLMapper YAML =
      YAMLMapper.builder().enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY).build();

  /** What a file says of a scope. */
  private record Section(Path file, JsonNode keys) {}

  AttachedSignatures {
    scopes = List.copyOf(scopes);
  }

  /**
   * The file that says that they are not looked for; the narrowest scope that says anything counts.
   *
   * @throws Problem of kind INPUT when a file cannot be read
   */
  Optional<Path> forbiddenBy() throws IOException {
    Map<String, Section> sections = new HashMap<>();
    Section otherwise = null;
    for (Path file : files().values()) {
      JsonNode document = read(file);
      for (Map.Entry<String, JsonNode> scope : document.path(SCOPES).properties()) {
        Section before = sections.put(scope.getKey(), new Section(file, scope.getValue()));
        requireOne(before, file, "the scope " + scope.getKey());
      }
      if (document.has(OTHERWISE)) {
        requireOne(otherwise, file, OTHERWISE);
        otherwise = new Section(file, document.path(OTHERWISE));
      }
    }
    for (String scope : scopes) {
      Section section = sections.get(scope);
      if (section != null && section.keys().has(KEY)) {
        return forbidding(section);
      }
    }
    return otherwise == null ? Optional.empty() : forbidding(otherwise);
  }

  private static Optional<Path> forbidding(Section section) {
    JsonNode value = section.keys().path(KEY);
    if (!value.isMissingNode() && !value.isNull() && !value.isBoolean()) {
      throw wrong(section.file(), KEY + " is neither true nor false");
    }
    return value.isBoolean() && !value.booleanValue()
        ? Optional.of(section.file())
        : Optional.empty();
  }

  private static void requireOne(@Nullable Section before, Path file, String what) {
    if (before != null) {
      throw wrong(file, Printable.text(what) + " stands in " + before.file() + ", too");
    }
  }

  private static Problem wrong(Path file, String what) {
    return Problem.input(file + ": " + what + "; mend it (containers-registries.d(5))");
  }

  /** By their names. */
  private Map<String, Path> files() throws IOException {
    Map<String, Path> files = new TreeMap<>();
    for (String name : FOLDERS) {
      Path folder = root.resolve(name);
      if (Files.isDirectory(folder)) {
        try (Stream<Path> all = Files.list(folder)) {
          all.filter(f -> f.toString().endsWith(".yaml"))
              .forEach(f -> files.putIfAbsent(String.valueOf(f.getFileName()), f));
        }
      }
    }
    return files;
  }

  private static JsonNode read(Path file) throws IOException {
    String text;
    try (InputStream in = Files.newInputStream(file)) {
      text = RawText.decode(Limit.SMALL_FILE_BYTES.read(in, file.toString()));
    }
    try {
      return YAML.readTree(text);
    } catch (JacksonException e) {
      throw new Problem(
          Problem.Kind.INPUT,
          file + ": this is no YAML: " + Printable.text(e.getOriginalMessage()),
          e);
    }
  }
}
