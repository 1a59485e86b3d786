package slipway.registry.api;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.http.Request;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.registry.blobs.BlobStorage.Staged;
import slipway.registry.catalog.Change.ManifestEntry;
import slipway.registry.catalog.Change.ReferrerFields;
import slipway.registry.catalog.RegistryError;
import slipway.registry.catalog.RegistryError.Code;

/**
 * A manifest that was pushed, checked. Its bytes go to the disk as they come, so that a client
 * which announces much, or sends it slowly, holds no memory; they are read back once they are
 * whole.
 *
 * @param entry what the journal keeps
 * @param blobs that the repository must have
 */
record ManifestBody(Digest digest, ManifestEntry entry, List<Digest> blobs) {
  /** Longer manifests are worked on a few at a time. */
  static final int LARGE = 128 * 1024;

  /**
   * Receives the body of a request.
   *
   * @param expected the digest that it must have, or null for its sha256
   */
  static ManifestBody receive(
      Request request, Staged staged, @Nullable Digest expected, HeavyWork work)
      throws IOException {
    Digest.Algorithm algorithm = expected == null ? Digest.Algorithm.SHA256 : expected.algorithm();
    MessageDigest hash = algorithm.newMessageDigest();
    request.transferTo(
        Limit.MANIFEST_BYTES.value(),
        bytes -> {
          hash.update(bytes.duplicate());
          staged.write(bytes);
        });
    Digest digest = Digest.of(algorithm, hash.digest());
    if (expected != null && !digest.equals(expected)) {
      throw new RegistryError(
          Code.DIGEST_INVALID, "the manifest does not have the digest " + expected);
    }
    String type = request.header("Content-Type");
    String declared = type == null ? null : mediaType(type);
    return staged.size() > LARGE
        ? work.run(() -> check(staged, declared, digest))
        : check(staged, declared, digest);
  }

  /** Without parameters, which senders should not add and receivers should ignore. */
  private static String mediaType(String contentType) {
    int semicolon = contentType.indexOf(';');
    String type = semicolon < 0 ? contentType : contentType.substring(0, semicolon);
    return type.strip().toLowerCase(Locale.ROOT);
  }

  private static ManifestBody check(Staged staged, @Nullable String declared, Digest digest)
      throws IOException {
    byte[] bytes;
    try (InputStream in = staged.read()) {
      bytes = in.readNBytes(Math.toIntExact(staged.size()));
    }
    Manifest manifest = parse(bytes, declared);
    Descriptor subject = manifest.subject();
    ManifestEntry entry =
        new ManifestEntry(
            manifest.mediaType(),
            bytes.length,
            subject == null ? null : subject.digest(),
            subject == null ? null : ReferrerFields.of(manifest).kept());
    return new ManifestBody(digest, entry, blobs(manifest));
  }

  private static Manifest parse(byte[] bytes, @Nullable String declared) {
    if (isWide(bytes)) {
      throw new RegistryError(
          Code.MANIFEST_INVALID, "the manifest is UTF-16 or UTF-32; JSON is sent as UTF-8");
    }
    try {
      Manifest manifest = Manifest.parse(bytes, declared);
      if (declared != null && !declared.equals(manifest.mediaType())) {
        throw new RegistryError(
            Code.MANIFEST_INVALID,
            "the manifest has the type " + manifest.mediaType() + " but was sent as " + declared);
      }
      return manifest;
    } catch (RegistryError e) {
      throw e;
    } catch (Problem e) {
      throw new RegistryError(Code.MANIFEST_INVALID, String.valueOf(e.getMessage()));
    }
  }

  /** Encodings that RFC 8259 rules out (section 8.1) and the parser takes; JSON begins in ASCII. */
  private static boolean isWide(byte[] bytes) {
    return bytes.length > 1
        && (bytes[0] == 0
            || bytes[1] == 0
            || (bytes[0] & 0xfe) == 0xfe && (bytes[1] & 0xfe) == 0xfe);
  }

  /** An index may name manifests that are not here: sparse indexes are in use. */
  private static List<Digest> blobs(Manifest manifest) {
    return switch (manifest) {
      case Manifest.Index index -> List.of();
      case Manifest.Image image ->
          Stream.concat(Stream.of(image.config()), image.layers().stream())
              // Layers that their licence keeps off registries are elsewhere.
              .filter(descriptor -> !MediaTypes.isForeign(descriptor.mediaType()))
              .map(Descriptor::digest)
              .toList();
    };
  }
}
