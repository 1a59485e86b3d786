package slipway.cli.machine;

import java.util.List;
import java.util.TreeSet;
import slipway.base.Printable;
import slipway.disk.config.InstallConfig;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The JSON of {@code bootc install print-configuration}. */
final class InstallJson {
  /** What is null when nobody says it. */
  private static final List<String> ALWAYS =
      List.of(
          "block",
          "boot-mount-spec",
          "bootloader",
          "bootupd",
          "discoverable-partitions",
          "enforce-container-sigpolicy",
          "filesystem",
          "match-architectures",
          "ostree",
          "root-fs-type",
          "root-mount-spec",
          "stateroot");

  /** What an installer that deploys by bootc leaves to it. */
  private static final List<String> OWN = List.of("kargs", "karg-deletes");

  private InstallJson() {}

  /** One line, its keys in order. */
  static String of(InstallConfig config, boolean all) {
    ObjectNode merged = config.merged();
    TreeSet<String> keys = new TreeSet<>(ALWAYS);
    keys.addAll(merged.propertyNames());
    if (!all) {
      keys.removeAll(OWN);
    }
    ObjectNode shown = JsonNodeFactory.instance.objectNode();
    for (String key : keys) {
      JsonNode value = merged.get(key);
      shown.set(key, value == null ? JsonNodeFactory.instance.nullNode() : value);
    }
    return Printable.json(new JsonMapper().writeValueAsString(shown));
  }
}
