package slipway.oci.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The JSON of manifests, indexes and descriptors; field names stand here and nowhere else. */
public final class ManifestJson {
  private static final Set<String> DESCRIPTOR =
      Set.of("mediaType", "digest", "size", "annotations", "platform", "artifactType");
  private static final Set<String> ROOT =
      Set.of(
          "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations");
  private static final Set<String> PLATFORM = Set.of("os", "architecture", "variant");

  private ManifestJson() {}

  static Manifest parse(byte[] bytes, @Nullable String declared, Digest digest) {
    Limit.MANIFEST_BYTES.check(bytes.length, "the manifest");
    JsonNode root = read(bytes, "manifest");
    OtherFields.of(root, ROOT, "the manifest"); // For what it refuses.
    String own = text(root, "mediaType");
    String mediaType = own != null ? own : declared != null ? declared : guess(root);
    if (own != null && declared != null && !own.equals(declared) && known(declared)) {
      throw Problem.corrupt(
          "the manifest says mediaType " + Printable.text(own) + " but was sent as " + declared);
    }
    Descriptor subject =
        root.hasNonNull("subject") ? descriptor(root.get("subject"), "subject") : null;
    String artifactType = text(root, "artifactType");
    Map<String, String> annotations = annotations(root);
    if (MediaTypes.isIndex(mediaType)) {
      return new Manifest.Index(
          bytes,
          mediaType,
          digest,
          descriptors(root, "manifests"),
          annotations,
          subject,
          artifactType);
    }
    if (MediaTypes.isImageManifest(mediaType)) {
      if (!root.has("config")) {
        throw Problem.corrupt("the manifest " + digest + " has no config");
      }
      return new Manifest.Image(
          bytes,
          mediaType,
          digest,
          descriptor(root.get("config"), "config"),
          descriptors(root, "layers"),
          annotations,
          subject,
          artifactType);
    }
    throw Problem.corrupt(
        "media type "
            + Printable.text(mediaType)
            + " is neither an image manifest nor an index; schema 1 images are not supported");
  }

  private static boolean known(String mediaType) {
    return MediaTypes.isIndex(mediaType) || MediaTypes.isImageManifest(mediaType);
  }

  private static String guess(JsonNode root) {
    if (root.has("manifests")) {
      return MediaTypes.OCI_INDEX;
    }
    if (root.has("layers") || root.has("config")) {
      return MediaTypes.OCI_MANIFEST;
    }
    throw Problem.corrupt("the document is neither an image manifest nor an index");
  }

  public static JsonNode read(byte[] bytes, String what) {
    JsonNode node = Json.read(bytes, what);
    if (!node.isObject()) {
      throw Problem.corrupt("the " + what + " is not a JSON object");
    }
    return node;
  }

  /** As {@link #read}, without showing any of the content when it is not valid. */
  public static ObjectNode readSecret(byte[] bytes, String what) {
    try {
      if (Json.read(bytes) instanceof ObjectNode object) {
        return object;
      }
      throw Problem.input(what + " is not a JSON object");
    } catch (Json.TooMany e) {
      throw Limit.JSON_NODES.exceeded(what);
    } catch (JacksonException e) {
      TokenStreamLocation place = e.getLocation(); // None when a bound of the parser is passed.
      throw Problem.input(
          what + " is not valid JSON" + (place == null ? "" : " at line " + place.getLineNr()));
    }
  }

  static @Nullable public String text(JsonNode node, String field) {
    JsonNode value = node.get(field);
    return value != null && value.isString() ? value.stringValue() : null;
  }

  public static Map<String, String> annotations(JsonNode node) {
    Map<String, String> map = new LinkedHashMap<>();
    JsonNode annotations = node.get("annotations");
    if (annotations != null && annotations.isObject()) {
      annotations.properties().forEach(e -> map.put(e.getKey(), e.getValue().asString("")));
    }
    return map;
  }

  private static List<Descriptor> descriptors(JsonNode root, String field) {
    List<Descriptor> list = new ArrayList<>();
    JsonNode array = root.get(field);
    if (array != null && array.isArray()) {
      if (field.equals("layers")) {
        Limit.IMAGE_LAYERS.check(array.size(), "the manifest");
      }
      for (int i = 0; i < array.size(); i++) {
        list.add(descriptor(array.get(i), field + "[" + i + "]"));
      }
    }
    return list;
  }

  public static Descriptor descriptor(JsonNode node, String where) {
    String mediaType = text(node, "mediaType");
    String digest = text(node, "digest");
    JsonNode size = node.get("size");
    if (mediaType == null
        || digest == null
        || size == null
        || !size.isIntegralNumber()
        || !size.canConvertToLong()
        || size.longValue() < 0) {
      throw Problem.corrupt("descriptor " + where + " lacks mediaType, digest or size");
    }
    Platform platform = null;
    JsonNode p = node.get("platform");
    if (p != null && p.isObject()) {
      String os = text(p, "os");
      String architecture = text(p, "architecture");
      platform =
          new Platform(
              os == null ? "" : os, architecture == null ? "" : architecture, text(p, "variant"));
    }
    return new Descriptor(
        mediaType,
        digest(digest, "descriptor " + where),
        size.longValue(),
        annotations(node),
        platform,
        text(node, "artifactType"),
        OtherFields.of(node, DESCRIPTOR, "descriptor " + where),
        OtherFields.of(node.path("platform"), PLATFORM, "the platform of descriptor " + where));
  }

  /** A digest in a document that somebody sent. */
  static Digest digest(String text, String where) {
    try {
      return Digest.parse(text);
    } catch (Problem e) {
      throw new Problem(
          Problem.Kind.CORRUPT, where + ": " + Printable.text(String.valueOf(e.getMessage())), e);
    }
  }

  public static ObjectNode write(Descriptor d) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("mediaType", d.mediaType());
    node.put("digest", d.digest().toString());
    node.put("size", d.size());
    if (!d.annotations().isEmpty()) {
      node.set("annotations", write(d.annotations()));
    }
    Platform p = d.platform();
    if (p != null) {
      ObjectNode platform = node.putObject("platform");
      platform.put("architecture", p.architecture());
      platform.put("os", p.os());
      if (p.variant() != null) {
        platform.put("variant", p.variant());
      }
      d.platformOthers().addTo(platform);
    }
    if (d.artifactType() != null) {
      node.put("artifactType", d.artifactType());
    }
    d.others().addTo(node);
    return node;
  }

  private static ObjectNode write(Map<String, String> annotations) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    annotations.forEach(node::put);
    return node;
  }

  static Manifest.Image image(
      Descriptor config, List<Descriptor> layers, Map<String, String> annotations) {
    ObjectNode root = head(MediaTypes.OCI_MANIFEST);
    root.set("config", write(config));
    ArrayNode array = root.putArray("layers");
    layers.forEach(layer -> array.add(write(layer)));
    return (Manifest.Image) Manifest.parse(finish(root, annotations), MediaTypes.OCI_MANIFEST);
  }

  static Manifest.Index index(List<Descriptor> manifests, Map<String, String> annotations) {
    ObjectNode root = head(MediaTypes.OCI_INDEX);
    ArrayNode array = root.putArray("manifests");
    manifests.forEach(m -> array.add(write(m)));
    return (Manifest.Index) Manifest.parse(finish(root, annotations), MediaTypes.OCI_INDEX);
  }

  private static ObjectNode head(String mediaType) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("schemaVersion", 2);
    root.put("mediaType", mediaType);
    return root;
  }

  private static byte[] finish(ObjectNode root, Map<String, String> annotations) {
    if (!annotations.isEmpty()) {
      root.set("annotations", write(annotations));
    }
    return Json.write(root);
  }
}
