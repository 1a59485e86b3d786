package slipway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What the documents and the pictures of packages name is there: classes, the packages that they
 * are said to lie in, and their members.
 */
class NamesInDocumentsTest {
  private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();

  private static final Pattern DECLARED =
      Pattern.compile("\\b(?:class|record|enum|interface) ([A-Z]\\w+)");
  private static final Pattern PACKAGE = Pattern.compile("(?m)^package ([\\w.]+);");

  /** Perhaps a package, a class, perhaps a member of it. */
  private static final Pattern NAME =
      Pattern.compile("(?<![\\w/.-])((?:[a-z]\\w*\\.)*)([A-Z][a-z]\\w+)(?:\\.([a-z]\\w*))?");

  /** One of a single word, such as Journal, may be the beginning of a sentence. */
  private static final Pattern CLASS = Pattern.compile("([A-Z][a-z0-9]+){2,}");

  /** Names of others, and what stands for any class. */
  private static final Set<String> OTHERS =
      Set.of(
          "NullAway",
          "NullMarked",
          "BuildKit",
          "CommandSpec",
          "RepoTags",
          "BootcHost",
          "Class",
          "NetworkManager",
          "OpenShift",
          "ImageStreamMapping",
          "PreserveOriginal",
          "BindPaths",
          "DynamicUser");

  /** A file in which a class is declared. */
  private record Source(String folder, String text) {}

  private static List<Path> files(String ending) throws IOException {
    try (Stream<Path> files = Files.walk(CHECKOUT)) {
      return files
          .filter(f -> f.toString().endsWith(ending))
          .filter(f -> !CHECKOUT.relativize(f).toString().matches("(.*/)?(target|\\..*)/.*"))
          .toList();
    }
  }

  private static Map<String, List<Source>> classes() throws IOException {
    Map<String, List<Source>> classes = new HashMap<>();
    for (Path file : files(".java")) {
      String text = Files.readString(file);
      String folder = PACKAGE.matcher(text).results().findFirst().map(m -> m.group(1)).orElse("");
      for (MatchResult declared : DECLARED.matcher(text).results().toList()) {
        classes
            .computeIfAbsent(declared.group(1), name -> new ArrayList<>())
            .add(new Source("." + folder + ".", text));
      }
    }
    return classes;
  }

  /** Packages are named from whichever of their words is clear: {@code write.BootWriter}. */
  private static boolean isThere(MatchResult name, List<Source> found) {
    String member = name.group(3);
    return found.stream()
        .filter(source -> source.folder().endsWith("." + name.group(1)))
        .anyMatch(
            source ->
                member == null
                    || Pattern.compile("\\b" + member + "\\b").matcher(source.text()).find());
  }

  @Test
  void whatIsNamedIsThere() throws IOException {
    Map<String, List<Source>> classes = classes();
    List<Path> documents = new ArrayList<>(files("/package-info.java"));
    documents.addAll(files(".md"));
    Set<String> lost = new TreeSet<>();
    for (Path document : documents) {
      for (MatchResult name : NAME.matcher(Files.readString(document)).results().toList()) {
        String simple = name.group(2);
        List<Source> found = classes.getOrDefault(simple, List.of());
        boolean meant =
            !found.isEmpty() || !name.group(1).isEmpty() || CLASS.matcher(simple).matches();
        if (meant && !OTHERS.contains(simple) && !isThere(name, found)) {
          lost.add(CHECKOUT.relativize(document) + ": " + name.group());
        }
      }
    }
    assertThat(documents).hasSizeGreaterThan(70);
    assertThat(lost).isEmpty();
  }
}
