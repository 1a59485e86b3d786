package slipway.cli.disk;

import java.nio.file.Path;
import java.util.List;
import slipway.cli.output.JsonText;
import slipway.disk.DiskType;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The JSON of {@code slipway disk}. */
final class DiskJson {
  private DiskJson() {}

  /** The files of a disk build by their types. */
  static String files(List<DiskType> types, List<Path> files, double seconds) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    ObjectNode byType = node.putObject("files");
    for (int i = 0; i < types.size(); i++) {
      byType.put(types.get(i).label(), files.get(i).toString());
    }
    node.put("seconds", seconds);
    return JsonText.pretty(node);
  }
}
