package slipway.base;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A key file: {@code [group]} lines and {@code key=value} lines (Desktop Entry Specification,
 * "Basic format of the file"), as repository configs and origins are. Comments, unknown groups and
 * the order of lines survive a change. Immutable.
 */
public final class KeyFile {
  private final List<String> lines;

  private KeyFile(List<String> lines) {
    this.lines = List.copyOf(lines);
  }

  /** Without any group. */
  public static KeyFile empty() {
    return new KeyFile(List.of());
  }

  /**
   * Parses text.
   *
   * @param name of the file, for messages
   * @throws Problem of kind INPUT that names the line
   */
  public static KeyFile parse(String text, String name) {
    List<String> lines = new ArrayList<>(text.lines().toList());
    boolean inGroup = false;
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      boolean group = line.startsWith("[") && line.endsWith("]");
      if (!group && (!inGroup || line.indexOf('=') <= 0)) {
        throw Problem.input(
            name
                + ":"
                + (i + 1)
                + ": expected [GROUP] or, after one, KEY=VALUE, not \""
                + line
                + "\"");
      }
      inGroup |= group;
    }
    return new KeyFile(lines);
  }

  /**
   * Reads what is only told to people, so that it keeps nothing from being done: nothing where
   * there is no file, and of one that cannot be read, is too large or damaged.
   */
  public static KeyFile readable(Path file) {
    try {
      return read(file);
    } catch (IOException | Problem e) {
      return empty();
    }
  }

  /**
   * Reads a file.
   *
   * @throws Problem of kind INPUT for one that is damaged, with its line
   */
  public static KeyFile read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] text = Limit.SMALL_FILE_BYTES.read(in, file.toString());
      return parse(RawText.decode(text), file.toString());
    }
  }

  /**
   * Keeps what is about to be written over from being lost when it cannot be read: as {@code
   * NAME.damaged}, a person can still see what it was.
   *
   * @param warnings is told what was wrong with it, and where it is
   */
  public static void setDamagedAside(Path file, Consumer<String> warnings) throws IOException {
    try {
      read(file);
    } catch (NoSuchFileException e) {
      // There is nothing to lose.
    } catch (Problem e) {
      setAside(file, e, warnings);
    }
  }

  /** The same of one that is known to be damaged. */
  public static void setAside(Path file, Problem fault, Consumer<String> warnings)
      throws IOException {
    Path aside = file.resolveSibling(file.getFileName() + ".damaged");
    AtomicFile.rename(file, aside);
    warnings.accept(
        "warning: " + fault.sentence() + "; the file is " + aside + " now, and begins anew");
  }

  /** The value as written, white space around it taken off; the last one when a key is repeated. */
  public Optional<String> get(String group, String key) {
    int at = find(group, key);
    if (at < 0) {
      return Optional.empty();
    }
    String line = lines.get(at);
    return Optional.of(line.substring(line.indexOf('=') + 1).strip());
  }

  /** Whether a value is {@code true} or {@code 1}; {@code fallback} when there is none. */
  public boolean getBoolean(String group, String key, boolean fallback) {
    return get(group, key).map(v -> v.equals("true") || v.equals("1")).orElse(fallback);
  }

  /** The names of the groups in order, each once. */
  public List<String> groups() {
    return lines.stream().map(KeyFile::group).flatMap(Optional::stream).distinct().toList();
  }

  /** The keys of a group in order, each once. */
  public List<String> keys(String group) {
    List<String> keys = new ArrayList<>();
    boolean inside = false;
    for (String line : lines) {
      Optional<String> begins = group(line);
      inside = begins.map(group::equals).orElse(inside);
      if (inside && begins.isEmpty() && key(line) != null && !keys.contains(key(line))) {
        keys.add(key(line));
      }
    }
    return keys;
  }

  /** With a value set, in place when the key exists. */
  public KeyFile with(String group, String key, String value) {
    if (value.contains("\n") || key.contains("\n") || group.contains("\n")) {
      throw Problem.input("a value of " + group + "." + key + " cannot hold a line break");
    }
    List<String> changed = new ArrayList<>(lines);
    int at = find(group, key);
    String line = key + "=" + value;
    if (at >= 0) {
      changed.set(at, line);
      return new KeyFile(changed);
    }
    int end = endOf(group);
    if (end < 0) {
      if (!changed.isEmpty() && !changed.getLast().isBlank()) {
        changed.add("");
      }
      changed.add("[" + group + "]");
      end = changed.size();
    }
    changed.add(end, line);
    return new KeyFile(changed);
  }

  /** Without a key; the same when it is not there. */
  public KeyFile without(String group, String key) {
    KeyFile file = this;
    for (int at = file.find(group, key); at >= 0; at = file.find(group, key)) {
      List<String> changed = new ArrayList<>(file.lines);
      changed.remove(at);
      file = new KeyFile(changed);
    }
    return file;
  }

  /** Without a whole group; the same when it is not there. */
  public KeyFile withoutGroup(String group) {
    List<String> kept = new ArrayList<>();
    boolean inside = false;
    for (String line : lines) {
      inside = group(line).map(group::equals).orElse(inside);
      if (!inside) {
        kept.add(line);
      }
    }
    return new KeyFile(kept);
  }

  private int find(String group, String key) {
    int found = -1;
    boolean inside = false;
    for (int i = 0; i < lines.size(); i++) {
      Optional<String> begins = group(lines.get(i));
      inside = begins.map(group::equals).orElse(inside);
      if (inside && begins.isEmpty() && key.equals(key(lines.get(i)))) {
        found = i;
      }
    }
    return found;
  }

  /** The line after the last of a group's that is not blank, or -1. */
  private int endOf(String group) {
    int end = -1;
    boolean inside = false;
    for (int i = 0; i < lines.size(); i++) {
      inside = group(lines.get(i)).map(group::equals).orElse(inside);
      if (inside && !lines.get(i).isBlank()) {
        end = i + 1;
      }
    }
    return end;
  }

  private static Optional<String> group(String line) {
    String text = line.strip();
    return text.startsWith("[") && text.endsWith("]")
        ? Optional.of(text.substring(1, text.length() - 1))
        : Optional.empty();
  }

  private static @org.jspecify.annotations.Nullable String key(String line) {
    int equals = line.indexOf('=');
    return line.strip().startsWith("#") || equals < 0 ? null : line.substring(0, equals).strip();
  }

  /** The text to write, ending in a line break. */
  @Override
  public String toString() {
    return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
  }
}
