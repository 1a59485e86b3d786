package slipway.config.auth;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.FileReason;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.oci.model.ManifestJson;
import slipway.oci.model.Reference;
import slipway.oci.registry.CredentialSource;
import slipway.oci.registry.Credentials;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One {@code auth.json} (containers-auth.json(5)), or docker's {@code config.json}, which has the
 * same form: {@code auths} by host or {@code host/namespace}, {@code credHelpers} by host, and
 * {@code credsStore}. Read anew at each lookup, so that a login elsewhere counts at once.
 */
public final class AuthFile implements CredentialSource {
  private static final Duration HELPER_LIMIT = Duration.ofSeconds(60);
  private static final Pattern HELPER_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");
  private static final String TOKEN_USER = "<token>";

  private final Path path;

  private AuthFile(Path path) {
    this.path = path;
  }

  /** The file at this place; it need not exist. */
  public static AuthFile at(Path path) {
    return new AuthFile(path.toAbsolutePath());
  }

  public Path path() {
    return path;
  }

  /**
   * Looks in the files in which podman looks: the given one only, or that of {@code
   * REGISTRY_AUTH_FILE} only, or {@code $XDG_RUNTIME_DIR/containers/auth.json}, {@code
   * $XDG_CONFIG_HOME/containers/auth.json}, {@code ~/.docker/config.json}.
   *
   * <p>One that is named is read at once, whether a registry asks for credentials or not; the
   * others when one asks.
   *
   * @param explicit of {@code --authfile}, or null
   * @throws Problem of kind INPUT when one that is named does not exist, is empty or is not such a
   *     file, DENIED when it cannot be read
   */
  public static CredentialSource search(@Nullable Path explicit, Map<String, String> environment) {
    if (explicit != null) {
      return named(explicit, "--authfile");
    }
    String named = environment.getOrDefault("REGISTRY_AUTH_FILE", "");
    if (!named.isEmpty()) {
      return named(Path.of(named), "REGISTRY_AUTH_FILE");
    }
    List<AuthFile> files = new ArrayList<>();
    files.add(forWriting(null, environment));
    String home = environment.getOrDefault("HOME", "");
    String config = environment.getOrDefault("XDG_CONFIG_HOME", "");
    if (!config.isEmpty()) {
      files.add(at(Path.of(config, "containers", "auth.json")));
    } else if (!home.isEmpty()) {
      files.add(at(Path.of(home, ".config", "containers", "auth.json")));
    }
    if (!home.isEmpty()) {
      files.add(at(Path.of(home, ".docker", "config.json")));
    }
    return repository ->
        files.stream().map(f -> f.find(repository)).flatMap(Optional::stream).findFirst();
  }

  private static AuthFile named(Path path, String by) {
    if (!Files.exists(path)) {
      throw Problem.input("the file of " + by + ", " + path + ", does not exist");
    }
    AuthFile file = at(path);
    file.read();
    // Not a device such as /dev/null, which says that there are none.
    if (Files.isRegularFile(path) && path.toFile().length() == 0) {
      throw Problem.input(
          "the file of " + by + ", " + path + ", is empty; log in with it, or write {} into it");
    }
    return file;
  }

  /**
   * The file that a login writes: the given one, or that of {@code REGISTRY_AUTH_FILE}, or {@code
   * $XDG_RUNTIME_DIR/containers/auth.json}, or {@code /run/containers/UID/auth.json}.
   */
  public static AuthFile forWriting(@Nullable Path explicit, Map<String, String> environment) {
    if (explicit != null) {
      return at(explicit);
    }
    String named = environment.getOrDefault("REGISTRY_AUTH_FILE", "");
    if (!named.isEmpty()) {
      return at(Path.of(named));
    }
    String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
    return runtime.isEmpty()
        ? at(Path.of("/run/containers", Integer.toString(Posix.geteuid()), "auth.json"))
        : at(Path.of(runtime, "containers", "auth.json"));
  }

  /**
   * The file of a bootable machine, the first that exists of {@code /run/ostree/auth.json}, {@code
   * /etc/ostree/auth.json} and {@code /usr/lib/ostree/auth.json} (ostree-ext); podman's own files
   * are not looked at.
   *
   * @param root of the system, usually {@code /}
   */
  public static CredentialSource host(Path root) {
    return hostFile(root).<CredentialSource>map(AuthFile::at).orElse(ANONYMOUS);
  }

  /** The file that {@link #host} reads, if there is one. */
  public static Optional<Path> hostFile(Path root) {
    return Stream.of("run/ostree", "etc/ostree", "usr/lib/ostree")
        .map(directory -> root.resolve(directory).resolve("auth.json"))
        .filter(Files::exists)
        .findFirst();
  }

  @Override
  public Optional<Credentials> find(Reference repository) {
    JsonNode root = read();
    for (String key : keys(repository)) {
      Optional<Credentials> found = entry(root, key);
      if (found.isPresent()) {
        return found;
      }
    }
    String host = repository.registry();
    Optional<Credentials> legacy = legacyEntry(root, host);
    String store = text(root.path("credsStore"));
    return legacy.isPresent() || store.isEmpty() ? legacy : helper(store, serverOf(host));
  }

  /** Most specific first: {@code host/a/b}, {@code host/a}, {@code host}. */
  private static List<String> keys(Reference repository) {
    List<String> keys = new ArrayList<>();
    String key = repository.name();
    while (true) {
      keys.add(key);
      int slash = key.lastIndexOf('/');
      if (slash < 0) {
        return keys;
      }
      key = key.substring(0, slash);
    }
  }

  private Optional<Credentials> entry(JsonNode root, String key) {
    String helper = text(root.path("credHelpers").path(key));
    if (!helper.isEmpty()) {
      return helper(helper, key);
    }
    JsonNode own = root.path("auths").path(key);
    Optional<Credentials> plain = decode(own, key);
    String store = text(root.path("credsStore"));
    // An entry without a secret says that the store has it.
    return plain.isPresent() || own.isMissingNode() || store.isEmpty()
        ? plain
        : helper(store, serverOf(key));
  }

  /** docker wrote keys as URLs, such as {@code https://index.docker.io/v1/}. */
  private Optional<Credentials> legacyEntry(JsonNode root, String host) {
    String wanted = canonical(host);
    for (Map.Entry<String, JsonNode> e : root.path("auths").properties()) {
      if (e.getKey().contains("://") || wanted.equals("docker.io")) {
        String key = e.getKey().replaceFirst("^https?://", "").replaceFirst("/.*", "");
        if (canonical(key).equals(wanted)) {
          Optional<Credentials> found = decode(e.getValue(), e.getKey());
          if (found.isPresent()) {
            return found;
          }
        }
      }
    }
    return Optional.empty();
  }

  private static String canonical(String host) {
    String name = host.toLowerCase(Locale.ROOT);
    return name.equals("index.docker.io") || name.equals("registry-1.docker.io")
        ? "docker.io"
        : name;
  }

  private static String serverOf(String host) {
    return host.equals("docker.io") ? "https://index.docker.io/v1/" : host;
  }

  private Optional<Credentials> decode(JsonNode entry, String key) {
    String token = text(entry.path("identitytoken"));
    if (!token.isEmpty()) {
      return Optional.of(new Credentials.IdentityToken(token));
    }
    String auth = text(entry.path("auth"));
    if (auth.isEmpty()) {
      return Optional.empty();
    }
    String pair;
    try {
      pair = new String(Base64.getDecoder().decode(auth.strip()), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw broken(key);
    }
    int colon = pair.indexOf(':');
    if (colon < 0) {
      throw broken(key);
    }
    // docker pads the password with NUL.
    String password = pair.substring(colon + 1).replaceFirst("\\x00+$", "");
    return Optional.of(new Credentials.Basic(pair.substring(0, colon), password));
  }

  private Problem broken(String key) {
    return Problem.input(
        path + ": auths[\"" + key + "\"].auth is not base64 of USER:PASSWORD; log in again");
  }

  private static String text(JsonNode node) {
    return node.isString() ? node.stringValue() : "";
  }

  /** Runs a credential helper (docker-credential-helpers): the key on stdin, JSON on stdout. */
  private Optional<Credentials> helper(String helper, String key) {
    Command.Result result = command(helper, "get").stdin(key).tryRun();
    if (result.status() != 0) {
      String said = (result.text() + result.stderr()).toLowerCase(Locale.ROOT);
      if (said.contains("credentials not found")) {
        return Optional.empty();
      }
      throw helperFailed(helper, result);
    }
    JsonNode answer =
        ManifestJson.readSecret(result.stdout(), "the answer of docker-credential-" + helper);
    String user = text(answer.path("Username"));
    String secret = text(answer.path("Secret"));
    if (secret.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        user.equals(TOKEN_USER)
            ? new Credentials.IdentityToken(secret)
            : new Credentials.Basic(user, secret));
  }

  private Command command(String helper, String verb) {
    if (!HELPER_NAME.matcher(helper).matches()) {
      throw Problem.input(path + ": \"" + helper + "\" is not the name of a credential helper");
    }
    return Command.of("docker-credential-" + helper, verb).timeout(HELPER_LIMIT);
  }

  /** Its stdout may hold a secret, so only stderr is shown. */
  private static Problem helperFailed(String helper, Command.Result result) {
    return Problem.environment(
        "docker-credential-%s failed with status %d: %s"
            .formatted(helper, result.status(), result.stderr().strip()));
  }

  /**
   * Checks credentials against the registry and keeps them: in the file, readable by its owner
   * only, or with the helper that the file names for this key or for all ({@code credsStore}).
   *
   * @param key {@code HOST} or {@code HOST/NAMESPACE}
   * @throws Problem of kind DENIED when the registry does not take them; nothing is written then
   */
  public void login(String key, Credentials.Basic credentials, RegistryOptions options)
      throws IOException {
    requireKey(key);
    Reference repository = Reference.parse(key + "/slipway-login");
    RegistryOptions ours = options.withCredentials(CredentialSource.of(credentials));
    try (RegistryClient client = new RegistryClient(repository, ours)) {
      client.ping();
    }
    JsonNode before = read();
    String helper = helperOf(before, key);
    if (!helper.isEmpty()) {
      ObjectNode entry = JsonNodeFactory.instance.objectNode();
      entry.put("ServerURL", serverOf(key)).put("Username", credentials.user());
      entry.put("Secret", credentials.password());
      run(helper, "store", entry.toString());
      // As docker does: who is logged in stands here, the secret does not, an older one neither.
      change(root -> object(root, "auths").putObject(key));
      return;
    }
    String pair = credentials.user() + ":" + credentials.password();
    String auth = Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    change(root -> object(root, "auths").putObject(key).put("auth", auth));
  }

  /** The helper that keeps the credentials of a key, or nothing. */
  private static String helperOf(JsonNode root, String key) {
    String own = text(root.path("credHelpers").path(key));
    return own.isEmpty() ? text(root.path("credsStore")) : own;
  }

  private void run(String helper, String verb, String input) {
    Command.Result result = command(helper, verb).stdin(input).tryRun();
    if (result.status() != 0) {
      throw helperFailed(helper, result);
    }
  }

  /**
   * Forgets the credentials of a key and says whether there were any.
   *
   * @param key {@code HOST} or {@code HOST/NAMESPACE}
   */
  public boolean logout(String key) throws IOException {
    requireKey(key);
    JsonNode root = read();
    boolean known = root.path("auths").has(key);
    String helper = helperOf(root, key);
    if (!helper.isEmpty() && (known || root.path("credHelpers").has(key))) {
      run(helper, "erase", serverOf(key));
      known = true;
    }
    if (root.path("auths").has(key)) {
      change(r -> object(r, "auths").remove(key));
    }
    return known;
  }

  /** Forgets all credentials in the file, and those that its {@code credsStore} keeps for it. */
  public void logoutAll() throws IOException {
    if (Files.exists(path)) {
      JsonNode root = read();
      String store = text(root.path("credsStore"));
      for (Map.Entry<String, JsonNode> e : root.path("auths").properties()) {
        if (!store.isEmpty() && decode(e.getValue(), e.getKey()).isEmpty()) {
          run(store, "erase", serverOf(e.getKey()));
        }
      }
      change(r -> r.putObject("auths"));
    }
  }

  private static void requireKey(String key) {
    if (key.contains("://") || key.contains("@")) {
      throw Problem.usage("\"" + key + "\" is not a registry; write HOST[:PORT][/NAMESPACE]");
    }
    if (!Reference.hasHost(key + "/x")) {
      throw Problem.usage(
          "\"" + key + "\" is not a registry; its host needs a dot, a port, or to be localhost");
    }
    Reference.parse(key + "/x");
  }

  private static ObjectNode object(ObjectNode root, String field) {
    return root.get(field) instanceof ObjectNode there ? there : root.putObject(field);
  }

  /** Changes the file under the lock of its directory; the rename is the commit point. */
  private void change(Consumer<ObjectNode> edit) throws IOException {
    Path directory = java.util.Objects.requireNonNull(path.getParent());
    Files.createDirectories(directory);
    try (Flock lock = Flock.directory(directory)) {
      AtomicFile.sweepOf(path);
      try (AtomicFile file = AtomicFile.create(path, "rw-------")) {
        ObjectNode root = read();
        edit.accept(root);
        file.out()
            .write(JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(root));
        file.out().write('\n');
        file.commit();
      }
    }
  }

  private ObjectNode read() {
    try {
      if (!Files.exists(path)) {
        return JsonNodeFactory.instance.objectNode();
      }
      byte[] bytes;
      try (InputStream in = Files.newInputStream(path)) {
        bytes = Limit.SMALL_FILE_BYTES.read(in, path.toString());
      }
      return bytes.length == 0
          ? JsonNodeFactory.instance.objectNode()
          : ManifestJson.readSecret(bytes, path.toString());
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.DENIED,
          "cannot read the credentials in " + path + ": " + FileReason.of(e),
          e);
    }
  }

  /**
   * The usual options of a client, with the credentials that podman would find in this environment.
   *
   * @param environment of the process
   * @param authFile of {@code --authfile}, or null
   */
  public static RegistryOptions options(Map<String, String> environment, @Nullable Path authFile) {
    return RegistryOptions.anonymous(environment).withCredentials(search(authFile, environment));
  }
}
