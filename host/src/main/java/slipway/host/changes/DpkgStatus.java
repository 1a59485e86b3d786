package slipway.host.changes;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import slipway.base.Problem;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** The installed packages that an image's dpkg database lists (dpkg's {@code status} file). */
final class DpkgStatus {
  /** In our base images, and where dpkg has it by itself. */
  private static final List<String> PLACES =
      List.of("usr/lib/sysimage/dpkg/status", "var/lib/dpkg/status");

  /** Far above that of a full desktop, which has a few MiB. */
  private static final long LARGEST = 64L << 20;

  private DpkgStatus() {}

  /** Versions by {@code name}, or {@code name:architecture} where a name is there twice. */
  static SortedMap<String, String> read(FileTree tree) throws IOException {
    for (String place : PLACES) {
      if (tree.find(place).orElse(null) instanceof Node.File file && file.content().size() > 0) {
        if (file.content().size() > LARGEST) {
          throw Problem.corrupt("the image's /" + place + " has more than 64 MiB");
        }
        try (InputStream in = file.content().open()) {
          return parse(in);
        }
      }
    }
    return new TreeMap<>();
  }

  /** Reads paragraphs of fields; those of packages that are not installed are left out. */
  static SortedMap<String, String> parse(InputStream in) throws IOException {
    BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
    SortedMap<String, String> packages = new TreeMap<>();
    Map<String, String> fields = new HashMap<>();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      int colon = line.indexOf(':');
      if (line.isEmpty()) {
        add(packages, fields);
        fields.clear();
      } else if (colon > 0 && line.charAt(0) != ' ') {
        fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
      }
    }
    add(packages, fields);
    return packages;
  }

  private static void add(SortedMap<String, String> packages, Map<String, String> fields) {
    String name = fields.get("Package");
    String version = fields.get("Version");
    if (name == null
        || version == null
        || !fields.getOrDefault("Status", "").endsWith(" installed")) {
      return;
    }
    String whole = name + ":" + fields.getOrDefault("Architecture", "");
    packages.put(packages.containsKey(name) ? whole : name, version);
  }
}
