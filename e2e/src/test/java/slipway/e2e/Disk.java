package slipway.e2e;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import slipway.linux.loop.LoopDevice;
import slipway.linux.process.Command;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A raw disk as sfdisk reads it. */
record Disk(Path file, Map<String, Disk.Part> parts) {
  /** Where a partition lies, in bytes. */
  record Part(long start, long size) {}

  static Disk read(Path file) {
    JsonNode table =
        JsonMapper.shared()
            .readTree(Command.of("sfdisk", "--json", file.toString()).output())
            .path("partitiontable");
    long sector = table.path("sectorsize").asLong();
    Map<String, Part> parts = new HashMap<>();
    for (JsonNode p : table.path("partitions")) {
      parts.put(
          p.path("name").asString(),
          new Part(p.path("start").asLong() * sector, p.path("size").asLong() * sector));
    }
    return new Disk(file, Map.copyOf(parts));
  }

  LoopDevice attach(String part) throws IOException {
    Part p = parts.get(part);
    return LoopDevice.attach(file, p.start(), p.size());
  }

  /** The kind of file system on a device. */
  static String type(LoopDevice device) {
    return Command.of("blkid", "-p", "-o", "value", "-s", "TYPE", device.device().toString())
        .output();
  }

  /** Checks a file system that is not mounted; nothing is written. */
  static void check(LoopDevice device) {
    String name = device.device().toString();
    switch (type(device)) {
      case "ext4" -> Command.of("e2fsck", "-f", "-n", name).run();
      case "xfs" -> Command.of("xfs_repair", "-n", name).run();
      case "btrfs" -> Command.of("btrfs", "check", "--readonly", name).run();
      default -> throw new AssertionError(name + " holds no file system that is known");
    }
  }
}
