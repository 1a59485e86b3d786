package slipway.cli.system;

import java.util.List;
import slipway.cli.output.JsonText;
import slipway.cli.output.TerminalProgress;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** The JSON of {@code slipway system}. */
final class SystemJson {
  private SystemJson() {}

  /** Podman's keys of {@code system df --format json}. */
  static String usage(List<SystemCommand.Row> rows) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    for (SystemCommand.Row row : rows) {
      array
          .addObject()
          .put("Type", row.type())
          .put("Total", row.total())
          .put("Active", row.active())
          .put("RawSize", row.bytes())
          .put("RawReclaimable", row.reclaimable())
          .put("Size", TerminalProgress.bytes(row.bytes()))
          .put("Reclaimable", row.share());
    }
    return JsonText.pretty(array);
  }

  static String pruned(int blobs, int parts, long bytes) {
    return JsonText.pretty(
        JsonNodeFactory.instance
            .objectNode()
            .put("blobs", blobs)
            .put("buildParts", parts)
            .put("reclaimedBytes", bytes));
  }
}
