package slipway.oci.model;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;

/**
 * A pointer to content (OCI image-spec, descriptor.md).
 *
 * @param size bytes; the content is never longer
 * @param platform of an entry in an index, else null
 * @param artifactType of an entry in a referrers list, else null
 * @param others such as {@code urls} and {@code data}
 * @param platformOthers such as {@code os.version}
 */
public record Descriptor(
    String mediaType,
    Digest digest,
    long size,
    Map<String, String> annotations,
    @Nullable Platform platform,
    @Nullable String artifactType,
    OtherFields others,
    OtherFields platformOthers) {
  public Descriptor {
    annotations = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(annotations));
  }

  /** A descriptor without other fields. */
  public Descriptor(
      String mediaType,
      Digest digest,
      long size,
      Map<String, String> annotations,
      @Nullable Platform platform,
      @Nullable String artifactType) {
    this(
        mediaType,
        digest,
        size,
        annotations,
        platform,
        artifactType,
        OtherFields.NONE,
        OtherFields.NONE);
  }

  public static Descriptor of(String mediaType, Digest digest, long size) {
    return new Descriptor(mediaType, digest, size, Map.of(), null, null);
  }

  /** The descriptor of bytes in memory, by sha256. */
  public static Descriptor of(String mediaType, byte[] bytes) {
    return of(mediaType, Digest.sha256(bytes), bytes.length);
  }

  /**
   * Holds a manifest with this digest to the rest of what is said of it here.
   *
   * @param where this stands, for messages
   * @throws Problem of kind CORRUPT when it has another size or media type
   */
  public void require(Manifest manifest, String where) {
    if (size != manifest.bytes().length) {
      throw Problem.corrupt(
          "%s says that the manifest %s has %d bytes, but it has %d"
              .formatted(Printable.text(where), digest, size, manifest.bytes().length));
    }
    if (!mediaType.equals(manifest.mediaType())) {
      throw Problem.corrupt(
          "%s says that the manifest %s is of type %s, but it is of type %s"
              .formatted(
                  Printable.text(where),
                  digest,
                  Printable.text(mediaType),
                  Printable.text(manifest.mediaType())));
    }
  }

  public Descriptor withAnnotations(Map<String, String> more) {
    return new Descriptor(
        mediaType, digest, size, more, platform, artifactType, others, platformOthers);
  }

  /** The same content under another name for its type. */
  public Descriptor withMediaType(String other) {
    return new Descriptor(
        other, digest, size, annotations, platform, artifactType, others, platformOthers);
  }
}
