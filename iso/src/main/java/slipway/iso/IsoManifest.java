package slipway.iso;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import slipway.disk.format.FileDigest;
import slipway.oci.model.Digest;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What a build of an installer made, as JSON: the image, what the installer does, the file. */
final class IsoManifest {
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private IsoManifest() {}

  /** As bootc-image-builder calls it: {@code manifest-anaconda-iso.json}. */
  static String name(IsoRequest request) {
    return "manifest-" + request.type() + ".json";
  }

  /**
   * @param kernel version of the one that starts the installer
   * @param volume the ISO's name
   * @param along what goes along, by its name
   * @param iso the file as it will be
   */
  static String text(
      IsoRequest request, String kernel, String volume, Map<String, Digest> along, Path iso)
      throws IOException {
    ObjectNode manifest = JsonNodeFactory.instance.objectNode();
    manifest
        .putObject("image")
        .put("digest", request.manifest().digest().toString())
        .put("followed", request.target().toString());
    ObjectNode installer =
        manifest
            .putObject("installer")
            .put("mode", request.mode().label())
            .put("kickstart", request.kickstart() != null)
            .put("volume", volume)
            .put("kernel", kernel);
    ArrayNode arguments = installer.putArray("kernel_arguments");
    IsoBuilder.arguments(request).list().forEach(arguments::add);
    ArrayNode companions = manifest.putArray("companions");
    along.forEach(
        (name, digest) ->
            companions.addObject().put("name", name).put("digest", digest.toString()));
    ObjectNode file = manifest.putArray("outputs").addObject();
    file.putArray("types").add(request.type());
    file.put("path", IsoRequest.PATH)
        .put("size", Files.size(iso))
        .put("sha256", FileDigest.sha256(iso));
    return MAPPER.writeValueAsString(manifest) + "\n";
  }
}
