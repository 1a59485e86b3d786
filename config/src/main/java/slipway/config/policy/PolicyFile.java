package slipway.config.policy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.oci.model.Json;
import slipway.oci.model.Reference;
import tools.jackson.databind.JsonNode;

/**
 * Reads policy.json. It is held to what is known: a word that nobody knows could be the one that
 * was to keep an image out.
 */
final class PolicyFile {
  private static final List<String> KEY_KINDS = List.of("EC", "Ed25519", "RSA");
  private static final String BEGIN = "-----BEGIN PUBLIC KEY-----";
  private static final String END = "-----END PUBLIC KEY-----";

  private final Path root;
  private final Path file;

  private PolicyFile(Path root, Path file) {
    this.root = root;
    this.file = file;
  }

  /**
   * What the file says.
   *
   * @param transports requirements by transport and scope
   */
  record Content(
      List<Requirement> otherwise, Map<String, Map<String, List<Requirement>>> transports) {}

  /**
   * Reads a file.
   *
   * @param root of the machine, below which the files of keys are
   * @throws Problem of kind INPUT for anything that is not in containers-policy.json(5)
   */
  static Content read(Path root, Path file) throws IOException {
    PolicyFile reader = new PolicyFile(root, file);
    JsonNode document = Json.read(reader.bytes(file), "policy " + file);
    reader.require(document, Set.of("default", "transports"), "it");
    Map<String, Map<String, List<Requirement>>> transports = new LinkedHashMap<>();
    JsonNode all = document.path("transports");
    if (!all.isMissingNode()) {
      reader.requireObject(all, "\"transports\"");
    }
    for (Map.Entry<String, JsonNode> transport : all.properties()) {
      reader.requireObject(transport.getValue(), "the transport \"" + transport.getKey() + "\"");
      Map<String, List<Requirement>> scopes = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> scope : transport.getValue().properties()) {
        reader.requireScope(transport.getKey(), scope.getKey());
        scopes.put(scope.getKey(), reader.requirements(scope.getValue(), scope.getKey()));
      }
      transports.put(transport.getKey(), scopes);
    }
    return new Content(reader.requirements(document.path("default"), "default"), transports);
  }

  /** As the transports of containers/image want theirs; one that cannot be would never count. */
  private void requireScope(String transport, String scope) {
    String where = "the scope \"" + scope + "\" of the transport \"" + transport + "\"";
    switch (transport) {
      case "dir", "oci", "oci-archive", "sif" -> {
        if (!scope.isEmpty() && !isClean(scope)) {
          throw wrong(
              where
                  + " is no absolute path without \"//\", \".\", \"..\" and a slash at its end; \"\""
                  + " stands for all of the transport");
        }
      }
      case "docker-archive" -> {
        if (!scope.isEmpty()) {
          throw wrong(where + " cannot be: it has \"\" alone, which stands for all of it");
        }
      }
      default -> {}
    }
  }

  private static boolean isClean(String scope) {
    try {
      Path path = Path.of(scope);
      return path.getNameCount() > 0
          && path.isAbsolute()
          && path.normalize().toString().equals(scope);
    } catch (InvalidPathException e) {
      return false;
    }
  }

  private byte[] bytes(Path path) throws IOException {
    try (var in = Files.newInputStream(path)) {
      return Limit.SMALL_FILE_BYTES.read(in, path.toString());
    }
  }

  private Problem wrong(String what) {
    return Problem.input("the policy " + file + ": " + Printable.text(what));
  }

  private void requireObject(JsonNode node, String where) {
    if (!node.isObject()) {
      throw wrong(where + " is no object");
    }
  }

  private void require(JsonNode object, Set<String> known, String where) {
    requireObject(object, where);
    for (Map.Entry<String, JsonNode> field : object.properties()) {
      if (!known.contains(field.getKey())) {
        throw wrong(where + " has the unknown word \"" + field.getKey() + "\"");
      }
    }
  }

  private List<Requirement> requirements(JsonNode list, String scope) throws IOException {
    if (!list.isArray() || list.isEmpty()) {
      throw wrong("\"" + scope + "\" has no list of requirements");
    }
    List<Requirement> requirements = new ArrayList<>();
    for (JsonNode requirement : list) {
      requirements.add(requirement(requirement, scope));
    }
    return List.copyOf(requirements);
  }

  private Requirement requirement(JsonNode json, String scope) throws IOException {
    String type = json.path("type").isString() ? json.path("type").stringValue() : "";
    String where = "\"" + scope + "\"";
    return switch (type) {
      case "insecureAcceptAnything" -> {
        require(json, Set.of("type"), where);
        yield new Requirement.AcceptAnything();
      }
      case "reject" -> {
        require(json, Set.of("type"), where);
        yield new Requirement.Reject();
      }
      case "signedBy" -> new Requirement.Unknown("signatures of GPG (signedBy)");
      case "sigstoreSigned" -> sigstore(json, where);
      default -> throw wrong(where + " has the unknown requirement \"" + type + "\"");
    };
  }

  private Requirement sigstore(JsonNode json, String where) throws IOException {
    for (String other : List.of("fulcio", "pki")) {
      if (json.has(other)) {
        return new Requirement.Unknown("certificates (" + other + " of sigstoreSigned)");
      }
    }
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      if (field.getKey().startsWith("rekorPublicKey")) {
        return new Requirement.Unknown("entries of a log (" + field.getKey() + ")");
      }
    }
    require(
        json,
        Set.of("type", "keyPath", "keyPaths", "keyData", "keyDatas", "signedIdentity"),
        where);
    List<PublicKey> keys = new ArrayList<>();
    Set<String> sources = new HashSet<>();
    for (String field : List.of("keyPath", "keyPaths", "keyData", "keyDatas")) {
      JsonNode value = json.path(field);
      if (value.isMissingNode()) {
        continue;
      }
      sources.add(field);
      for (String text : texts(value, where + "." + field)) {
        if (field.startsWith("keyPath") && !Files.isRegularFile(below(text))) {
          // It may be the key of a scope that nothing is fetched from.
          return new Requirement.Unknown("a signature by a key that is not there (" + text + ")");
        }
        keys.add(
            field.startsWith("keyPath") ? key(bytes(below(text)), text) : keyData(text, where));
      }
    }
    if (sources.size() != 1 || keys.isEmpty()) {
      throw wrong(where + " needs exactly one of keyPath, keyPaths, keyData and keyDatas");
    }
    return new Requirement.Signed(
        List.copyOf(keys), identity(json.path("signedIdentity"), where + ".signedIdentity"));
  }

  private List<String> texts(JsonNode value, String where) {
    List<String> texts = new ArrayList<>();
    for (JsonNode item : value.isArray() ? value : List.of(value)) {
      if (!item.isString() || item.stringValue().isEmpty()) {
        throw wrong(where + " is no text");
      }
      texts.add(item.stringValue());
    }
    return texts;
  }

  private Requirement.Identity identity(JsonNode json, String where) {
    if (json.isMissingNode()) {
      return new Requirement.Identity.RepositoryOrExact();
    }
    String type = texts(json.path("type"), where + ".type").getFirst();
    return switch (type) {
      case "matchExact" -> {
        require(json, Set.of("type"), where);
        yield new Requirement.Identity.Exact();
      }
      case "matchRepoDigestOrExact" -> {
        require(json, Set.of("type"), where);
        yield new Requirement.Identity.RepositoryOrExact();
      }
      case "matchRepository" -> {
        require(json, Set.of("type"), where);
        yield new Requirement.Identity.Repository();
      }
      case "exactReference" -> {
        require(json, Set.of("type", "dockerReference"), where);
        yield new Requirement.Identity.ExactReference(
            Reference.parse(text(json, "dockerReference", where)));
      }
      case "exactRepository" -> {
        require(json, Set.of("type", "dockerRepository"), where);
        yield new Requirement.Identity.ExactRepository(
            Reference.parse(text(json, "dockerRepository", where)).name());
      }
      case "remapIdentity" -> {
        require(json, Set.of("type", "prefix", "signedPrefix"), where);
        yield new Requirement.Identity.Remapped(
            text(json, "prefix", where), text(json, "signedPrefix", where));
      }
      default -> throw wrong(where + " has the unknown type \"" + type + "\"");
    };
  }

  private String text(JsonNode json, String field, String where) {
    return texts(json.path(field), where + "." + field).getFirst();
  }

  // ---- keys ----

  private Path below(String path) {
    return root.resolve(path.replaceFirst("^/+", ""));
  }

  private PublicKey keyData(String text, String where) {
    try {
      return key(Base64.getDecoder().decode(text), where);
    } catch (IllegalArgumentException e) {
      throw wrong(where + " has a key that is no base64");
    }
  }

  /** A key as PEM (RFC 7468) has it. */
  private PublicKey key(byte[] pem, String where) {
    String text = new String(pem, java.nio.charset.StandardCharsets.ISO_8859_1);
    int begin = text.indexOf(BEGIN);
    int end = text.indexOf(END, Math.max(0, begin));
    if (begin < 0 || end < 0) {
      throw wrong(where + " is no public key in PEM");
    }
    byte[] der;
    try {
      der = Base64.getMimeDecoder().decode(text.substring(begin + BEGIN.length(), end));
    } catch (IllegalArgumentException e) {
      throw wrong(where + " is no public key in PEM");
    }
    for (String kind : KEY_KINDS) {
      try {
        return KeyFactory.getInstance(kind).generatePublic(new X509EncodedKeySpec(der));
      } catch (GeneralSecurityException e) {
        // It is one of another kind.
      }
    }
    throw wrong(where + " is no public key of kind EC, Ed25519 or RSA");
  }
}
