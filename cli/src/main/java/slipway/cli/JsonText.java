package slipway.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.disk.DiskType;
import slipway.oci.ImageConfig;
import slipway.oci.Json;
import slipway.oci.LocalStore;
import slipway.oci.Manifest;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The JSON that commands print for scripts. */
final class JsonText {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private JsonText() {}

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
    return MAPPER.writeValueAsString(array);
  }

  static String pruned(int blobs, int parts, long bytes) {
    return MAPPER.writeValueAsString(
        JsonNodeFactory.instance
            .objectNode()
            .put("blobs", blobs)
            .put("buildParts", parts)
            .put("reclaimedBytes", bytes));
  }

  static String images(List<ImagesCommand.Row> images, List<LocalStore.Damaged> damaged) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    for (ImagesCommand.Row image : images) {
      ObjectNode node = array.addObject();
      if (image.name() != null) {
        node.put("name", image.name().toString());
      }
      node.put("id", ImagesCommand.id(image.manifest()));
      node.put("digest", image.manifest().digest().toString());
      if (image.created() != null) {
        node.put("created", image.created().toString());
      }
      node.put("size", ImagesCommand.size(image.manifest()));
    }
    for (LocalStore.Damaged image : damaged) {
      array.addObject().put("name", image.name()).put("damaged", image.why());
    }
    return pretty(array);
  }

  /** A manifest and, for an image, its config: both as they are stored. */
  static String inspect(String name, Manifest manifest, byte @Nullable [] config) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("Name", name);
    node.put("Digest", manifest.digest().toString());
    node.put("MediaType", manifest.mediaType());
    node.put("Size", ImagesCommand.size(manifest));
    node.set("Manifest", Json.read(manifest.bytes(), "manifest"));
    if (config != null) {
      node.set("Config", Json.read(config, "config"));
    }
    return pretty(node);
  }

  /** With podman's key for the size of the layer; 0 for a step that made none. */
  static String history(List<HistoryCommand.Step> steps) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    for (HistoryCommand.Step step : steps) {
      ImageConfig.History line = step.line();
      ObjectNode node = array.addObject();
      node.put("created", line.created());
      node.put("createdBy", line.createdBy());
      node.put("comment", line.comment());
      node.put("emptyLayer", line.emptyLayer());
      node.put("size", step.size());
    }
    return pretty(array);
  }

  /** The files of a disk build by their types. */
  static String files(List<DiskType> types, List<Path> files, double seconds) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    ObjectNode byType = node.putObject("files");
    for (int i = 0; i < types.size(); i++) {
      byType.put(types.get(i).name().toLowerCase(Locale.ROOT), files.get(i).toString());
    }
    node.put("seconds", seconds);
    return pretty(node);
  }

  static String steps(List<Steps.Done> steps) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    for (Steps.Done step : steps) {
      array
          .addObject()
          .put("step", step.name())
          .put("seconds", step.seconds())
          .put("result", step.result());
    }
    return pretty(array);
  }

  static String pretty(JsonNode node) {
    return Printable.json(MAPPER.writeValueAsString(node));
  }
}
