package slipway.config.registries;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.model.Digest;
import slipway.oci.model.Reference;

/**
 * What an administrator says about registries: {@code registries.conf} and {@code
 * registries.conf.d/*.conf} in version 2 of their form (containers-registries.conf(5)). A name
 * means the place that the rule with the longest prefix gives it: mirrors first, then the location.
 * Anything that is not understood is a {@link Problem} with file and line, because a rule that is
 * skipped may be the one that blocks.
 */
public final class RegistriesConf {
  private static final String MAIN = "containers/registries.conf";
  private static final String MORE = "containers/registries.conf.d";

  /** When a mirror may be asked. */
  enum PullFrom {
    ALL,
    DIGEST_ONLY,
    TAG_ONLY;

    boolean allows(Reference image) {
      return switch (this) {
        case ALL -> true;
        case DIGEST_ONLY -> image.digest() != null;
        case TAG_ONLY -> image.digest() == null;
      };
    }
  }

  /**
   * Another place for the images of a rule.
   *
   * @param location what takes the place of the prefix
   */
  record Mirror(String location, boolean insecure, PullFrom pullFrom) {}

  /**
   * One {@code [[registry]]}.
   *
   * @param prefix of names that it is about: {@code host[:port][/path][:tag|@digest]}, or {@code
   *     *.domain}
   * @param location what takes the place of the prefix; empty: the name stays as it is
   * @param where file and line, for messages
   */
  record Rule(
      String prefix,
      String location,
      boolean insecure,
      boolean blocked,
      List<Mirror> mirrors,
      String where) {
    Rule {
      mirrors = List.copyOf(mirrors);
    }

    /** How many characters of a name, from its beginning, the prefix stands for; 0: it does not. */
    int match(String name) {
      int end = prefix.length();
      if (prefix.startsWith("*.")) {
        int slash = name.indexOf('/');
        String host = slash < 0 ? name : name.substring(0, slash);
        int at = host.lastIndexOf(prefix.substring(1));
        if (at <= 0) {
          return 0;
        }
        end = at + prefix.length() - 1;
      } else if (!name.startsWith(prefix)) {
        return 0;
      }
      return end == name.length() || ":/@".indexOf(name.charAt(end)) >= 0 ? end : 0;
    }
  }

  /**
   * Where an image can be had.
   *
   * @param image its name there
   * @param insecure plain HTTP and any certificate will do
   */
  public record Place(Reference image, boolean insecure) {}

  /** All that the files say, while they are read one over the other. */
  static final class Content {
    final Map<String, Rule> rules = new LinkedHashMap<>();
    final Map<String, String> aliases = new LinkedHashMap<>();
    List<String> search = List.of();
  }

  private final Content content;

  private RegistriesConf(Content content) {
    this.content = content;
  }

  /**
   * Reads the files: the one of {@code CONTAINERS_REGISTRIES_CONF} alone if that is set; else the
   * user's or the system's, and then the drop-ins of the system and of the user. Without any,
   * nothing is special.
   *
   * @param root of the system, usually {@code /}
   * @param environment of the process; empty for a system that has no users
   * @throws Problem of kind INPUT that names file and line
   */
  public static RegistriesConf read(Path root, Map<String, String> environment) throws IOException {
    Content content = new Content();
    String named = environment.getOrDefault("CONTAINERS_REGISTRIES_CONF", "");
    if (!named.isEmpty()) {
      new RegistriesConfParser(Path.of(named)).into(content);
      return new RegistriesConf(content);
    }
    List<Path> folders = new ArrayList<>(List.of(root.resolve("etc"), root.resolve("usr/share")));
    Path own = userFolder(environment);
    if (own != null) {
      folders.addFirst(own);
    }
    for (Path folder : folders) {
      if (Files.isRegularFile(folder.resolve(MAIN))) {
        new RegistriesConfParser(folder.resolve(MAIN)).into(content);
        break;
      }
    }
    for (Path file : dropIns(root.resolve("etc").resolve(MORE))) {
      new RegistriesConfParser(file).into(content);
    }
    for (Path file : own == null ? List.<Path>of() : dropIns(own.resolve(MORE))) {
      new RegistriesConfParser(file).into(content);
    }
    return new RegistriesConf(content);
  }

  private static @Nullable Path userFolder(Map<String, String> environment) {
    String config = environment.getOrDefault("XDG_CONFIG_HOME", "");
    String home = environment.getOrDefault("HOME", "");
    if (!config.isEmpty()) {
      return Path.of(config);
    }
    return home.isEmpty() ? null : Path.of(home, ".config");
  }

  private static Iterable<Path> dropIns(Path directory) throws IOException {
    TreeSet<Path> sorted = new TreeSet<>();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.conf")) {
        files.forEach(sorted::add);
      }
    }
    return sorted;
  }

  /** For tests and for a file alone. */
  static RegistriesConf parse(String text, String name) {
    Content content = new Content();
    new RegistriesConfParser(text, name).into(content);
    return new RegistriesConf(content);
  }

  /**
   * The names of one image, as it is written first: with a digest the tag decides nothing, so a
   * rule with the digest alone is about it too; with neither it is {@code latest}.
   */
  private static List<String> forms(Reference image) {
    Digest digest = image.digest();
    Reference other = digest == null ? image.orLatest() : image.withDigest(digest);
    return List.of(image.toString(), other.toString());
  }

  private @Nullable Rule rule(Reference image) {
    Rule best = null;
    int longest = 0;
    for (Rule rule : content.rules.values()) {
      for (String name : forms(image)) {
        int length = rule.match(name);
        if (length > longest) {
          best = rule;
          longest = length;
        }
      }
    }
    return best;
  }

  /**
   * Where to fetch an image from, in the order in which to try: mirrors that may be asked for it,
   * then its own place unless that is blocked.
   *
   * @throws Problem of kind DENIED when the administrator blocked every place
   */
  public List<Place> places(Reference image) {
    Rule rule = rule(image);
    if (rule == null) {
      return List.of(new Place(image, false));
    }
    List<Place> places = new ArrayList<>();
    for (Mirror mirror : rule.mirrors()) {
      if (mirror.pullFrom().allows(image)) {
        places.add(place(image, rule, mirror.location(), mirror.insecure()));
      }
    }
    if (!rule.blocked()) {
      places.add(place(image, rule, rule.location(), rule.insecure()));
    }
    places.removeIf(place -> isBlocked(place.image()));
    if (places.isEmpty()) {
      throw blocked(image, rule);
    }
    return places;
  }

  private boolean isBlocked(Reference image) {
    Rule rule = rule(image);
    return rule != null && rule.blocked();
  }

  private static Problem blocked(Reference image, Rule rule) {
    return Problem.denied(
        rule.where()
            + " blocks "
            + rule.prefix()
            + ", and with it "
            + image
            + "; ask whoever set it");
  }

  private static Place place(Reference image, Rule rule, String location, boolean insecure) {
    if (location.isEmpty() || location.equals(rule.prefix())) {
      return new Place(image, insecure);
    }
    try {
      String name = forms(image).stream().filter(n -> rule.match(n) > 0).findFirst().orElseThrow();
      String moved = location + name.substring(rule.match(name));
      return new Place(Reference.parse(moved), insecure);
    } catch (Problem e) {
      throw new Problem(
          Problem.Kind.INPUT, rule.where() + ": moving " + image + ": " + e.getMessage(), e);
    }
  }

  /**
   * Where to send an image to: its own name always, for a location and mirrors are for reading.
   *
   * @throws Problem of kind DENIED when the administrator blocked it
   */
  public Place target(Reference image) {
    Rule rule = rule(image);
    if (rule == null) {
      return new Place(image, false);
    }
    if (rule.blocked()) {
      throw blocked(image, rule);
    }
    return new Place(image, rule.insecure());
  }

  /**
   * The whole name that a user means: one with a host as it is; a short one by the aliases, then by
   * the registry in which to look for short names, then in docker.io.
   *
   * @throws Problem of kind INPUT when a short name could be in several registries
   */
  public Reference resolve(String text) {
    if (Reference.hasHost(text)) {
      return Reference.parse(text);
    }
    Reference parsed = Reference.parse(text); // For its checks, and to split off tag and digest.
    String name = text.substring(0, text.length() - suffix(parsed).length());
    String alias = content.aliases.getOrDefault(name, "");
    if (!alias.isEmpty()) {
      return Reference.parse(alias + suffix(parsed));
    }
    return switch (content.search.size()) {
      case 0 -> parsed;
      case 1 -> Reference.parse(content.search.getFirst() + "/" + text);
      default ->
          throw Problem.input(
              "\"%s\" may be in several registries (%s); write HOST/%s"
                  .formatted(text, String.join(", ", content.search), text));
    };
  }

  private static String suffix(Reference name) {
    return name.toString().substring(name.name().length());
  }
}
