package slipway.distro;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;

/**
 * Where Debian's packages come from.
 *
 * @param main the archive itself
 * @param security the archive of security updates; null when none is known
 */
record BaseMirror(URI main, @Nullable URI security) {
  private static final URI PUBLIC = URI.create("http://deb.debian.org/debian");
  private static final URI PUBLIC_SECURITY = URI.create("http://deb.debian.org/debian-security");
  private static final Set<String> SCHEMES = Set.of("http", "https");

  /** One source of sources.list(5). */
  record Source(URI uri, List<String> suites, List<String> components) {}

  /**
   * The mirror to use: the given one, else the one that this machine's apt is configured with when
   * it is Debian's, else Debian's public one.
   *
   * @param apt the machine's {@code /etc/apt}
   */
  static BaseMirror choose(@Nullable URI given, Path apt) {
    if (given != null) {
      checkScheme(given);
      return new BaseMirror(given, securityBeside(given));
    }
    List<Source> sources = read(apt);
    Optional<URI> main =
        first(sources, "debian", suite -> suite.chars().allMatch(Character::isLetter));
    if (main.isEmpty()) {
      return new BaseMirror(PUBLIC, PUBLIC_SECURITY);
    }
    URI security =
        first(sources, "debian-security", s -> s.endsWith("-security") || s.endsWith("/updates"))
            .orElseGet(() -> securityBeside(main.get()));
    return new BaseMirror(main.get(), security);
  }

  private static void checkScheme(URI uri) {
    if (uri.getScheme() == null || !SCHEMES.contains(uri.getScheme())) {
      throw Problem.usage("\"" + uri + "\" is not a mirror; expected a URL such as " + PUBLIC);
    }
  }

  /** Mirrors have the security archive next to the main one, under this name. */
  private static @Nullable URI securityBeside(URI main) {
    String text = main.toString().replaceFirst("/+$", "");
    return text.endsWith("/debian") ? URI.create(text + "-security") : null;
  }

  private static Optional<URI> first(List<Source> sources, String folder, Predicate<String> suite) {
    return sources.stream()
        .filter(s -> s.components().contains("main") && s.suites().stream().anyMatch(suite))
        .map(Source::uri)
        .filter(uri -> uri.getScheme() != null && SCHEMES.contains(uri.getScheme()))
        .filter(uri -> uri.getPath() != null)
        .filter(uri -> Arrays.asList(uri.getPath().split("/", -1)).contains(folder))
        .findFirst();
  }

  /**
   * Reads {@code sources.list} and {@code sources.list.d} as apt does; what it cannot read it
   * leaves out.
   */
  static List<Source> read(Path apt) {
    List<Source> all = new ArrayList<>();
    Path list = apt.resolve("sources.list");
    Path folder = apt.resolve("sources.list.d");
    try {
      if (Files.isRegularFile(list)) {
        all.addAll(oneLine(Files.readString(list)));
      }
      if (Files.isDirectory(folder)) {
        try (Stream<Path> files = Files.list(folder)) {
          for (Path file : files.sorted().toList()) {
            String name = file.getFileName().toString();
            if (name.endsWith(".list")) {
              all.addAll(oneLine(Files.readString(file)));
            } else if (name.endsWith(".sources")) {
              all.addAll(deb822(Files.readString(file)));
            }
          }
        }
      }
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "cannot read apt's sources in "
              + apt
              + " ("
              + e.getMessage()
              + "); name a mirror instead",
          e);
    }
    return all;
  }

  /** The one-line format: {@code deb [options] URI suite component...}. */
  static List<Source> oneLine(String text) {
    List<Source> sources = new ArrayList<>();
    for (String line : text.lines().toList()) {
      String bare = line.replaceFirst("#.*", "").strip();
      String[] words = bare.replaceFirst("^deb\\s+\\[[^\\]]*\\]", "deb").split("\\s+");
      if (words.length >= 4 && words[0].equals("deb")) {
        uri(words[1])
            .ifPresent(
                uri ->
                    sources.add(
                        new Source(
                            uri, List.of(words[2]), List.of(words).subList(3, words.length))));
      }
    }
    return sources;
  }

  /** The format of {@code .sources} files: stanzas of fields, as in deb822(5). */
  static List<Source> deb822(String text) {
    List<Source> sources = new ArrayList<>();
    for (Map<String, String> stanza : stanzas(text)) {
      boolean used =
          words(stanza, "types").contains("deb")
              && !stanza.getOrDefault("enabled", "yes").strip().equals("no");
      if (used) {
        for (String word : words(stanza, "uris")) {
          uri(word)
              .ifPresent(
                  uri ->
                      sources.add(
                          new Source(uri, words(stanza, "suites"), words(stanza, "components"))));
        }
      }
    }
    return sources;
  }

  /** Fields by lower-case name; comment lines may stand anywhere, inside a value too. */
  static List<Map<String, String>> stanzas(String text) {
    List<Map<String, String>> all = new ArrayList<>();
    Map<String, String> current = new LinkedHashMap<>();
    String field = "";
    for (String line : text.lines().toList()) {
      if (line.startsWith("#")) {
        continue;
      }
      int colon = line.indexOf(':');
      if (line.isBlank()) {
        if (!current.isEmpty()) {
          all.add(current);
        }
        current = new LinkedHashMap<>();
        field = "";
      } else if (Character.isWhitespace(line.charAt(0))) {
        current.computeIfPresent(field, (name, value) -> value + "\n" + line.strip());
      } else if (colon > 0) {
        field = line.substring(0, colon).strip().toLowerCase(Locale.ROOT);
        current.put(field, line.substring(colon + 1).strip());
      }
    }
    if (!current.isEmpty()) {
      all.add(current);
    }
    return all;
  }

  private static List<String> words(Map<String, String> stanza, String field) {
    String value = stanza.getOrDefault(field, "").strip();
    return value.isEmpty() ? List.of() : List.of(value.split("\\s+"));
  }

  private static Optional<URI> uri(String text) {
    try {
      return Optional.of(URI.create(text));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** The suites that make up a release: itself, its updates and its security updates. */
  List<Source> sourcesFor(String suite) {
    List<Source> sources = new ArrayList<>();
    boolean rolling = Set.of("sid", "unstable").contains(suite);
    List<String> suites = rolling ? List.of(suite) : List.of(suite, suite + "-updates");
    sources.add(new Source(main, suites, List.of("main")));
    if (!rolling && security != null) {
      sources.add(new Source(security, List.of(suite + "-security"), List.of("main")));
    }
    return sources;
  }

  /**
   * The {@code .sources} file that an image carries, so that builds on top of it find packages.
   * Credentials in a mirror's URL stay out of the image.
   */
  String sourcesFile(String suite) {
    StringBuilder text = new StringBuilder();
    for (Source source : sourcesFor(suite)) {
      text.append(text.isEmpty() ? "" : "\n")
          .append("Types: deb\nURIs: ")
          .append(withoutCredentials(source.uri()))
          .append("\nSuites: ")
          .append(String.join(" ", source.suites()))
          .append("\nComponents: ")
          .append(String.join(" ", source.components()))
          .append("\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n");
    }
    return text.toString();
  }

  private static String withoutCredentials(URI uri) {
    String user = uri.getRawUserInfo();
    return user == null ? uri.toString() : uri.toString().replace(user + "@", "");
  }
}
