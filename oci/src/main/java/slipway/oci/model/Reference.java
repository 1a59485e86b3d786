package slipway.oci.model;

import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;

/**
 * The name of an image in a registry: {@code host[:port]/repository[:tag][@digest]} (OCI
 * distribution-spec, "Definitions" and "Pulling manifests"). A name without a host part means
 * docker.io, and a single component there means {@code library/}.
 *
 * @param registry host and port, such as {@code 127.0.0.1:5000} or {@code localhost}
 * @param repository path below it
 * @param tag or null; a reference without tag and digest means tag {@code latest}
 * @param digest or null
 */
public record Reference(
    String registry, String repository, @Nullable String tag, @Nullable Digest digest) {
  private static final int SHOWN = 300;
  private static final String DOCKER_HUB = "docker.io";
  private static final Pattern REPOSITORY =
      Pattern.compile("[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*");
  private static final Pattern TAG = Pattern.compile("[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}");
  private static final Pattern HOST =
      Pattern.compile(
          "([a-zA-Z0-9]+(-+[a-zA-Z0-9]+)*(\\.[a-zA-Z0-9]+(-+[a-zA-Z0-9]+)*)*|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?");

  public Reference {
    if (registry.length() > 260 || !HOST.matcher(registry).matches()) {
      throw Problem.input(quoted(registry) + " is not a registry host; expected HOST or HOST:PORT");
    }
    int colon = registry.lastIndexOf(':');
    // A colon of an IPv6 address stands before the bracket.
    if (colon > registry.lastIndexOf(']') && !isPort(registry.substring(colon + 1))) {
      throw Problem.input(quoted(registry) + ": a port is a number from 1 to 65535");
    }
    if (repository.length() > 255 || !REPOSITORY.matcher(repository).matches()) {
      throw Problem.input(
          quoted(typed(registry, repository))
              + " is not a repository name; use lower-case letters, digits, and . _ - between them");
    }
    if (tag != null && !TAG.matcher(tag).matches()) {
      throw Problem.input(quoted(tag) + " is not a tag; use up to 128 letters, digits, and _ . -");
    }
  }

  private static boolean isPort(String digits) {
    int port = Integer.parseInt(digits);
    return port >= 1 && port <= 65535;
  }

  /** Without the part that a user leaves out. */
  private static String typed(String registry, String repository) {
    String prefix = "library/";
    return registry.equals(DOCKER_HUB) && repository.startsWith(prefix)
        ? repository.substring(prefix.length())
        : repository;
  }

  private static String quoted(String text) {
    String shown = text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
    return "\"" + Printable.text(shown) + "\"";
  }

  /**
   * Parses what a user types, as podman does.
   *
   * @throws Problem of kind INPUT that names the wrong part
   */
  public static Reference parse(String text) {
    String rest = text;
    Digest digest = null;
    int at = rest.indexOf('@');
    if (at >= 0) {
      digest = Digest.parse(rest.substring(at + 1));
      rest = rest.substring(0, at);
    }
    String tag = null;
    int colon = rest.lastIndexOf(':');
    if (colon > rest.lastIndexOf('/')) {
      tag = rest.substring(colon + 1);
      rest = rest.substring(0, colon);
    }
    if (rest.isEmpty()) {
      throw Problem.input(
          quoted(text) + " is not an image reference; expected HOST/REPOSITORY[:TAG]");
    }
    if (!hasHost(rest)) {
      return new Reference(DOCKER_HUB, official(rest), tag, digest);
    }
    int slash = rest.indexOf('/');
    String host = rest.substring(0, slash);
    String repository = rest.substring(slash + 1);
    return host.equals(DOCKER_HUB) || host.equals("index.docker.io")
        ? new Reference(DOCKER_HUB, official(repository), tag, digest)
        : new Reference(host, repository, tag, digest);
  }

  private static String official(String repository) {
    return repository.indexOf('/') < 0 ? "library/" + repository : repository;
  }

  /**
   * Whether the text begins with a registry: its first component, of several, has a dot, a colon or
   * upper-case letters, or is {@code localhost}.
   */
  public static boolean hasHost(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      return false;
    }
    String first = text.substring(0, slash);
    return first.contains(".")
        || first.contains(":")
        || first.equals("localhost")
        || !first.equals(first.toLowerCase(Locale.ROOT));
  }

  /** With {@code latest} when neither tag nor digest is given. */
  public Reference orLatest() {
    return tag == null && digest == null ? withTag("latest") : this;
  }

  public Reference withTag(String other) {
    return new Reference(registry, repository, other, null);
  }

  public Reference withDigest(Digest other) {
    return new Reference(registry, repository, null, other);
  }

  /**
   * Refuses a name that promises other content by its digest.
   *
   * @param manifest that is to have this name
   * @throws Problem of kind CORRUPT unless the name has no digest, or this one
   */
  public void requireDigest(Digest manifest) {
    requireDigest(toString(), manifest);
  }

  /** As above for a name that need not be a reference: in a layout it is free text. */
  public static void requireDigest(@Nullable String name, Digest manifest) {
    if (name == null || name.indexOf('@') <= 0) {
      return;
    }
    Digest promised;
    try {
      promised = Digest.parse(name.substring(name.indexOf('@') + 1));
    } catch (Problem e) {
      return; // It holds no digest; what takes references refuses it.
    }
    if (!promised.equals(manifest)) {
      throw Problem.corrupt(
          "the name "
              + Printable.text(name)
              + " promises the manifest of its digest, but this one is "
              + manifest);
    }
  }

  /**
   * What stands after {@code /manifests/}: the digest when there is one, else the tag, else {@code
   * latest}.
   */
  public String selector() {
    return digest != null ? digest.toString() : tag != null ? tag : "latest";
  }

  /** {@code host/repository}, without tag and digest. */
  public String name() {
    return registry + "/" + repository;
  }

  /** Whether the host is this machine, where plain HTTP is allowed without being asked for. */
  public boolean isLoopback() {
    return isLoopbackHost(registry.replaceFirst(":[0-9]+$", ""));
  }

  public static boolean isLoopbackHost(String host) {
    return host.equals("localhost")
        || host.equals("[::1]")
        || host.matches("127(\\.[0-9]{1,3}){3}");
  }

  @Override
  public String toString() {
    return name() + (tag == null ? "" : ":" + tag) + (digest == null ? "" : "@" + digest);
  }
}
