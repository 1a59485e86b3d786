package slipway.media;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.process.Command;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A small FAT file system called CIDATA with what a machine needs to know of itself (cloud-init,
 * "NoCloud": {@code meta-data} is YAML, which JSON is, and {@code user-data} must be there).
 */
final class SeedDisk {
  private static final String FILE = "seed.img";

  /** Of 1 KiB, with room for the longest user data. */
  private static final String BLOCKS = "4096";

  private SeedDisk() {}

  static CloudData.Wiring prepare(CloudData data, Path state) throws IOException {
    Path disk = state.resolve(FILE);
    Files.deleteIfExists(disk);
    try (ScratchFolder scratch = ScratchFolder.create(state, "seed-", note -> {})) {
      Path meta = Files.writeString(scratch.path().resolve("meta-data"), metaData(data));
      byte[] given = data.userDataBytes();
      Path user =
          Files.write(scratch.path().resolve("user-data"), given == null ? new byte[0] : given);
      Command.of("mkfs.fat", "--invariant", "-n", "CIDATA", "-C", disk.toString(), BLOCKS).run();
      Command.of("mcopy", "-i", disk.toString(), meta.toString(), user.toString(), "::").run();
    }
    return new CloudData.Wiring(
        "",
        List.of(
            "-drive",
            "if=none,id=seed,format=raw,readonly=on,file=" + QemuArguments.escape(disk),
            "-device",
            "virtio-blk-pci,drive=seed"));
  }

  private static String metaData(CloudData data) {
    ObjectNode node = new JsonMapper().createObjectNode();
    node.put("instance-id", data.instance()).put("local-hostname", data.host());
    ArrayNode keys = node.putArray("public-keys");
    data.keys().forEach(keys::add);
    return node + "\n";
  }
}
