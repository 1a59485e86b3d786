package slipway.oci.registry;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.oci.model.ManifestJson;
import slipway.oci.model.Reference;
import tools.jackson.databind.JsonNode;

/**
 * Answers a registry's challenges: Basic, or Bearer with tokens from the service that the registry
 * names, by GET, or by OAuth2's POST with an identity token (distribution's docs, "Token
 * Authentication"). Tokens are kept for each set of scopes until shortly before they expire.
 */
final class RegistryAuth {
  private static final long DEFAULT_LIFETIME = 60;
  private static final String CLIENT_ID = "slipway";

  private final RegistryHttp http;
  private final RegistryOptions options;
  private final Map<String, Token> tokens = new HashMap<>();
  private @Nullable Challenge known;

  /** A value of the Authorization header with the time until which it is good. */
  private record Token(String header, Instant until) {}

  RegistryAuth(RegistryHttp http, RegistryOptions options) {
    this.http = http;
    this.options = options;
  }

  /**
   * The Authorization header for a request, if it is known that one is needed.
   *
   * @param repository for which credentials are looked up
   * @param scopes such as {@code repository:a/b:pull}
   */
  synchronized @Nullable String header(Reference repository, Set<String> scopes)
      throws IOException {
    Challenge challenge = known;
    return challenge == null ? null : answer(challenge, repository, scopes);
  }

  /**
   * Takes a 401 into account and gives the header for another try.
   *
   * @param refused the header that was sent, or null
   * @throws Problem of kind DENIED when there is nothing better to send
   */
  synchronized String challenged(
      List<String> headers,
      Reference repository,
      Set<String> scopes,
      @Nullable String refused,
      String action)
      throws IOException {
    tokens.values().removeIf(t -> t.header().equals(refused));
    Challenge challenge = choose(headers, repository);
    known = challenge;
    Set<String> wanted = new LinkedHashSet<>(scopes);
    for (String scope : challenge.parameter("scope").split(" ")) {
      if (!scope.isEmpty()) {
        wanted.add(scope);
      }
    }
    String answer = answer(challenge, repository, wanted);
    if (answer == null || (answer.equals(refused) && challenge.scheme().equals("basic"))) {
      throw denied(action, repository);
    }
    if (!wanted.equals(scopes)) {
      Token token = tokens.get(key(repository, wanted));
      if (token != null) {
        tokens.put(key(repository, scopes), token);
      }
    }
    return answer;
  }

  /** The problem of credentials that are missing or refused. */
  Problem denied(String action, Reference repository) {
    String host = repository.registry();
    Optional<Credentials> credentials = options.credentials().find(repository);
    return Problem.denied(
        credentials
            .map(
                c ->
                    "cannot %s: %s refuses the credentials of %s; log in again: %s"
                        .formatted(action, host, c.user(), options.credentials().advice(host)))
            .orElseGet(
                () ->
                    "cannot %s: %s wants credentials, or there is no such repository; log in: %s"
                        .formatted(action, host, options.credentials().advice(host))));
  }

  private static Challenge choose(List<String> headers, Reference repository) {
    List<Challenge> all = Challenge.parse(headers);
    for (String scheme : List.of("bearer", "basic")) {
      for (Challenge c : all) {
        if (c.scheme().equals(scheme)) {
          return c;
        }
      }
    }
    throw Problem.denied(
        repository.registry()
            + " wants a way to log in that is neither Basic nor Bearer; it is not supported");
  }

  private @Nullable String answer(Challenge challenge, Reference repository, Set<String> scopes)
      throws IOException {
    Optional<Credentials> credentials = options.credentials().find(repository);
    if (challenge.scheme().equals("basic")) {
      return credentials.orElse(null) instanceof Credentials.Basic basic ? basic.header() : null;
    }
    String key = key(repository, scopes);
    Token token = tokens.get(key);
    if (token == null || !options.clock().instant().isBefore(token.until())) {
      token = fetch(challenge, credentials.orElse(null), repository, scopes);
      tokens.put(key, token);
    }
    return token.header();
  }

  /** Credentials may differ between repositories, so the repository is part of the key. */
  private static String key(Reference repository, Set<String> scopes) {
    return repository.repository() + " " + String.join(" ", new TreeSet<>(scopes));
  }

  private Token fetch(
      Challenge challenge,
      @Nullable Credentials credentials,
      Reference repository,
      Set<String> scopes)
      throws IOException {
    URI realm = realm(challenge, repository);
    String what = "get a token for " + repository.name() + " from " + realm.getHost();
    RegistryHttp.Answer answer;
    if (credentials instanceof Credentials.IdentityToken identity) {
      answer = http.send(post(realm, challenge, identity, scopes), null, what);
    } else {
      String basic = credentials instanceof Credentials.Basic b ? b.header() : null;
      answer = http.send(get(realm, challenge, credentials, scopes), basic, what);
    }
    try (answer) {
      if (answer.status() == 401 || answer.status() == 403 || answer.status() == 400) {
        throw denied(what, repository);
      }
      if (answer.status() != 200) {
        throw http.refused(answer, what);
      }
      return parse(answer.bytes(Limit.SMALL_FILE_BYTES, what), what);
    }
  }

  /** Credentials go there, so it must be as well protected as the registry itself. */
  private URI realm(Challenge challenge, Reference repository) {
    URI realm;
    try {
      realm = URI.create(challenge.parameter("realm"));
    } catch (IllegalArgumentException e) {
      throw new Problem(
          Problem.Kind.CORRUPT, repository.registry() + " names a token service without a URL", e);
    }
    boolean plain = "http".equals(realm.getScheme()) && http.allowsPlain(realm);
    if (!WebAddress.canBeAsked(realm)) {
      throw Problem.corrupt(
          repository.registry() + " names a token service without an address that can be asked");
    }
    if (!"https".equals(realm.getScheme()) && !plain) {
      throw Problem.denied(
          repository.registry() + " names a token service without TLS; credentials are not sent");
    }
    return realm;
  }

  private static HttpRequest.Builder get(
      URI realm, Challenge challenge, @Nullable Credentials credentials, Set<String> scopes) {
    StringBuilder query = new StringBuilder(realm.getRawQuery() == null ? "" : realm.getRawQuery());
    append(query, "service", challenge.parameter("service"));
    scopes.forEach(s -> append(query, "scope", s));
    if (credentials != null) {
      append(query, "account", credentials.user());
    }
    String text = realm.toString();
    int end = text.indexOf('?') < 0 ? text.length() : text.indexOf('?');
    return HttpRequest.newBuilder(URI.create(text.substring(0, end) + "?" + query)).GET();
  }

  private static HttpRequest.Builder post(
      URI realm, Challenge challenge, Credentials.IdentityToken identity, Set<String> scopes) {
    StringBuilder form = new StringBuilder("grant_type=refresh_token");
    append(form, "service", challenge.parameter("service"));
    append(form, "client_id", CLIENT_ID);
    append(form, "scope", String.join(" ", scopes));
    append(form, "refresh_token", identity.token());
    return HttpRequest.newBuilder(realm)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .POST(HttpRequest.BodyPublishers.ofString(form.toString()));
  }

  private static void append(StringBuilder query, String name, String value) {
    if (!value.isEmpty()) {
      query.append(query.isEmpty() ? "" : "&").append(name).append('=');
      query.append(URLEncoder.encode(value, StandardCharsets.UTF_8));
    }
  }

  private Token parse(byte[] body, String what) {
    JsonNode root = ManifestJson.readSecret(body, "the answer of the token service");
    String token = ManifestJson.text(root, "token");
    if (token == null || token.isEmpty()) {
      token = ManifestJson.text(root, "access_token");
    }
    if (token == null || token.isEmpty() || !token.matches("[\\x21-\\x7e]+")) {
      throw Problem.corrupt("cannot " + what + ": the answer holds no token");
    }
    long lifetime = root.path("expires_in").asLong(DEFAULT_LIFETIME);
    long used = Math.clamp(lifetime * 9 / 10, 5, 24 * 3600);
    return new Token("Bearer " + token, options.clock().instant().plusSeconds(used));
  }
}
