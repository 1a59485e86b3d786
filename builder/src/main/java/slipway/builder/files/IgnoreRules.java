package slipway.builder.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import slipway.base.Limit;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.builder.language.BuildFile;
import slipway.builder.language.Glob;
import slipway.builder.language.Wildcard;
import slipway.linux.posix.InRoot;

/**
 * What of a build context is left out: {@code .containerignore} or {@code .dockerignore}, or the
 * patterns of {@code --exclude} (Dockerfile reference, ".dockerignore file"). The last pattern that
 * fits a path or one of its parents decides.
 */
public final class IgnoreRules {
  public static final IgnoreRules NONE = new IgnoreRules(List.of(), "");

  /**
   * @param negative written with an exclamation mark: takes back in
   */
  private record Rule(Wildcard pattern, boolean negative) {}

  private final List<Rule> rules;
  private final boolean anyNegative;
  private final String source;

  private IgnoreRules(List<Rule> rules, String source) {
    this.rules = rules;
    this.anyNegative = rules.stream().anyMatch(Rule::negative);
    this.source = source;
  }

  /**
   * Reads the rules of a context: {@code CONTAINERFILE.containerignore} or {@code
   * CONTAINERFILE.dockerignore} beside the Containerfile, else {@code .containerignore}, else
   * {@code .dockerignore} in the context.
   */
  public static IgnoreRules of(Path context, Path containerfile) throws IOException {
    List<Path> candidates =
        List.of(
            containerfile.resolveSibling(containerfile.getFileName() + ".containerignore"),
            containerfile.resolveSibling(containerfile.getFileName() + ".dockerignore"),
            context.resolve(".containerignore"),
            context.resolve(".dockerignore"));
    for (Path file : candidates) {
      Optional<String> text = BuildFile.read(context, file);
      if (text.isPresent()) {
        return parse(file.toString(), text.get());
      }
    }
    return NONE;
  }

  /** Parses the text of an ignore file. */
  static IgnoreRules parse(String file, String text) {
    List<Rule> rules = new ArrayList<>();
    int number = 0;
    for (String line : text.replaceFirst("^\uFEFF", "").split("\n", -1)) {
      number++;
      if (!line.startsWith("#") && !line.isBlank()) {
        add(line.strip(), new Position(file, number), rules);
      }
    }
    return new IgnoreRules(rules, Path.of(file).getFileName().toString());
  }

  /** The patterns of {@code --exclude}. */
  public static IgnoreRules excludes(List<String> patterns, Position at) {
    List<Rule> rules = new ArrayList<>();
    patterns.forEach(p -> add(p, at, rules));
    return rules.isEmpty() ? NONE : new IgnoreRules(rules, "--exclude");
  }

  private static void add(String line, Position at, List<Rule> rules) {
    boolean negative = line.startsWith("!");
    String text = InRoot.clean(negative ? line.substring(1).strip() : line);
    if (text.isEmpty()) {
      if (negative && line.length() == 1) {
        throw at.problem("a pattern is missing after the exclamation mark");
      }
      return;
    }
    rules.add(new Rule(Glob.compile(text, true, at), negative));
    Limit.PATTERNS.check(rules.size(), at.toString());
  }

  /** The name of the file with the rules, for messages. */
  public String source() {
    return source;
  }

  public boolean isEmpty() {
    return rules.isEmpty();
  }

  /** Whether a path, without a leading slash, is left out. */
  public boolean excludes(String path) {
    if (rules.isEmpty()) {
      return false;
    }
    int[] codes = Wildcard.codes(path);
    boolean excluded = false;
    for (Rule rule : rules) {
      if (rule.negative == excluded && rule.pattern.matchesPathOrParent(codes)) {
        excluded = !rule.negative;
      }
    }
    return excluded;
  }

  /** Whether nothing below a directory that is left out can come back in. */
  boolean prunes() {
    return !anyNegative;
  }

  /** Refuses a context that cannot be one. */
  public static void requireDirectory(Path context) {
    if (!Files.isDirectory(context)) {
      throw Problem.notFound("the build context " + context + " is not a directory");
    }
  }
}
