package slipway.config.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Span;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;

/** Which images count as signed. */
class SignaturePolicyTest extends PolicyCase {
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
    // Likewise one that somebody else signed, or left something beside that is no signature.
    key("theirs", "EC", "-pkeyopt", "ec_paramgen_curve:P-256");
    signatures.clear();
    sign("theirs", payload(NAME.toString(), index.digest()));
    attach(index.digest());
    signatures.clear();
    sign("ours", payload(NAME.toString(), image.digest()));
    String attached = "registry.example/os/web:" + index.digest().toString().replace(':', '-');
    for (Manifest beside :
        List.of(java.util.Objects.requireNonNull(manifests.get(attached + ".sig")), index)) {
      manifests.put(attached + ".sig", beside);
      try (ImageSource source =
          SignaturePolicy.read(dir).signed(registry(NAME), NAME, this::registry)) {
        assertThat(source.manifest(null)).isEqualTo(index);
        assertThat(source.manifest(image.digest().toString())).isEqualTo(image);
        assertThatThrownBy(() -> source.manifest(other.digest().toString()))
            .hasMessageContaining("it has no signature (");
      }
    }
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
