package slipway.sysroot.state;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.system.kargs.KernelArguments;

/**
 * An entry of the boot menu (UAPI group, Boot Loader Specification, type 1): the file that names
 * kernel, initramfs and command line. A value; keys that we do not know are kept.
 *
 * @param keys each key with its values in the order of the file
 */
public record BootEntry(Map<String, List<String>> keys) {
  /** The order in which ostree writes keys; all others follow, in the order they have. */
  private static final List<String> ORDER =
      List.of("title", "version", "options", "devicetree", "linux", "initrd");

  private static final List<String> STANDARD =
      List.of("title", "version", "options", "devicetree", "fdtdir", "linux", "initrd");

  public BootEntry {
    Map<String, List<String>> copy = new LinkedHashMap<>();
    keys.forEach((k, v) -> copy.put(k, List.copyOf(v)));
    keys = java.util.Collections.unmodifiableMap(copy);
  }

  /**
   * Parses a file's text: {@code key value} lines, comments from {@code #}. A key alone, as other
   * tools and people write it, has an empty value.
   */
  public static BootEntry parse(String text) {
    Map<String, List<String>> keys = new LinkedHashMap<>();
    for (String line : RawText.lines(text)) {
      String stripped = line.strip();
      if (stripped.isEmpty() || stripped.startsWith("#")) {
        continue;
      }
      int blank = 0;
      while (blank < stripped.length()
          && stripped.charAt(blank) != ' '
          && stripped.charAt(blank) != '\t') {
        blank++;
      }
      keys.computeIfAbsent(stripped.substring(0, blank), k -> new ArrayList<>())
          .add(stripped.substring(blank).strip());
    }
    return new BootEntry(keys);
  }

  /** The first value of a key. */
  public Optional<String> get(String key) {
    List<String> values = keys.get(key);
    return values == null || values.isEmpty() ? Optional.empty() : Optional.of(values.getFirst());
  }

  /** With exactly this value for a key. */
  public BootEntry with(String key, String value) {
    return withAll(key, List.of(value));
  }

  /** With exactly these values for a key, in a line each. */
  public BootEntry withAll(String key, List<String> values) {
    Map<String, List<String>> changed = new LinkedHashMap<>(keys);
    changed.put(key, values);
    return new BootEntry(changed);
  }

  /** The command line. */
  public KernelArguments options() {
    return KernelArguments.parse(get("options").orElse(""));
  }

  /** The keys beside those that describe kernel and command line: what other tools put there. */
  public Map<String, List<String>> extensions() {
    Map<String, List<String>> rest = new LinkedHashMap<>(keys);
    rest.keySet().removeAll(STANDARD);
    return rest;
  }

  /** The text of the file. */
  @Override
  public String toString() {
    StringBuilder out = new StringBuilder();
    for (String key : ORDER) {
      write(out, key);
    }
    for (String key : keys.keySet()) {
      if (!ORDER.contains(key)) {
        write(out, key);
      }
    }
    return out.toString();
  }

  private void write(StringBuilder out, String key) {
    for (String value : keys.getOrDefault(key, List.of())) {
      if (value.indexOf('\n') >= 0 || value.indexOf('\r') >= 0) {
        throw Problem.input(
            "the value of "
                + key
                + " in a boot entry is one line: \""
                + Printable.text(value)
                + '"');
      }
      out.append(value.isEmpty() ? key : key + " " + value).append('\n');
    }
  }
}
