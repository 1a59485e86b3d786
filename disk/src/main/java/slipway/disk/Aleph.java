package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.RawText;
import slipway.tree.FileTree;
import slipway.tree.Node;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a machine was installed from: {@code .bootc-aleph.json} in the root of its root file system,
 * as bootc writes it, canonical JSON. It never changes, so that later one can tell which versions a
 * machine began with.
 *
 * @param image where the image was read from; null when that is of no use to others
 * @param digest of its manifest
 * @param target what the machine follows
 * @param labels of the image
 * @param hasPolicy whether the image has a policy of SELinux
 */
record Aleph(
    @Nullable String image,
    String digest,
    String target,
    Map<String, String> labels,
    boolean hasPolicy) {
  /** Its name. */
  static final String FILE = ".bootc-aleph.json";

  private static final String VERSION = "org.opencontainers.image.version";
  private static final String CREATED = "org.opencontainers.image.created";
  private static final Path KERNEL = Path.of("/proc/sys/kernel/osrelease");
  private static final Path SELINUX = Path.of("/sys/fs/selinux/enforce");

  static Aleph of(BootableImage image, FileTree files) {
    boolean policy =
        files.find("usr/etc/selinux").orElse(null) instanceof Node.Directory directory
            && directory.children().values().stream().anyMatch(n -> n instanceof Node.Directory);
    return new Aleph(
        image.name(),
        image.manifest().digest().toString(),
        image.target().toString(),
        image.config().labels(),
        policy);
  }

  /** Writes it into a mounted root. */
  void write(Path root) throws IOException {
    AtomicFile.write(root.resolve(FILE), json(RawText.decode(Files.readAllBytes(KERNEL)).strip()));
  }

  /**
   * @param kernel the version that runs here
   */
  String json(String kernel) {
    Map<String, @Nullable Object> all = new TreeMap<>();
    if (image != null) {
      all.put("image", image);
    }
    all.put("digest", digest);
    all.put("target-image", target);
    if (!labels.isEmpty()) {
      all.put("labels", new TreeMap<>(labels));
    }
    all.put("version", labels.getOrDefault(VERSION, labels.get("version")));
    all.put("timestamp", timestamp(labels.get(CREATED)));
    all.put("kernel", kernel);
    all.put(
        "selinux", !hasPolicy ? "disabled" : Files.exists(SELINUX) ? "enabled" : "host-disabled");
    return JsonMapper.builder()
        .disable(SerializationFeature.INDENT_OUTPUT)
        .build()
        .writeValueAsString(all);
  }

  /** In UTC, or null when it is no time. */
  private static @Nullable String timestamp(@Nullable String text) {
    if (text == null) {
      return null;
    }
    try {
      return OffsetDateTime.parse(text)
          .withOffsetSameInstant(ZoneOffset.UTC)
          .format(DateTimeFormatter.ISO_OFFSET_DATE_TIME);
    } catch (DateTimeException e) {
      return null;
    }
  }
}
