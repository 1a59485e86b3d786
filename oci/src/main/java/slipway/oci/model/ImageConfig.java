package slipway.oci.model;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The configuration of an image (OCI image-spec, config.md). A value; {@link #toJson()} writes its
 * fields in an order of its own, so a config that must keep its digest is copied as bytes.
 *
 * @param created RFC 3339, or null
 * @param env {@code NAME=value}, in order
 * @param entrypoint null when not set, which differs from empty
 * @param healthcheck the healthcheck object of Docker's format, or null
 * @param shell of Docker's format: the SHELL instruction, or null
 * @param onBuild of Docker's format: triggers for a FROM
 * @param diffIds digests of the uncompressed layers, bottom first
 * @param others fields that are not known here, such as {@code os.version}
 * @param configOthers of {@code config}, such as {@code ArgsEscaped}
 */
@RecordBuilder
public record ImageConfig(
    Platform platform,
    @Nullable String created,
    @Nullable String author,
    List<String> env,
    @Nullable List<String> entrypoint,
    @Nullable List<String> cmd,
    @Nullable String user,
    @Nullable String workingDir,
    Map<String, String> labels,
    Set<String> exposedPorts,
    Set<String> volumes,
    @Nullable String stopSignal,
    @Nullable JsonNode healthcheck,
    @Nullable List<String> shell,
    List<String> onBuild,
    List<Digest> diffIds,
    List<History> history,
    OtherFields others,
    OtherFields configOthers) {
  private static final Set<String> ROOT =
      Set.of("created", "author", "architecture", "os", "variant", "config", "rootfs", "history");
  private static final Set<String> ROOTFS = Set.of("type", "diff_ids");
  private static final Set<String> CONFIG =
      Set.of(
          "User",
          "ExposedPorts",
          "Env",
          "Entrypoint",
          "Cmd",
          "Volumes",
          "WorkingDir",
          "Labels",
          "StopSignal",
          "Healthcheck",
          "Shell",
          "OnBuild");
  private static final Set<String> HISTORY =
      Set.of("created", "created_by", "comment", "empty_layer");

  /**
   * One line of the image's history; without {@code emptyLayer} it belongs to the next layer.
   *
   * @param created RFC 3339, or null
   * @param others such as {@code author}
   */
  public record History(
      @Nullable String created,
      @Nullable String createdBy,
      @Nullable String comment,
      boolean emptyLayer,
      OtherFields others) {
    /** A line without other fields. */
    public History(
        @Nullable String created,
        @Nullable String createdBy,
        @Nullable String comment,
        boolean emptyLayer) {
      this(created, createdBy, comment, emptyLayer, OtherFields.NONE);
    }
  }

  /** Begins the config of an image without layers that says no more of itself. */
  public static ImageConfigBuilder draft(Platform platform) {
    return ImageConfigBuilder.builder()
        .platform(platform)
        .env(List.of())
        .labels(Map.of())
        .exposedPorts(Set.of())
        .volumes(Set.of())
        .onBuild(List.of())
        .diffIds(List.of())
        .history(List.of())
        .others(OtherFields.NONE)
        .configOthers(OtherFields.NONE);
  }

  /** The config of an image without layers. */
  public static ImageConfig empty(Platform platform) {
    return draft(platform).build();
  }

  /**
   * The config of an image that says no more of itself.
   *
   * @param created RFC 3339, or null
   */
  public static ImageConfig of(
      Platform platform,
      @Nullable String created,
      Map<String, String> labels,
      List<Digest> diffIds) {
    return draft(platform).created(created).labels(labels).diffIds(diffIds).build();
  }

  /**
   * @throws slipway.base.Problem of kind CORRUPT
   */
  public static ImageConfig parse(byte[] bytes) {
    JsonNode root = ManifestJson.read(bytes, "image config");
    JsonNode config = root.path("config");
    String os = ManifestJson.text(root, "os");
    String architecture = ManifestJson.text(root, "architecture");
    OtherFields.of(root.path("rootfs"), ROOTFS, "rootfs of the image config"); // For its refusal.
    List<Digest> diffIds = new ArrayList<>();
    for (String id : strings(root.path("rootfs").path("diff_ids"))) {
      diffIds.add(ManifestJson.digest(id, "rootfs.diff_ids of the image config"));
    }
    List<History> history = new ArrayList<>();
    for (JsonNode h : root.path("history")) {
      history.add(
          new History(
              ManifestJson.text(h, "created"),
              ManifestJson.text(h, "created_by"),
              ManifestJson.text(h, "comment"),
              h.path("empty_layer").asBoolean(false),
              OtherFields.of(h, HISTORY, "the history of the image config")));
    }
    JsonNode healthcheck = config.get("Healthcheck");
    return ImageConfigBuilder.builder()
        .platform(
            new Platform(
                os == null ? "linux" : os,
                architecture == null ? "" : architecture,
                ManifestJson.text(root, "variant")))
        .created(ManifestJson.text(root, "created"))
        .author(ManifestJson.text(root, "author"))
        .env(strings(config.path("Env")))
        .entrypoint(optional(config.path("Entrypoint")))
        .cmd(optional(config.path("Cmd")))
        .user(ManifestJson.text(config, "User"))
        .workingDir(ManifestJson.text(config, "WorkingDir"))
        .labels(labels(config.path("Labels")))
        .exposedPorts(keys(config.path("ExposedPorts")))
        .volumes(keys(config.path("Volumes")))
        .stopSignal(ManifestJson.text(config, "StopSignal"))
        .healthcheck(healthcheck != null && healthcheck.isObject() ? healthcheck : null)
        .shell(optional(config.path("Shell")))
        .onBuild(strings(config.path("OnBuild")))
        .diffIds(diffIds)
        .history(history)
        .others(OtherFields.of(root, ROOT, "the image config"))
        .configOthers(OtherFields.of(config, CONFIG, "config of the image config"))
        .build();
  }

  private static List<String> strings(JsonNode array) {
    List<String> list = new ArrayList<>();
    array.forEach(n -> list.add(n.asString("")));
    return list;
  }

  private static @Nullable List<String> optional(JsonNode array) {
    return array.isArray() ? strings(array) : null;
  }

  private static Map<String, String> labels(JsonNode object) {
    Map<String, String> map = new LinkedHashMap<>();
    object.properties().forEach(e -> map.put(e.getKey(), e.getValue().asString("")));
    return map;
  }

  private static Set<String> keys(JsonNode object) {
    Set<String> set = new LinkedHashSet<>();
    object.properties().forEach(e -> set.add(e.getKey()));
    return set;
  }

  /** Compact JSON; the same value gives the same bytes. */
  public byte[] toJson() {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    put(root, "created", created);
    put(root, "author", author);
    root.put("architecture", platform.architecture());
    root.put("os", platform.os());
    put(root, "variant", platform.variant());
    root.set("config", configJson());
    ObjectNode rootfs = root.putObject("rootfs");
    rootfs.put("type", "layers");
    ArrayNode ids = rootfs.putArray("diff_ids");
    diffIds.forEach(d -> ids.add(d.toString()));
    if (!history.isEmpty()) {
      ArrayNode lines = root.putArray("history");
      for (History h : history) {
        ObjectNode line = lines.addObject();
        put(line, "created", h.created());
        put(line, "created_by", h.createdBy());
        put(line, "comment", h.comment());
        if (h.emptyLayer()) {
          line.put("empty_layer", true);
        }
        h.others().addTo(line);
      }
    }
    others.addTo(root);
    return Json.write(root);
  }

  private ObjectNode configJson() {
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    put(config, "User", user);
    set(config, "ExposedPorts", exposedPorts);
    put(config, "Env", env.isEmpty() ? null : env);
    put(config, "Entrypoint", entrypoint);
    put(config, "Cmd", cmd);
    set(config, "Volumes", volumes);
    put(config, "WorkingDir", workingDir);
    if (!labels.isEmpty()) {
      ObjectNode object = config.putObject("Labels");
      labels.forEach(object::put);
    }
    put(config, "StopSignal", stopSignal);
    if (healthcheck != null) {
      config.set("Healthcheck", healthcheck);
    }
    put(config, "Shell", shell);
    put(config, "OnBuild", onBuild.isEmpty() ? null : onBuild);
    configOthers.addTo(config);
    return config;
  }

  private static void put(ObjectNode node, String field, @Nullable String value) {
    if (value != null) {
      node.put(field, value);
    }
  }

  private static void put(ObjectNode node, String field, @Nullable List<String> values) {
    if (values != null) {
      ArrayNode array = node.putArray(field);
      values.forEach(array::add);
    }
  }

  private static void set(ObjectNode node, String field, Set<String> keys) {
    if (!keys.isEmpty()) {
      ObjectNode object = node.putObject(field);
      keys.forEach(object::putObject);
    }
  }
}
