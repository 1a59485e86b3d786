package slipway.disk.config;

import static slipway.base.document.ConfigDocument.isGiven;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads {@code [customizations.disk]}. */
final class DiskKeys {
  private static final String AT = "customizations.disk";

  private final ConfigKeys keys;

  DiskKeys(ConfigKeys keys) {
    this.keys = keys;
  }

  /**
   * @param c the customizations
   */
  DiskLayout layout(JsonNode c) {
    JsonNode disk = keys.object(c, "disk", AT);
    if (disk.isMissingNode()) {
      return DiskLayout.USUAL;
    }
    if (isGiven(c, "filesystem")) {
      throw keys.wrong(
          AT,
          "cannot combine disk and filesystem customizations: there are "
              + AT
              + " and customizations.filesystem; leave one of them out");
    }
    keys.known(disk, AT, "type", "minsize");
    return new DiskLayout(table(disk), minimum(disk, AT));
  }

  private @Nullable PartitionTable table(JsonNode disk) {
    String type = keys.string(disk, "type", AT + ".type");
    if (type == null) {
      return null;
    }
    for (PartitionTable table : PartitionTable.values()) {
      if (table.label().equals(type)) {
        return table;
      }
    }
    throw keys.wrong(
        AT + ".type",
        AT + ".type: unknown partition table type: \"" + type + "\" (valid: gpt, dos)");
  }

  private long minimum(JsonNode node, String at) {
    return isGiven(node, "minsize")
        ? new FilesystemKeys(keys).size(node.get("minsize"), at + ".minsize")
        : 0;
  }
}
