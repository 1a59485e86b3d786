package slipway.oci.model;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;

/**
 * An image manifest or an image index, OCI's or Docker's, parsed once from bytes that are kept as
 * received, so that the digest never changes (OCI image-spec, manifest.md and image-index.md).
 */
public sealed interface Manifest permits Manifest.Image, Manifest.Index {
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
    return ManifestJson.parse(bytes, mediaType, Digest.sha256(bytes));
  }

  /**
   * Parses JSON that was asked for by digest, and keeps that digest, of whatever algorithm.
   *
   * @throws slipway.base.Problem of kind CORRUPT when the bytes do not have the digest too
   */
  static Manifest parse(byte[] bytes, @Nullable String mediaType, Digest expected) {
    if (!expected.matches(bytes)) {
      throw Problem.corrupt(
          "manifest "
              + expected
              + " arrived with another digest, "
              + Digest.sha256(bytes)
              + "; it was damaged or forged");
    }
    return ManifestJson.parse(bytes, mediaType, expected);
  }

  /**
   * Parses what was read from a file, which a fault is told with.
   *
   * @param expected the digest that it was asked for by, or null
   * @param where the file
   * @throws Problem of kind CORRUPT as the others
   */
  static Manifest parse(byte[] bytes, @Nullable Digest expected, String where) {
    try {
      return expected == null ? parse(bytes, null) : parse(bytes, null, expected);
    } catch (Problem e) {
      throw new Problem(e.kind(), where + ": " + e.sentence(), e);
    }
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

    /** Content decides: the bytes behind one digest are the same. */
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Image that && digest.equals(that.digest);
    }

    @Override
    public int hashCode() {
      return digest.hashCode();
    }

    @Override
    public String toString() {
      return "image " + digest;
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

    /** Content decides: the bytes behind one digest are the same. */
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Index that && digest.equals(that.digest);
    }

    @Override
    public int hashCode() {
      return digest.hashCode();
    }

    @Override
    public String toString() {
      return "index " + digest;
    }

    /**
     * The entry for a platform: the one whose variant is the same rather than one that just fits;
     * the only one when it names no platform.
     *
     * @param name of the image, for the message
     * @throws Problem of kind NOT_FOUND that lists the platforms there are
     */
    public Descriptor select(Platform wanted, String name) {
      Descriptor fitting = null;
      for (Descriptor m : manifests) {
        Platform p = m.platform();
        if (!MediaTypes.isManifest(m.mediaType())) {
          continue; // Content of another kind was never looked at as an image.
        }
        if (p != null && p.equals(wanted)) {
          return m;
        }
        if (fitting == null && p != null && wanted.accepts(p)) {
          fitting = m;
        }
      }
      if (fitting != null) {
        return fitting;
      }
      if (manifests.size() == 1
          && manifests.getFirst().platform() == null
          && MediaTypes.isManifest(manifests.getFirst().mediaType())) {
        return manifests.getFirst();
      }
      throw Problem.notFound(
          "image " + name + " is not there for " + wanted + "; it has " + platforms());
    }

    private String platforms() {
      String all =
          manifests.stream()
              .map(Descriptor::platform)
              .filter(p -> p != null && !p.os().equals("unknown"))
              .map(Platform::toString)
              .map(Printable::text)
              .distinct()
              .limit(20)
              .collect(Collectors.joining(", "));
      return all.isEmpty() ? "no platforms" : all;
    }
  }
}
