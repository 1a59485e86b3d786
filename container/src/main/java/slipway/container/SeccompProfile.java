package slipway.container;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import slipway.base.Problem;
import slipway.oci.model.Json;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The system calls that a container may make: podman's profile (containers-common, seccomp.json).
 * The machine's is taken where it has one, in podman's order; else the copy in this jar, which is
 * that of containers-common 0.50 (Apache-2.0). Its rules depend on the processor and on the
 * capabilities of the container; the runtime takes them without conditions.
 */
final class SeccompProfile {
  private static final List<Path> PLACES =
      List.of(
          Path.of("/etc/containers/seccomp.json"), Path.of("/usr/share/containers/seccomp.json"));

  /** Java's names of processors: Go's, which the rules have, and libseccomp's. */
  private static final Map<String, List<String>> PROCESSORS =
      Map.of(
          "amd64", List.of("amd64", "SCMP_ARCH_X86_64"),
          "aarch64", List.of("arm64", "SCMP_ARCH_AARCH64"),
          "arm", List.of("arm", "SCMP_ARCH_ARM"),
          "ppc64le", List.of("ppc64le", "SCMP_ARCH_PPC64LE"),
          "riscv64", List.of("riscv64", "SCMP_ARCH_RISCV64"),
          "s390x", List.of("s390x", "SCMP_ARCH_S390X"));

  /**
   * Never allowed, whatever the profile says: a session keyring of its own does not hide the
   * keyring of the user, and root of a container is this machine's root. Docker refuses them too.
   */
  private static final List<String> KEYRINGS = List.of("add_key", "keyctl", "request_key");

  /** Those that a profile may answer with by name (asm-generic/errno.h). */
  private static final Map<String, Integer> ERRORS =
      Map.of(
          "EPERM",
          1,
          "ENOENT",
          2,
          "EIO",
          5,
          "EACCES",
          13,
          "EINVAL",
          22,
          "ENOTTY",
          25,
          "ENOSYS",
          38,
          "EOPNOTSUPP",
          95,
          "ENOTSUP",
          95);

  private final String source;
  private final JsonNode profile;

  private SeccompProfile(String source, JsonNode profile) {
    this.source = source;
    this.profile = profile;
  }

  /** This machine's, or the one in this jar. */
  static SeccompProfile find() throws IOException {
    for (Path place : PLACES) {
      if (Files.isRegularFile(place)) {
        return of(place.toString(), Files.readAllBytes(place));
      }
    }
    return shipped();
  }

  /** The one in this jar. */
  public static SeccompProfile shipped() throws IOException {
    try (InputStream in = SeccompProfile.class.getResourceAsStream("seccomp.json")) {
      return of("seccomp.json", java.util.Objects.requireNonNull(in).readAllBytes());
    }
  }

  /**
   * @param source for messages
   */
  public static SeccompProfile of(String source, byte[] json) {
    try {
      return new SeccompProfile(source, Json.read(json));
    } catch (JacksonException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "the seccomp profile " + source + " is not JSON; repair it, or remove it",
          e);
    }
  }

  /**
   * The {@code linux.seccomp} of a container (OCI runtime-spec, config-linux.md, "Seccomp").
   *
   * @param processor as Java names it
   * @param capabilities those that the container can ever have
   */
  public ObjectNode forContainer(String processor, Set<String> capabilities) {
    List<String> names = PROCESSORS.get(processor);
    if (names == null) {
      throw Problem.environment(
          "the seccomp profile has no rules for this processor, " + processor);
    }
    ObjectNode result = JsonNodeFactory.instance.objectNode();
    result.put("defaultAction", profile.path("defaultAction").asString("SCMP_ACT_ERRNO"));
    error(profile, "defaultErrno", "defaultErrnoRet")
        .ifPresent(e -> result.put("defaultErrnoRet", e));
    architectures(result.putArray("architectures"), names.get(1));
    if (profile.path("flags").isArray()) {
      result.set("flags", profile.path("flags"));
    }
    ArrayNode calls = result.putArray("syscalls");
    ObjectNode keyrings = calls.addObject();
    KEYRINGS.forEach(keyrings.putArray("names")::add);
    keyrings.put("action", "SCMP_ACT_ERRNO").put("errnoRet", ERRORS.get("EPERM"));
    for (JsonNode rule : profile.path("syscalls")) {
      if (applies(rule, names.get(0), capabilities)) {
        add(calls, rule);
      }
    }
    return result;
  }

  /** This processor's system calls, and those of the older ones whose programs it runs. */
  private void architectures(ArrayNode list, String own) {
    list.add(own);
    for (JsonNode entry : profile.path("archMap")) {
      if (entry.path("architecture").asString("").equals(own)) {
        entry.path("subArchitectures").forEach(list::add);
      }
    }
  }

  private static boolean applies(JsonNode rule, String processor, Set<String> capabilities) {
    JsonNode excludes = rule.path("excludes");
    JsonNode includes = rule.path("includes");
    return !has(excludes.path("arches"), processor)
        && strings(excludes.path("caps")).noneMatch(capabilities::contains)
        && (includes.path("arches").isEmpty() || has(includes.path("arches"), processor))
        && strings(includes.path("caps")).allMatch(capabilities::contains);
  }

  private static java.util.stream.Stream<String> strings(JsonNode array) {
    return array.valueStream().map(n -> n.asString(""));
  }

  private static boolean has(JsonNode array, String value) {
    return strings(array).anyMatch(value::equals);
  }

  private void add(ArrayNode calls, JsonNode rule) {
    ObjectNode call = JsonNodeFactory.instance.objectNode();
    ArrayNode names = call.putArray("names");
    strings(rule.path("names")).filter(n -> !KEYRINGS.contains(n)).forEach(names::add);
    String single = rule.path("name").asString("");
    if (!single.isEmpty() && !KEYRINGS.contains(single)) {
      names.add(single);
    }
    if (names.isEmpty()) {
      return;
    }
    call.set("action", rule.path("action"));
    error(rule, "errno", "errnoRet").ifPresent(e -> call.put("errnoRet", e));
    if (!rule.path("args").isEmpty()) {
      call.set("args", rule.path("args"));
    }
    calls.add(call);
  }

  /** An error by its name, which goes before the number beside it. */
  private Optional<Integer> error(JsonNode node, String name, String number) {
    String text = node.path(name).asString("");
    if (text.isEmpty()) {
      return node.path(number).isInt()
          ? Optional.of(node.path(number).intValue())
          : Optional.empty();
    }
    Integer known = ERRORS.get(text);
    if (known != null) {
      return Optional.of(known);
    }
    if (text.matches("[0-9]{1,4}")) {
      return Optional.of(Integer.valueOf(text));
    }
    throw Problem.environment(
        "the seccomp profile " + source + " answers with " + text + "; write its number instead");
  }
}
