package slipway.ostree.container;

import java.io.IOException;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.ostree.gvariant.GVariant;
import slipway.system.boot.PrepareRootConfig;
import slipway.system.files.ImageFiles;
import slipway.tree.FileTree;

/**
 * What the commit of an image says of itself, with the keys of ostree-ext.
 *
 * @param configBytes of the image's config, as its digest covers them
 * @param shown the image's name for messages
 */
record ImageCommit(
    Manifest.Image manifest,
    ImageConfig config,
    byte[] configBytes,
    String shown,
    Progress progress) {
  /**
   * The commit's metadata.
   *
   * @param tree the image's files
   * @param unchecked whether a layer was never held to its diff id
   */
  Map<String, GVariant> metadata(FileTree tree, boolean unchecked) throws IOException {
    Map<String, GVariant> metadata = new LinkedHashMap<>();
    metadata.put(ContainerImages.MANIFEST_DIGEST, GVariant.string(manifest.digest().toString()));
    metadata.put(ContainerImages.MANIFEST, GVariant.string(manifest.bytes()));
    metadata.put(ContainerImages.CONFIG, GVariant.string(configBytes));
    metadata.put(LayerCommits.IMPORTER, GVariant.string(LayerCommits.IMPORTER_VERSION));
    if (unchecked) {
      metadata.put(ContainerImages.UNCHECKED, GVariant.bool(true));
    }
    String version = version();
    if (version != null) {
      metadata.put("version", GVariant.string(version));
    }
    if (isChecked(tree)) {
      metadata.put("ostree.composefs.digest.v0", GVariant.bytes(Composefs.deploymentDigest(tree)));
    }
    return metadata;
  }

  /** Whether machines of the image check files by their digests, for all that can be known. */
  private static boolean isChecked(FileTree tree) throws IOException {
    try {
      return PrepareRootConfig.read(new ImageFiles(tree)).composefs().checked();
    } catch (Problem e) {
      return true; // Who deploys the image says what is wrong with it.
    }
  }

  private @Nullable String version() {
    for (String label : List.of("org.opencontainers.image.version", "version")) {
      String value = config.labels().get(label);
      if (value != null && !value.isEmpty() && value.indexOf('\0') < 0) {
        return value;
      }
    }
    return null;
  }

  /** Seconds since the epoch; 0 when the image does not say when it was made. */
  long timestamp() {
    String created = manifest.annotations().get("org.opencontainers.image.created");
    String text = created == null ? config.created() : created;
    if (text == null) {
      return 0;
    }
    try {
      return Math.max(0, OffsetDateTime.parse(text).toEpochSecond());
    } catch (DateTimeParseException e) {
      progress.note(
          "the creation time \""
              + Printable.text(text)
              + "\" of "
              + shown
              + " is not RFC 3339 and is left out");
      return 0;
    }
  }
}
