package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import slipway.disk.config.PartitionContent;
import slipway.disk.config.RootFileSystem;
import slipway.disk.format.FileDigest;
import slipway.disk.plan.DiskPlan;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What a build made, as JSON: the image, how the disk is divided, and each file's digest. */
final class DiskManifest {
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private DiskManifest() {}

  /** As bootc-image-builder calls it: {@code manifest-qcow2-ami.json}. */
  static String name(List<DiskType> types) {
    return types.stream()
        .map(DiskType::label)
        .collect(Collectors.joining("-", "manifest-", ".json"));
  }

  /**
   * @param made the content of each file, by the path that it will have; none before they are made
   */
  static String text(DiskRequest request, DiskWriter.Written written, Map<String, Path> made)
      throws IOException {
    ObjectNode manifest = JsonNodeFactory.instance.objectNode();
    manifest
        .putObject("image")
        .put("digest", request.manifest().digest().toString())
        .put("followed", request.target().toString());
    DiskPlan plan = written.plan();
    ObjectNode disk = manifest.putObject("disk");
    disk.put("size", plan.size()).put("label", plan.table().label());
    disk.put("sector_size", plan.sector());
    disk.put("id", plan.tableId());
    ArrayNode partitions = disk.putArray("partitions");
    for (DiskPlan.Part part : plan.parts()) {
      ObjectNode node =
          partitions
              .addObject()
              .put("name", part.name())
              .put("type", part.type())
              .put("start", part.start())
              .put("size", part.size())
              .put("id", plan.idOf(part))
              .put("filesystem", filesystem(part.content(), written.rootfs()));
      if (part.passphrase() != null) {
        node.put("luks", part.luks().id().toString());
      }
      DiskPlan.Group group = plan.group();
      if (group != null && group.partition().id().equals(part.id())) {
        node.put("volume_group", group.name());
        volumes(node.putArray("logical_volumes"), group, written.rootfs());
      }
    }
    manifest.put("bootloader", written.loader().label());
    ArrayNode arguments = manifest.putArray("kernel_arguments");
    written.arguments().list().forEach(arguments::add);
    outputs(manifest.putArray("outputs"), request.types(), made);
    return MAPPER.writeValueAsString(manifest) + "\n";
  }

  private static void volumes(ArrayNode volumes, DiskPlan.Group group, RootFileSystem root) {
    for (DiskPlan.Part volume : group.volumes()) {
      volumes
          .addObject()
          .put("name", volume.name())
          .put("start", volume.start())
          .put("size", volume.size())
          .put("filesystem", filesystem(volume.content(), root));
    }
  }

  /** Null where there is none. */
  private static @Nullable String filesystem(PartitionContent content, RootFileSystem root) {
    return switch (content) {
      case PartitionContent.Bios bios -> null;
      case PartitionContent.Nothing nothing -> null;
      case PartitionContent.Lvm group -> null;
      case PartitionContent.Swap swap -> "swap";
      case PartitionContent.Btrfs volume -> "btrfs";
      case PartitionContent.Fat fat -> "vfat";
      case PartitionContent.Files files -> (files.kind() == null ? root : files.kind()).label();
    };
  }

  private static void outputs(ArrayNode outputs, List<DiskType> types, Map<String, Path> made)
      throws IOException {
    for (String path : types.stream().map(DiskType::path).distinct().toList()) {
      ObjectNode file = outputs.addObject();
      ArrayNode names = file.putArray("types");
      types.stream().filter(t -> t.path().equals(path)).forEach(t -> names.add(t.label()));
      file.put("path", path);
      Path at = made.get(path);
      if (at == null) {
        continue;
      }
      file.put("size", Files.size(at));
      // To hash holes would take longer than making the disk.
      if (types.stream().noneMatch(t -> t.path().equals(path) && t.hasHoles())) {
        file.put("sha256", FileDigest.sha256(at));
      }
    }
  }
}
