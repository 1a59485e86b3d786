package slipway.cli.disk;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.cli.output.JsonText;
import slipway.cloud.AmiUpload;
import slipway.disk.DiskSizes;
import slipway.disk.DiskType;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What builds of disks print. */
final class DiskJson {
  private DiskJson() {}

  /** The files of a disk build by their types, and what was made of one at Amazon. */
  static String files(
      List<DiskType> types, List<Path> files, AmiUpload.@Nullable Made made, double seconds) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    ObjectNode byType = node.putObject("files");
    for (int i = 0; i < types.size(); i++) {
      byType.put(types.get(i).label(), files.get(i).toString());
    }
    if (made != null) {
      node.putObject("aws").put("ami", made.ami()).put("snapshot", made.snapshot());
    }
    node.put("seconds", seconds);
    return JsonText.pretty(node);
  }

  /** The same of what starts an image live. */
  static String live(Map<String, Path> files, double seconds) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    ObjectNode byType = node.putObject("files");
    files.forEach((type, file) -> byType.put(type, file.toString()));
    node.put("seconds", seconds);
    return JsonText.pretty(node);
  }

  /** What partitions a disk would have; sizes that are not settled are null. */
  static String sizes(DiskSizes sizes) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    ArrayNode partitions = node.putArray("partitions");
    for (DiskSizes.Row row : sizes.rows()) {
      partitions
          .addObject()
          .put("name", row.name())
          .put("place", row.place())
          .put("holds", row.content())
          .put("least", row.least())
          .put("size", settled(row.size()))
          .put("why", row.reason());
    }
    return JsonText.pretty(node.put("least", sizes.least()).put("size", settled(sizes.size())));
  }

  private static @Nullable Long settled(long size) {
    return size < 0 ? null : size;
  }

  /** The files of disks for people, a line each; Amazon's in bootc-image-builder's words. */
  static String lines(List<Path> files, AmiUpload.@Nullable Made made) {
    Stream<String> names = files.stream().distinct().map(Path::toString);
    Stream<String> ids =
        made == null
            ? Stream.of()
            : Stream.of("AMI registered: " + made.ami(), "Snapshot ID: " + made.snapshot());
    return Stream.concat(names, ids).map(Printable::text).collect(Collectors.joining("\n"));
  }
}
