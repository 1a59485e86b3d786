package slipway.cli.image;

import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.cli.output.JsonText;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Json;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The JSON of the commands about images. */
final class ImageJson {
  private ImageJson() {}

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
    return JsonText.pretty(array);
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
    return JsonText.pretty(node);
  }

  /** With podman's key for the size of the layer; 0 for a step that made none. */
  public static String history(List<HistoryCommand.Step> steps) {
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
    return JsonText.pretty(array);
  }
}
