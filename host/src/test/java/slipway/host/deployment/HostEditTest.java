package slipway.host.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.host.system.HostMachine;
import slipway.host.update.Host;
import slipway.sysroot.Sysroot;

/** Documents that a machine is given back. */
class HostEditTest {
  private static final String HEADER =
      """
      apiVersion: org.containers.bootc/v1
      kind: BootcHost
      metadata:
        name: host
      """;

  private static final String NAME = HostMachine.NAME;
  private static final String OTHER = "other.example/os:1";

  private HostMachine machine;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    machine.publish(NAME, HostMachine.Image.of("1"));
    machine.install();
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    machine.reboot();
    machine.heard();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private HostEdit verb() {
    return new HostEdit(machine.environment());
  }

  private void apply(String text) throws IOException {
    verb().apply(text, "host.yaml");
  }

  private void refuse(String text, String message) {
    assertThatThrownBy(() -> apply(text))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(message)
        .message()
        .doesNotContain("\n");
  }

  /** The document with another image in its spec alone. */
  private String with(String image) throws IOException {
    return verb().document().replaceFirst("image: " + NAME, "image: " + image);
  }

  @Test
  void followsAnotherImage() throws IOException {
    apply(verb().document());
    assertThat(machine.heard()).containsExactly("Edit cancelled, no changes made.");
    machine.publish(OTHER, HostMachine.Image.of("3"));
    apply(with(OTHER));
    assertThat(machine.heard()).contains("Queued for next boot: " + OTHER);
    machine.judge();
    assertThat(HostMachine.version(Sysroot.open(machine.root()), machine.reboot())).isEqualTo("3");
    machine.judge();
  }

  /** A mistake must not make a machine follow an image that nobody verifies. */
  @Test
  void refusesEveryUnknownFormOfASignature() throws IOException {
    for (String signature :
        List.of(
            "{containerPolicy: true}",
            "{containerPolicy: null}",
            "{ostreeRemote: 1}",
            "{ostreeRemote: ''}",
            "{ostreeRemote: a, containerPolicy: true}",
            "{}",
            "[containerPolicy]",
            "true",
            "1",
            "''",
            "ContainerPolicy",
            "ostreeRemote:a")) {
      refuse(
          with(OTHER + "\n    signature: " + signature),
          "host.yaml: spec.image.signature can be containerPolicy");
    }
    for (String tagged : List.of("!containerPolicy", "!ostreeRemote insecure", "!x")) {
      refuse(with(OTHER + "\n    signature: " + tagged), "the YAML tag !");
    }
    refuse(with(OTHER + "\n    signature: {ostreeRemote: a}"), "spec.image.signature can be");
    String document = verb().document();
    for (String order : List.of("[rollback]", "{}", "null", "1")) {
      refuse(document.replace("bootOrder: default", "bootOrder: " + order), "spec.bootOrder is");
    }
    assertThat(machine.heard()).isEmpty();
    machine.judge();
  }

  /** As bootc's own status has it. */
  @Test
  void takesBootcsWordForAnImageWithoutSignature() throws IOException {
    apply(
        HEADER
            + "spec: {image: {image: \"%s\", transport: registry, signature: insecure}}\n"
                .formatted(HostMachine.NAME));
    assertThat(machine.heard()).containsExactly("Edit cancelled, no changes made.");
  }

  @Test
  void takesJsonAndADocumentThatTellsNothing() throws IOException {
    apply(machine.host().status(Host.Format.JSON, false, false));
    assertThat(machine.heard()).containsExactly("Edit cancelled, no changes made.");
    apply("{apiVersion: org.containers.bootc/v1, kind: BootcHost, spec: {bootOrder: rollback}}");
    assertThat(machine.heard()).contains("Next boot: rollback deployment");
    apply(HEADER + "spec:\n  bootOrder: \"default\"\n");
    assertThat(machine.heard()).contains("Next boot: current deployment");
    apply(HEADER + "  annotations:\n    slipway.held: what was once so\nspec: {}\n");
    machine.judge();
  }

  @Test
  void refusesEveryOtherChange() throws IOException {
    String document = verb().document();
    refuse(
        with(OTHER).replace("bootOrder: default", "bootOrder: rollback"),
        "Invalid state transition: rollback and image change");
    refuse(document.replace("pinned: false", "pinned: true"), "host.yaml: status.booted.pinned");
    refuse(document.replace("name: host", "name: mine"), "host.yaml: metadata.name differs");
    refuse(document.replace("kind: BootcHost", "kind: Pod"), "host.yaml: kind differs");
    refuse(document + "more: 1\n", "host.yaml: unknown key more");
    refuse(document.replace("bootOrder: default", "bootOrder: up"), "default or rollback");
    refuse(document.replace("bootOrder:", "bootorder:"), "unknown key spec.bootorder");
    refuse(document.replace("  bootOrder", "    x: 1\n  bootOrder"), "unknown key spec.image.x");
    refuse(with("x\n    signature: maybe"), "spec.image.signature can be containerPolicy");
    assertThatThrownBy(() -> apply(with("Not A Name")))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.INPUT))
        .hasMessageStartingWith("spec.image: ");
    refuse("apiVersion: org.containers.bootc/v1\nkind: BootcHost\n", "host.yaml has no spec");
    refuse("spec: {bootOrder: rollback}", "host.yaml has no ");
    refuse(
        "{apiVersion: org.containers.bootc/v1, kind: BootcHost, spec: {image: null}}",
        "spec.image is null");
    refuse("", "no document BootcHost");
    refuse("- a\n", "no document BootcHost");
    refuse("a: [1\n", "host.yaml:");
    refuse(document.replace("spec:", "spec: {}\nspec:"), "host.yaml:");
    assertThat(machine.heard()).isEmpty();
    machine.judge();
  }
}
