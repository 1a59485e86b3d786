package slipway.host.changes;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.host.status.StatusDocument;

/**
 * What one version has that another has not.
 *
 * @param from the version that is compared with
 * @param to the version that is told of
 * @param packages that were added, removed or are of another version
 * @param kernelArguments those that one of the boot entries has alone
 * @param units of systemd, by the paths of their files
 * @param files all paths, those of units too
 */
public record Changes(
    Version from,
    Version to,
    List<PackageChange> packages,
    SortedMap<String, Alteration> kernelArguments,
    SortedMap<String, Alteration> units,
    SortedMap<String, Alteration> files) {

  /** How many files the text names; JSON has all. */
  private static final int SHOWN_FILES = 20;

  /**
   * A version of the operating system.
   *
   * @param name what the user calls it, such as {@code booted}
   * @param version from the image's labels, or null
   * @param digest of the image, or else the commit
   */
  public record Version(String name, @Nullable String version, String digest) {
    private String describe() {
      return name + ": " + (version == null ? "" : version + ", ") + digest;
    }

    private Map<String, @Nullable Object> document() {
      Map<String, @Nullable Object> map = new TreeMap<>();
      map.put("name", name);
      map.put("version", version);
      map.put("digest", digest);
      return map;
    }
  }

  /**
   * A package.
   *
   * @param from its version before, or null when it is new
   * @param to its version afterwards, or null when it is gone
   */
  public record PackageChange(String name, @Nullable String from, @Nullable String to) {
    private String line() {
      if (from == null) {
        return "+ " + name + " " + to;
      }
      return to == null ? "- " + name + " " + from : "~ " + name + " " + from + " -> " + to;
    }

    private Map<String, @Nullable Object> document() {
      Map<String, @Nullable Object> map = new TreeMap<>();
      map.put("name", name);
      map.put("from", from);
      map.put("to", to);
      return map;
    }
  }

  /** Packages by name and version, before and afterwards. */
  static List<PackageChange> packages(
      SortedMap<String, String> before, SortedMap<String, String> after) {
    List<PackageChange> changed = new ArrayList<>();
    TreeSet<String> names = new TreeSet<>(before.keySet());
    names.addAll(after.keySet());
    for (String name : names) {
      String from = before.get(name);
      String to = after.get(name);
      if (!java.util.Objects.equals(from, to)) {
        changed.add(new PackageChange(name, from, to));
      }
    }
    return changed;
  }

  /** For people. */
  public String text() {
    StringBuilder out = new StringBuilder();
    out.append("From ").append(Printable.text(from.describe())).append('\n');
    out.append("To ").append(Printable.text(to.describe())).append('\n');
    section(out, "Packages", packages.stream().map(PackageChange::line).toList(), packages.size());
    section(out, "Kernel arguments", kernelArguments, kernelArguments.size());
    section(out, "Units", units, units.size());
    section(out, "Files", files, SHOWN_FILES);
    return out.toString();
  }

  private static void section(
      StringBuilder out, String heading, SortedMap<String, Alteration> changes, int most) {
    section(
        out,
        heading,
        changes.entrySet().stream().map(e -> e.getValue().sign() + " " + e.getKey()).toList(),
        most);
  }

  private static void section(StringBuilder out, String heading, List<String> lines, int most) {
    out.append(heading).append(": ").append(lines.isEmpty() ? "no change" : lines.size());
    out.append('\n');
    // Names and versions are the image's words: none of them begins a line of its own.
    lines.stream()
        .limit(most)
        .forEach(line -> out.append("  ").append(Printable.text(line)).append('\n'));
    if (lines.size() > most) {
      out.append("  and ").append(lines.size() - most).append(" more, which --json lists\n");
    }
  }

  /** For programs. */
  public String json() {
    Map<String, @Nullable Object> document = new TreeMap<>();
    document.put("from", from.document());
    document.put("to", to.document());
    document.put("packages", packages.stream().map(PackageChange::document).toList());
    document.put("kernelArguments", list("argument", kernelArguments));
    document.put("units", list("path", units));
    document.put("files", list("path", files));
    return StatusDocument.json(document);
  }

  private static List<Map<String, String>> list(String key, SortedMap<String, Alteration> changes) {
    return changes.entrySet().stream()
        .map(e -> Map.of(key, e.getKey(), "change", e.getValue().word()))
        .toList();
  }
}
