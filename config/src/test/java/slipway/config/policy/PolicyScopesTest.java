package slipway.config.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.oci.model.Reference;
import slipway.oci.transport.TransportRef;

/** Which policy a machine has, and what of it counts for a place. */
class PolicyScopesTest extends PolicyCase {
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
}
