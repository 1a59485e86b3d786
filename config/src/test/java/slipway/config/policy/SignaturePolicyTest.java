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
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Span;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.transport.TransportRef;

/** Images with signatures by openssl, in cosign's form. */
class SignaturePolicyTest {
  private static final Reference NAME = Reference.parse("registry.example/os/web:1");

  @TempDir Path dir;
  private final Map<String, Manifest> manifests = new HashMap<>();
  private final Map<Digest, byte[]> blobs = new HashMap<>();
  private final List<Descriptor> signatures = new ArrayList<>();
  private Manifest.Image image;

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

  private void key(String name, String kind, String... more) throws IOException {
    Files.createDirectories(dir.resolve("etc/containers"));
    Command.of("openssl", "genpkey", "-quiet", "-algorithm", kind, "-out", name)
        .with(more)
        .directory(dir)
        .run();
    Command.of("openssl", "pkey", "-in", name, "-pubout", "-out", "etc/" + name + ".pub")
        .directory(dir)
        .run();
  }

  private void write(String policy) throws IOException {
    Files.writeString(dir.resolve("etc/containers/policy.json"), policy);
  }

  private void policy(String key) throws IOException {
    write(
        """
        {"default": [{"type": "reject"}],
         "transports": {"docker": {"registry.example/os": [{"type": "sigstoreSigned", %s}]}}}
        """
            .formatted(key));
  }

  private static String payload(String name, Digest digest, String kind) {
    return """
        {"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},\
        "type":"%s"},"optional":null}"""
        .formatted(name, digest, kind);
  }

  private static String payload(String name, Digest digest) {
    return payload(name, digest, "cosign container image signature");
  }

  /** Signs as cosign does: over the payload's bytes, hashed by SHA-256 but for Ed25519. */
  private void sign(String key, String payload) throws IOException {
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

  private void attach(Digest digest) {
    manifests.put(
        "registry.example/os/web:" + digest.toString().replace(':', '-') + ".sig",
        Manifest.Image.of(
            Descriptor.of(MediaTypes.OCI_CONFIG, "{}".getBytes(StandardCharsets.UTF_8)),
            signatures,
            Map.of()));
  }

  private ImageSource registry(Reference name) {
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

  private Manifest get(Reference name) throws IOException {
    try (ImageSource source =
        SignaturePolicy.read(dir).signed(registry(name), name, this::registry)) {
      return source.manifest(null);
    }
  }

  private void refused(Reference name, String why) {
    assertThatThrownBy(() -> get(name))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.DENIED))
        .hasMessageContaining(why);
  }

  @Test
  void aSignedImageIsGiven() throws IOException {
    sign("ours", payload(NAME.toString(), image.digest()));
    assertThat(get(NAME)).isEqualTo(image);
  }

  @ParameterizedTest
  @CsvSource({"RSA, rsa_keygen_bits:2048", "EC, ec_paramgen_curve:P-384", "ED25519, "})
  void keysOfEachKindCount(String kind, @Nullable String option) throws IOException {
    key("other", kind, option == null ? new String[0] : new String[] {"-pkeyopt", option});
    String data =
        Base64.getEncoder().encodeToString(Files.readAllBytes(dir.resolve("etc/other.pub")));
    policy("\"keyDatas\": [\"" + data + "\"]");
    sign("ours", payload(NAME.toString(), image.digest()));
    refused(NAME, "no signature by a key of the policy");
    sign("other", payload(NAME.toString(), image.digest()));
    assertThat(get(NAME)).isEqualTo(image);
  }

  /** The signature is of the manifest, which has the digests of all that comes. */
  @Test
  void partsOfLayersComeThrough() throws IOException {
    byte[] bytes = {1, 2, 3};
    Descriptor layer = Descriptor.of(MediaTypes.OCI_LAYER, bytes);
    try (ImageSource source =
        SignaturePolicy.read(dir).signed(registry(NAME), NAME, this::registry)) {
      assertThat(source.lacks(layer)).isTrue();
      blobs.put(layer.digest(), bytes);
      assertThat(source.lacks(layer)).isFalse();
      assertThat(source.parts(layer, List.of(new Span(0, 3)), n -> {}).orElseThrow())
          .hasBinaryContent(bytes);
    }
  }

  @Test
  void whatIsNotSignedIsRefused() throws IOException {
    refused(NAME, "it has no signature (");
    sign("ours", payload(NAME.toString(), Digest.sha256(new byte[1])));
    refused(NAME, "its signature is for the digest sha256:6e340b9c");
    sign("ours", payload("registry.example/os/other:1", image.digest()));
    refused(NAME, "its signature is for the name \"registry.example/os/other:1\"");
    sign("ours", payload(NAME.toString(), image.digest(), "something else"));
    refused(NAME, "its signature is of another kind");
    sign("ours", payload(NAME.toString(), image.digest()));
    assertThat(get(NAME)).isEqualTo(image);
    Reference elsewhere = Reference.parse("elsewhere.example/x:1");
    manifests.put(elsewhere.toString(), image);
    refused(elsewhere, "the policy rejects it");
  }

  @Test
  void aForgedPayloadIsRefused() throws IOException {
    sign("ours", payload(NAME.toString(), image.digest()));
    byte[] payload = java.util.Objects.requireNonNull(blobs.get(signatures.getFirst().digest()));
    payload[20] ^= 1;
    assertThatThrownBy(() -> get(NAME)).isInstanceOf(Problem.class);
  }

  @Test
  void theIndexIsWhatIsSigned() throws IOException {
    Manifest.Index index =
        Manifest.Index.of(
            List.of(
                new Descriptor(
                    image.mediaType(),
                    image.digest(),
                    image.bytes().length,
                    Map.of(),
                    Platform.host(),
                    null)),
            Map.of());
    manifests.put(NAME.toString(), index);
    manifests.put(image.digest().toString(), image);
    sign("ours", payload(NAME.toString(), index.digest()));
    attach(index.digest());
    try (ImageSource source =
        SignaturePolicy.read(dir).signed(registry(NAME), NAME, this::registry)) {
      assertThat(source.manifest(null)).isEqualTo(index);
      assertThat(source.manifest(image.digest().toString())).isEqualTo(image);
    }
    // Not another one that somebody asks for.
    try (ImageSource source =
        SignaturePolicy.read(dir).signed(registry(NAME), NAME, this::registry)) {
      assertThatThrownBy(() -> source.manifest(image.digest().toString()))
          .hasMessageContaining("its signature is for the digest");
    }
  }

  /** As containers/image does it, and so podman: the image that is chosen counts. */
  @Test
  void anIndexThatNobodySignedLeadsToImagesThatAre() throws IOException {
    Manifest.Image other =
        Manifest.Image.of(
            Descriptor.of(MediaTypes.OCI_CONFIG, "{}".getBytes(StandardCharsets.UTF_8)),
            List.of(),
            Map.of("for", "another machine"));
    Manifest.Index index =
        Manifest.Index.of(
            Stream.of(image, other)
                .map(
                    m ->
                        new Descriptor(
                            m.mediaType(),
                            m.digest(),
                            m.bytes().length,
                            Map.of(),
                            Platform.host(),
                            null))
                .toList(),
            Map.of());
    manifests.put(NAME.toString(), index);
    manifests.put(image.digest().toString(), image);
    manifests.put(other.digest().toString(), other);
    sign("ours", payload(NAME.toString(), image.digest()));
    try (ImageSource source =
        SignaturePolicy.read(dir).signed(registry(NAME), NAME, this::registry)) {
      assertThat(source.manifest(null)).isEqualTo(index);
      assertThatThrownBy(() -> source.manifest(other.digest().toString()))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.DENIED))
          .hasMessageContaining("it has no signature (");
      assertThat(source.manifest(image.digest().toString())).isEqualTo(image);
    }
    // One that somebody else signed is none that nobody did.
    key("theirs", "EC", "-pkeyopt", "ec_paramgen_curve:P-256");
    signatures.clear();
    sign("theirs", payload(NAME.toString(), index.digest()));
    attach(index.digest());
    refused(NAME, "it has no signature by a key of the policy");
  }

  @Test
  void aPolicyThatDemandsNothingIsRefused() throws IOException {
    write("{\"default\": [{\"type\": \"insecureAcceptAnything\"}]}");
    refused(NAME, "accepts anything by default (insecureAcceptAnything)");
    write(
        """
        {"default": [{"type": "reject"}],
         "transports": {"docker": {"": [{"type": "insecureAcceptAnything"}]}}}
        """);
    refused(NAME, "accepts registry.example/os/web:1 unsigned");
    write("{\"default\": [{\"type\": \"reject\"}]}");
    refused(NAME, "the policy rejects it");
    write("{\"default\": [{\"type\": \"signedBy\", \"keyType\": \"GPGKeys\"}]}");
    refused(NAME, "demands signatures of GPG (signedBy), which cannot be checked here");
    Files.delete(dir.resolve("etc/containers/policy.json"));
    assertThatThrownBy(() -> get(NAME)).hasMessageStartingWith("there is no policy");
  }

  @Test
  void theVendorsPolicyHoldsWhereTheMachineHasNone() throws IOException {
    Path vendor = Files.createDirectories(dir.resolve("usr/share/containers"));
    Files.writeString(
        vendor.resolve("policy.json"), "{\"default\": [{\"type\": \"insecureAcceptAnything\"}]}");
    refused(NAME, "it has no signature (");
    Files.delete(dir.resolve("etc/containers/policy.json"));
    assertThat(obeyed(NAME).manifest(null)).isEqualTo(image);
    Files.writeString(vendor.resolve("policy.json"), "{\"default\": [{\"type\": \"reject\"}]}");
    refused(NAME, "the policy rejects it");
  }

  /** It may be the one that was to keep the image out. */
  @Test
  void aPolicyThatCannotBeReachedIsRefused() throws IOException {
    Path file = dir.resolve("etc/containers/policy.json");
    Files.delete(file);
    Files.createSymbolicLink(file, Path.of("gone"));
    assertThatThrownBy(() -> SignaturePolicy.find(dir))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.INPUT))
        .hasMessageContaining(file + " is a link that leads nowhere");
    Files.delete(file);
    assertThat(SignaturePolicy.find(dir)).isEmpty();
    Files.delete(file.getParent());
    Files.createSymbolicLink(file.getParent(), Path.of("gone"));
    assertThatThrownBy(() -> SignaturePolicy.find(dir))
        .hasMessageContaining(file.getParent() + " is a link that leads nowhere");
  }

  private ImageSource obeyed(Reference name) throws IOException {
    return SignaturePolicy.find(dir).orElseThrow().obeyed(registry(name), name, this::registry);
  }

  /** The policy is the machine's, whether or not somebody said of an image that it is signed. */
  @Test
  void whatNobodySaysIsSignedObeysToo() throws IOException {
    assertThatThrownBy(() -> obeyed(NAME).manifest(null))
        .hasMessageContaining("it has no signature (");
    sign("ours", payload(NAME.toString(), image.digest()));
    assertThat(obeyed(NAME).manifest(null)).isEqualTo(image);
    // Rejected by the default; nobody asks the registry.
    assertThatThrownBy(() -> obeyed(Reference.parse("elsewhere.example/x:1")).manifest(null))
        .hasMessageContaining("the policy rejects it");
    write("{\"default\": [{\"type\": \"insecureAcceptAnything\"}]}");
    signatures.clear();
    assertThat(obeyed(NAME).manifest(null)).isEqualTo(image);
  }

  private static void accepted(SignaturePolicy policy, String place) throws IOException {
    policy.requireAccepted(TransportRef.parse(place));
  }

  private static void notAccepted(SignaturePolicy policy, String place) {
    assertThatThrownBy(() -> accepted(policy, place))
        .as(place)
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.DENIED))
        .hasMessageStartingWith(place + " is refused: the policy ");
  }

  @Test
  void placesWithoutSignaturesObeyThePolicyOfTheirTransport() throws IOException {
    SignaturePolicy strict = SignaturePolicy.read(dir);
    assertThatThrownBy(() -> accepted(strict, "oci:/run/stick/images:os"))
        .hasMessageContaining("accept the transport \"oci\"");
    write(
        """
        {"default": [{"type": "reject"}],
         "transports": {"oci": {"/run/stick": [{"type": "insecureAcceptAnything"}]},
                        "dir": {"": [{"type": "insecureAcceptAnything"}]}}}
        """);
    SignaturePolicy open = SignaturePolicy.read(dir);
    accepted(open, "oci:/run/stick/images:os");
    accepted(open, "oci:/run/stick");
    accepted(open, "dir:/anywhere");
    notAccepted(open, "oci:/run/other:os");
    notAccepted(open, "oci-archive:/run/stick/a.tar");
  }

  /** As containers/image, which asks for the place without links, and not for the image's name. */
  @Test
  void scopesOfPathsAreThoseWhereTheImageReallyLies() throws IOException {
    Path real = dir.toRealPath();
    Files.createDirectories(real.resolve("var/mnt/stick:1"));
    Files.createDirectories(real.resolve("var/other"));
    Files.createSymbolicLink(real.resolve("mnt"), Path.of("var/mnt"));
    String scope =
        "{\"default\": [{\"type\": \"%s\"}], \"transports\": {\"%s\": {\"%s\": [{\"type\": \"%s\"}]}}}";
    String accept = "insecureAcceptAnything";
    write(scope.formatted("reject", "oci", real + "/var/mnt", accept));
    SignaturePolicy open = SignaturePolicy.read(dir);
    accepted(open, "oci:" + real + "/mnt:os");
    accepted(open, "oci:" + Path.of("").toAbsolutePath().relativize(real) + "/mnt");
    notAccepted(open, "oci:" + real + "/var/mnt/../other");
    write(scope.formatted(accept, "dir", real + "/var/mnt/stick:1", "reject"));
    SignaturePolicy closed = SignaturePolicy.read(dir);
    notAccepted(closed, "dir:" + real + "/mnt/stick:1");
    accepted(closed, "dir:" + real + "/var/other");
  }

  /** Their scopes name the store's driver and folder, too. */
  @Test
  void anImageOfPodmansStoreObeysAllScopesOfStores() throws IOException {
    String place = "containers-storage:registry.example/os:1";
    String form =
        """
        {"default": [{"type": "insecureAcceptAnything"}],
         "transports": {"containers-storage": {"[overlay@/var/lib/containers]": [{"type": "%s"}]}}}
        """;
    write(form.formatted("reject"));
    notAccepted(SignaturePolicy.read(dir), place);
    write(form.formatted("insecureAcceptAnything"));
    accepted(SignaturePolicy.read(dir), place);
  }

  @ParameterizedTest
  @CsvSource({
    "oci, /run/media/",
    "oci, images",
    "dir, /",
    "dir, /run//media",
    "oci-archive, /run/../media",
    "sif, .",
    "docker-archive, /run/media"
  })
  void aScopeThatCannotBeIsRefused(String transport, String scope) throws IOException {
    write(
        """
        {"default": [{"type": "insecureAcceptAnything"}],
         "transports": {"%s": {"%s": [{"type": "reject"}]}}}
        """
            .formatted(transport, scope));
    assertThatThrownBy(() -> SignaturePolicy.read(dir))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.INPUT))
        .hasMessageContaining("the scope \"" + scope + "\" of the transport \"" + transport + "\"");
  }

  /** Keys of other scopes may come and go. */
  @Test
  void aKeyThatIsNotThereMattersToItsScopeAlone() throws IOException {
    write(
        """
        {"default": [{"type": "insecureAcceptAnything"}],
         "transports": {"docker": {"a.example":
            [{"type": "sigstoreSigned", "keyPath": "/etc/none.pub"}]}}}
        """);
    assertThat(obeyed(NAME).manifest(null)).isEqualTo(image);
    assertThatThrownBy(() -> obeyed(Reference.parse("a.example/x:1")).manifest(null))
        .hasMessageContaining("a key that is not there (/etc/none.pub)");
  }

  @Test
  void theNarrowestScopeCounts() throws IOException {
    String reject = "[{\"type\": \"reject\"}]";
    String accept = "[{\"type\": \"insecureAcceptAnything\"}]";
    for (String scope :
        List.of(
            "registry.example/os/web:1",
            "registry.example/os/web",
            "registry.example/os",
            "registry.example",
            "*.example",
            "")) {
      write(
          """
          {"default": %s, "transports": {"docker": {"%s": %s, "other.example": %s}}}
          """
              .formatted(reject, scope, accept, reject));
      refused(NAME, "accepts registry.example/os/web:1 unsigned");
    }
    write(
        """
        {"default": %s, "transports": {"docker": {"registry.example": %s, "registry.example/os": %s,
         "registry.example/o": %s, "*.registry.example": %s}}}
        """
            .formatted(reject, accept, reject, accept, accept));
    refused(NAME, "the policy rejects it");
  }

  /**
   * As containers/image has it: a port belongs to the host itself, not to the domains around it.
   */
  @Test
  void aPortIsNotOfTheDomains() throws IOException {
    Reference name = Reference.parse("registry.example.org:5000/os/web:1");
    String reject = "[{\"type\": \"reject\"}]";
    String accept = "[{\"type\": \"insecureAcceptAnything\"}]";
    String form = "{\"default\": %s, \"transports\": {\"docker\": {\"%s\": %s}}}";
    for (String scope : List.of("registry.example.org:5000", "*.example.org", "*.org")) {
      write(form.formatted(reject, scope, accept));
      refused(name, "accepts registry.example.org:5000/os/web:1 unsigned");
    }
    manifests.put(name.toString(), image);
    for (String scope : List.of("registry.example.org", "*.example.org:5000")) {
      write(form.formatted(reject, scope, accept));
      refused(name, "the policy rejects it");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "matchExact; registry.example/os/web:1; true",
        "matchExact; registry.example/os/web:2; false",
        "matchRepoDigestOrExact; registry.example/os/web; false",
        "matchRepository; registry.example/os/web:2; true",
        "matchRepository; registry.example/os/other:1; false",
        "exactReference\", \"dockerReference\": \"a.example/b:1; a.example/b:1; true",
        "exactReference\", \"dockerReference\": \"a.example/b:1; registry.example/os/web:1; false",
        "exactRepository\", \"dockerRepository\": \"a.example/b; a.example/b:7; true",
        "remapIdentity\", \"prefix\": \"registry.example\", \"signedPrefix\": \"up.example/x;"
            + " up.example/x/os/web:1; true",
        "remapIdentity\", \"prefix\": \"registry.exam\", \"signedPrefix\": \"up.example/x;"
            + " registry.example/os/web:1; true",
      })
  void theNameMustFit(String identity, String signed, boolean fits) throws IOException {
    policy("\"keyPath\": \"/etc/ours.pub\", \"signedIdentity\": {\"type\": \"" + identity + "\"}");
    sign("ours", payload(signed, image.digest()));
    if (fits) {
      assertThat(get(NAME)).isEqualTo(image);
    } else {
      refused(NAME, "its signature is for the name");
    }
  }

  /** Who asks for a digest gets what the signature is for, whatever tag it was signed under. */
  @Test
  void aDigestNeedsItsRepositoryAlone() throws IOException {
    Reference digest = NAME.withDigest(image.digest());
    manifests.put(digest.toString(), image);
    sign("ours", payload("registry.example/os/web:other", image.digest()));
    assertThat(get(digest)).isEqualTo(image);
  }

  @Test
  void aTagBesideADigestDoesNotCount() throws IOException {
    Reference both = Reference.parse(NAME + "@" + image.digest());
    manifests.put(both.toString(), image);
    sign("ours", payload("registry.example/os/web:other", image.digest()));
    assertThat(get(both)).isEqualTo(image);
    write(
        """
        {"default": [{"type": "reject"}],
         "transports": {"docker": {"%s": [{"type": "insecureAcceptAnything"}]}}}
        """
            .formatted(NAME.withDigest(image.digest())));
    refused(both, "unsigned");
  }

  @Test
  void whatNobodyKnowsIsRefused() throws IOException {
    for (String policy :
        List.of(
            "{}",
            "[]",
            "{\"default\": []}",
            "{\"default\": [{\"type\": \"new\"}]}",
            "{\"default\": [{\"type\": \"reject\"}], \"more\": {}}",
            "{\"default\": [{\"type\": \"reject\"}], \"transports\": []}",
            "{\"default\": [{\"type\": \"reject\"}], \"transports\": {\"docker\": [{}]}}",
            "{\"default\": [{\"type\": \"reject\", \"x\": 1}]}",
            "{\"default\": [{\"type\": \"sigstoreSigned\"}]}",
            "{\"default\": [{\"type\": \"sigstoreSigned\", \"keyData\": \"%\"}]}",
            "{\"default\": [{\"type\": \"sigstoreSigned\", \"keyData\": \"QQ==\"}]}")) {
      write(policy);
      assertThatThrownBy(() -> SignaturePolicy.read(dir))
          .as(policy)
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.INPUT))
          .hasMessageContaining("policy.json");
    }
  }
}
