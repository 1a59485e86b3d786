package slipway.oci;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An image manifest or an image index, OCI's or Docker's, parsed once from bytes that are kept as
 * received, so that the digest never changes (OCI image-spec, manifest.md and image-index.md).
 */
public sealed interface Manifest permits Manifest.Image, Manifest.Index {
  /** Refuse larger ones: a registry must accept 4 MiB, nobody sends more. */
  int MAX_BYTES = 8 * 1024 * 1024;

  /** The bytes as received; do not change them. */
  byte[] bytes();

  String mediaType();

  Digest digest();

  Map<String, String> annotations();

  /** What this refers to, or null. */
  @Nullable Descriptor subject();

  /** The type of an artifact, or null. */
  @Nullable String artifactType();

  /** Descriptor of the manifest itself. */
  default Descriptor descriptor() {
    return Descriptor.of(mediaType(), digest(), bytes().length);
  }

  /**
   * Parses JSON.
   *
   * @param mediaType what the sender said, or null to decide by the content
   * @throws slipway.base.Problem of kind CORRUPT when it is neither a manifest nor an index
   */
  static Manifest parse(byte[] bytes, @Nullable String mediaType) {
    return ManifestJson.parse(bytes, mediaType);
  }

  /** One image: a config and layers, bottom first. */
  record Image(
      byte[] bytes,
      String mediaType,
      Digest digest,
      Descriptor config,
      List<Descriptor> layers,
      Map<String, String> annotations,
      @Nullable Descriptor subject,
      @Nullable String artifactType)
      implements Manifest {
    public Image {
      layers = List.copyOf(layers);
    }

    /** Writes a new OCI manifest (compact JSON, fields in the specification's order). */
    public static Image of(
        Descriptor config, List<Descriptor> layers, Map<String, String> annotations) {
      return ManifestJson.image(config, layers, annotations);
    }
  }

  /** A list of manifests, usually one a platform. */
  record Index(
      byte[] bytes,
      String mediaType,
      Digest digest,
      List<Descriptor> manifests,
      Map<String, String> annotations,
      @Nullable Descriptor subject,
      @Nullable String artifactType)
      implements Manifest {
    public Index {
      manifests = List.copyOf(manifests);
    }

    /** Writes a new OCI index. */
    public static Index of(List<Descriptor> manifests, Map<String, String> annotations) {
      return ManifestJson.index(manifests, annotations);
    }
  }
}
