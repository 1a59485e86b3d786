package slipway.config.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Span;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Reference;

/** An image, a policy that wants it signed, and signatures by openssl in cosign's form. */
abstract class PolicyCase {
  static final Reference NAME = Reference.parse("registry.example/os/web:1");

  @TempDir Path dir;
  final Map<String, Manifest> manifests = new HashMap<>();
  final Map<Digest, byte[]> blobs = new HashMap<>();
  final List<Descriptor> signatures = new ArrayList<>();
  Manifest.Image image;

  @BeforeEach
  void image() throws IOException {
    image =
        Manifest.Image.of(
            Descriptor.of(MediaTypes.OCI_CONFIG, "{}".getBytes(StandardCharsets.UTF_8)),
            List.of(),
            Map.of());
    manifests.put(NAME.toString(), image);
    key("ours", "EC", "-pkeyopt", "ec_paramgen_curve:P-256");
    policy("\"keyPath\": \"/etc/ours.pub\"");
  }

  void key(String name, String kind, String... more) throws IOException {
    Files.createDirectories(dir.resolve("etc/containers"));
    Command.of("openssl", "genpkey", "-quiet", "-algorithm", kind, "-out", name)
        .with(more)
        .directory(dir)
        .run();
    Command.of("openssl", "pkey", "-in", name, "-pubout", "-out", "etc/" + name + ".pub")
        .directory(dir)
        .run();
  }

  void write(String policy) throws IOException {
    Files.writeString(dir.resolve("etc/containers/policy.json"), policy);
  }

  void policy(String key) throws IOException {
    write(
        """
        {"default": [{"type": "reject"}],
         "transports": {"docker": {"registry.example/os": [{"type": "sigstoreSigned", %s}]}}}
        """
            .formatted(key));
  }

  static String payload(String name, Digest digest, String kind) {
    return """
        {"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},\
        "type":"%s"},"optional":null}"""
        .formatted(name, digest, kind);
  }

  static String payload(String name, Digest digest) {
    return payload(name, digest, "cosign container image signature");
  }

  /** Signs as cosign does: over the payload's bytes, hashed by SHA-256 but for Ed25519. */
  void sign(String key, String payload) throws IOException {
    byte[] bytes = payload.getBytes(StandardCharsets.UTF_8);
    Path file = dir.resolve("payload");
    Files.write(file, bytes);
    boolean edwards =
        Command.of("openssl", "pkey", "-in", key, "-text", "-noout")
            .directory(dir)
            .output()
            .contains("ED25519");
    byte[] signature =
        (edwards
                ? Command.of(
                    "openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", "payload")
                : Command.of("openssl", "dgst", "-sha256", "-sign", key, "payload"))
            .directory(dir)
            .run()
            .stdout();
    Descriptor layer =
        Descriptor.of("application/vnd.dev.cosign.simplesigning.v1+json", bytes)
            .withAnnotations(
                Map.of(
                    "dev.cosignproject.cosign/signature",
                    Base64.getEncoder().encodeToString(signature)));
    blobs.put(layer.digest(), bytes);
    signatures.add(layer);
    attach(image.digest());
  }

  void attach(Digest digest) {
    manifests.put(
        "registry.example/os/web:" + digest.toString().replace(':', '-') + ".sig",
        Manifest.Image.of(
            Descriptor.of(MediaTypes.OCI_CONFIG, "{}".getBytes(StandardCharsets.UTF_8)),
            signatures,
            Map.of()));
  }

  ImageSource registry(Reference name) {
    return new ImageSource() {
      @Override
      public String describe() {
        return "registry";
      }

      @Override
      public Manifest manifest(@Nullable String selector) {
        Manifest found = manifests.get(selector == null ? name.toString() : selector);
        if (found == null) {
          throw Problem.notFound("there is no " + name);
        }
        return found;
      }

      @Override
      public InputStream blob(Descriptor descriptor, long offset) {
        return new ByteArrayInputStream(
            java.util.Objects.requireNonNull(blobs.get(descriptor.digest())));
      }

      @Override
      public boolean lacks(Descriptor descriptor) {
        return !blobs.containsKey(descriptor.digest());
      }

      @Override
      public Optional<InputStream> parts(
          Descriptor descriptor, List<Span> spans, LongConsumer fetched) {
        return Optional.of(blob(descriptor, spans.getFirst().offset()));
      }
    };
  }

  Manifest get(Reference name) throws IOException {
    try (ImageSource source =
        SignaturePolicy.read(dir).signed(registry(name), name, this::registry)) {
      return source.manifest(null);
    }
  }

  void refused(Reference name, String why) {
    assertThatThrownBy(() -> get(name))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.DENIED))
        .hasMessageContaining(why);
  }

  ImageSource obeyed(Reference name) throws IOException {
    return SignaturePolicy.find(dir).orElseThrow().obeyed(registry(name), name, this::registry);
  }
}
