package slipway.host.status;

import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.document.SyntaxFault;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * What a document BootcHost wants of a machine: the part that people may change. All else of the
 * document tells what is, and a changed one is a mistake.
 *
 * @param image what is followed, or null
 * @param rollback whether the rollback entry boots next
 */
public record HostSpec(HostStatus.@Nullable ImageName image, boolean rollback) {
  private static final YAMLMapper YAML =
      YAMLMapper.builder().enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY).build();

  /** What bootc says of an image whose signature nobody demands; the same as nothing. */
  private static final String INSECURE = "insecure";

  /** What demands a signature as the machine's policy has it. */
  public static final String POLICY = "containerPolicy";

  private static final String REMOTE = "ostreeRemote";

  private static final String OUR_ANNOTATIONS = "metadata.annotations.slipway.";

  /** What a machine is told to be now. */
  public static HostSpec of(HostStatus host) {
    return new HostSpec(host.image(), host.rollbackQueued());
  }

  /**
   * Reads a document in YAML or JSON, whole or without what only tells.
   *
   * @param name of the file, for messages
   * @param host what is
   * @throws Problem of kind INPUT when it is none, or differs elsewhere from what is
   */
  public static HostSpec parse(String text, String name, HostStatus host) {
    JsonNode given = read(text, name);
    refuseTags(text, name);
    if (!given.isObject()) {
      throw Problem.input(name + " is no document BootcHost, as bootc status prints it");
    }
    JsonNode present = read(StatusDocument.json(host), "the status");
    require(given, name, Set.of("apiVersion", "kind", "metadata", "spec", "status"), "");
    for (String key : given.propertyNames()) {
      if (!key.equals("spec")) {
        difference(present.path(key), given.path(key), key)
            .ifPresent(
                place -> {
                  throw Problem.input(
                      name
                          + ": "
                          + Printable.text(place)
                          + " differs from this machine's: only spec.image and spec.bootOrder can"
                          + " be changed; take a fresh document from bootc status");
                });
      }
    }
    for (String key : Set.of("apiVersion", "kind")) {
      if (!given.has(key)) {
        throw Problem.input(name + " has no " + key + ": it is no document BootcHost");
      }
    }
    return spec(given.path("spec"), name, HostSpec.of(host));
  }

  private static JsonNode read(String text, String name) {
    try {
      return YAML.readTree(text);
    } catch (JacksonException e) {
      String said = SyntaxFault.said(e);
      int line = e.getLocation() == null ? 1 : Math.max(1, e.getLocation().getLineNr());
      throw new Problem(
          Problem.Kind.INPUT, name + ":" + line + ": this is no YAML: " + Printable.text(said), e);
    }
  }

  /** A tree has no tags, and a value without its tag may say something else. */
  private static void refuseTags(String text, String name) {
    try (JsonParser parser = YAML.createParser(text)) {
      while (parser.nextToken() != null) {
        if (parser.getTypeId() != null) {
          throw Problem.input(
              name
                  + ":"
                  + parser.currentTokenLocation().getLineNr()
                  + ": the YAML tag !"
                  + Printable.text(String.valueOf(parser.getTypeId()))
                  + " is not read here; write the value without one, such as {ostreeRemote: NAME}");
        }
      }
    }
  }

  private static void require(JsonNode object, String name, Set<String> known, String at) {
    for (String key : object.propertyNames()) {
      if (!known.contains(key)) {
        throw Problem.input(name + ": unknown key " + at + Printable.text(key));
      }
    }
  }

  /**
   * The first place where what is given differs from what is. What is not given does not differ,
   * nor do our annotations, which tell what may change at any moment.
   */
  private static Optional<String> difference(JsonNode present, JsonNode given, String at) {
    if (present.equals(given)) {
      return Optional.empty();
    }
    if (!given.isObject() || !(present.isObject() || present.isMissingNode())) {
      return at.startsWith(OUR_ANNOTATIONS) ? Optional.empty() : Optional.of(at);
    }
    for (String key : given.propertyNames()) {
      Optional<String> found = difference(present.path(key), given.path(key), at + "." + key);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static HostSpec spec(JsonNode spec, String name, HostSpec present) {
    if (!spec.isObject()) {
      throw Problem.input(name + " has no spec, which says what the machine shall be");
    }
    require(spec, name, Set.of("image", "bootOrder"), "spec.");
    JsonNode order = spec.path("bootOrder");
    boolean rollback =
        switch (order.isString() ? order.asString() : "") {
          case "default" -> false;
          case "rollback" -> true;
          default -> {
            if (!order.isMissingNode()) {
              throw Problem.input(name + ": spec.bootOrder is default or rollback");
            }
            yield present.rollback();
          }
        };
    JsonNode image = spec.path("image");
    return new HostSpec(
        image.isMissingNode() ? present.image() : image.isNull() ? null : image(image, name),
        rollback);
  }

  private static HostStatus.ImageName image(JsonNode image, String name) {
    require(image, name, Set.of("image", "transport", "signature"), "spec.image.");
    if (!image.path("image").isString() || !image.path("transport").isString()) {
      throw Problem.input(name + ": spec.image has texts image and transport");
    }
    return new HostStatus.ImageName(
        image.path("image").asString(),
        image.path("transport").asString(),
        signature(image.path("signature"), name));
  }

  /** Whatever is none of the known forms is refused: it was to demand something. */
  private static @Nullable String signature(JsonNode signature, String name) {
    if (signature.isMissingNode() || signature.isNull()) {
      return null;
    }
    String text = signature.isString() ? signature.asString() : "";
    if (text.equals(INSECURE)) {
      return null;
    }
    JsonNode remote = signature.path(REMOTE);
    if (signature.size() == 1 && remote.isString() && !remote.asString().isEmpty()) {
      return REMOTE + ":" + remote.asString();
    }
    if (!text.equals(POLICY)) {
      throw Problem.input(
          name
              + ": spec.image.signature can be "
              + POLICY
              + ", insecure or {ostreeRemote: NAME}, or is left out; nothing else is known");
    }
    return text;
  }
}
