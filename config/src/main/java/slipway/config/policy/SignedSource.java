package slipway.config.policy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Span;
import slipway.oci.copy.VerifyingInputStream;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Json;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;
import tools.jackson.databind.JsonNode;

/**
 * A source of one image that must be signed. What it is asked for first, by its name, is the
 * manifest or the index that the signature is of; all else is reached from there by digests, and is
 * given for no other. An index that is not signed so only shows the way, as with containers/image,
 * which looks at no signature of an index at all: each image that it leads to must have one of its
 * own.
 */
final class SignedSource implements ImageSource {
  private static final String PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json";
  private static final String SIGNATURE = "dev.cosignproject.cosign/signature";
  private static final String KIND = "cosign container image signature";

  /** A payload has some hundred bytes. */
  private static final int MAX_PAYLOAD = 1 << 20;

  private static final int MAX_SIGNATURES = 64;

  private final ImageSource source;
  private final Reference image;
  private final List<Requirement> requirements;
  private final Signatures signatures;
  private final Path policy;
  private final AttachedSignatures setting;

  /** What is signed, and what that leads to. */
  private final Set<Digest> trusted = new HashSet<>();

  /** Opens names of the image's registry. */
  @FunctionalInterface
  public interface Signatures {
    /** A source of what is called so; closed by who asks. */
    ImageSource open(Reference name) throws IOException;
  }

  SignedSource(
      ImageSource source,
      Reference image,
      List<Requirement> requirements,
      Signatures signatures,
      Path policy,
      AttachedSignatures setting) {
    this.source = source;
    this.image = image;
    this.requirements = requirements;
    this.signatures = signatures;
    this.policy = policy;
    this.setting = setting;
  }

  @Override
  public String describe() {
    return source.describe();
  }

  @Override
  public synchronized Manifest manifest(@Nullable String selector) throws IOException {
    refuseUnmet();
    Manifest manifest = source.manifest(selector);
    if (trusted.contains(manifest.digest()) || isSigned(manifest)) {
      trusted.add(manifest.digest());
      if (manifest instanceof Manifest.Index index) {
        index.manifests().forEach(m -> trusted.add(m.digest()));
      }
    }
    return manifest;
  }

  @Override
  public InputStream blob(Descriptor descriptor, long offset) throws IOException {
    return source.blob(descriptor, offset);
  }

  @Override
  public boolean lacks(Descriptor descriptor) throws IOException {
    return source.lacks(descriptor);
  }

  @Override
  public Optional<InputStream> parts(Descriptor descriptor, List<Span> spans, LongConsumer fetched)
      throws IOException {
    return source.parts(descriptor, spans, fetched);
  }

  @Override
  public void close() throws IOException {
    source.close();
  }

  // ---- signatures ----

  /**
   * One signature as it was found.
   *
   * @param payload what was signed
   */
  private record Found(byte[] payload, byte[] signature) {}

  /**
   * Checks what the requirements want signed.
   *
   * @return false for an index that is not, of which nothing is to be trusted
   * @throws Problem of kind DENIED for an image that is not signed as it must be
   */
  private boolean isSigned(Manifest manifest) throws IOException {
    try {
      requireSigned(manifest.digest());
      return true;
    } catch (Problem e) {
      if (manifest instanceof Manifest.Index && e.kind() == Problem.Kind.DENIED) {
        return false;
      }
      throw e;
    }
  }

  private void requireSigned(Digest digest) throws IOException {
    List<Found> found = null;
    for (Requirement requirement : requirements) {
      if (requirement instanceof Requirement.Signed signed) {
        found = found == null ? find(digest) : found;
        requireSigned(signed, digest, found);
      }
    }
  }

  /** What no signature could meet need not be asked for. */
  private void refuseUnmet() {
    for (Requirement requirement : requirements) {
      switch (requirement) {
        case Requirement.AcceptAnything a -> {}
        case Requirement.Reject r -> throw refused("the policy rejects it");
        case Requirement.Unknown u ->
            throw refused("the policy demands " + u.what() + ", which cannot be checked here");
        case Requirement.Signed s -> {}
      }
    }
  }

  private Problem refused(String why) {
    return Problem.denied(
        Printable.text(image.toString()) + " is refused: " + why + " (" + policy + ")");
  }

  private void requireSigned(Requirement.Signed requirement, Digest digest, List<Found> found)
      throws IOException {
    if (found.isEmpty()) {
      Optional<Path> file = setting.forbiddenBy();
      throw refused(
          file.isEmpty()
              ? "it has no signature"
              : "its signature is not looked for, " + file.get() + " says so");
    }
    String why = "it has no signature by a key of the policy";
    for (Found one : found) {
      if (requirement.keys().stream().anyMatch(key -> isValid(key, one))) {
        Optional<String> wrong = wrong(requirement, digest, one.payload());
        if (wrong.isEmpty()) {
          return;
        }
        why = wrong.get();
      }
    }
    throw refused(why);
  }

  /** Cosign hashes by SHA-256 with every kind of key; one of Ed25519 signs the text itself. */
  private static boolean isValid(PublicKey key, Found found) {
    String algorithm =
        switch (key.getAlgorithm()) {
          case "EC" -> "SHA256withECDSA";
          case "RSA" -> "SHA256withRSA";
          default -> "Ed25519";
        };
    try {
      Signature verifier = Signature.getInstance(algorithm);
      verifier.initVerify(key);
      verifier.update(found.payload());
      return verifier.verify(found.signature());
    } catch (GeneralSecurityException e) {
      return false; // It is none of this key's form.
    }
  }

  /** Why a payload that was signed is not one for this image; empty when it is. */
  private Optional<String> wrong(Requirement.Signed requirement, Digest digest, byte[] payload) {
    JsonNode critical = Json.read(payload, "payload of a signature").path("critical");
    String type = text(critical.path("type"));
    String signed = text(critical.path("image").path("docker-manifest-digest"));
    String name = text(critical.path("identity").path("docker-reference"));
    if (!type.equals(KIND)) {
      return Optional.of("its signature is of another kind");
    }
    if (!signed.equals(digest.toString())) {
      return Optional.of("its signature is for the digest " + Printable.text(signed));
    }
    return requirement.identity().accepts(name, image)
        ? Optional.empty()
        : Optional.of("its signature is for the name \"" + Printable.text(name) + "\"");
  }

  private static String text(JsonNode node) {
    return node.isString() ? node.stringValue() : "";
  }

  private List<Found> find(Digest digest) throws IOException {
    Reference place = image.withTag(digest.toString().replace(':', '-') + ".sig");
    List<Found> found = new ArrayList<>();
    if (setting.forbiddenBy().isPresent()) {
      return found;
    }
    try (ImageSource attached = signatures.open(place)) {
      Manifest manifest;
      try {
        manifest = attached.manifest(null);
      } catch (Problem e) {
        if (e.kind() == Problem.Kind.NOT_FOUND) {
          return found;
        }
        throw e;
      }
      if (!(manifest instanceof Manifest.Image list) || list.layers().size() > MAX_SIGNATURES) {
        throw refused("what is called " + place + " is no list of signatures");
      }
      for (Descriptor layer : list.layers()) {
        String signature = layer.annotations().get(SIGNATURE);
        if (layer.mediaType().equals(PAYLOAD) && signature != null && layer.size() <= MAX_PAYLOAD) {
          try (InputStream in = new VerifyingInputStream(attached.blob(layer, 0), layer)) {
            byte[] payload = in.readAllBytes();
            found.add(new Found(payload, Base64.getDecoder().decode(signature)));
          } catch (IllegalArgumentException e) {
            throw refused("a signature of it is no base64");
          }
        }
      }
    }
    return found;
  }
}
