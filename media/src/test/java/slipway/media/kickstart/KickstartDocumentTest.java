package slipway.media.kickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** docs/kickstart.md has every command, section and option. */
class KickstartDocumentTest {
  @Test
  void theTableIsWhatTheParserTakes() throws IOException {
    List<String> table =
        Files.readAllLines(Path.of("..", "docs", "kickstart.md")).stream()
            .dropWhile(line -> !line.startsWith("| command or section"))
            .skip(2)
            .takeWhile(line -> line.startsWith("|"))
            .toList();
    assertThat(String.join("\n", table))
        .as("the table of commands in docs/kickstart.md")
        .isEqualTo(
            CommandTable.all().stream()
                .map(KickstartDocumentTest::row)
                .collect(Collectors.joining("\n")));
  }

  private static String row(CommandSyntax syntax) {
    StringBuilder row = new StringBuilder("| ");
    row.append(syntax.names().stream().map(n -> "`" + n + "`").collect(Collectors.joining(", ")));
    for (KickstartVersion version : KickstartVersion.values()) {
      row.append(" | ").append(state(syntax, version));
    }
    return row.append(" | ").append(options(syntax)).append(" |").toString();
  }

  private static String state(CommandSyntax syntax, KickstartVersion version) {
    return switch (syntax.state(version)) {
      case ABSENT -> "–";
      case REMOVED -> "removed";
      case DEPRECATED -> "warned";
      case KNOWN ->
          Set.of("%addon", "%anaconda").contains(syntax.name())
              ? "warned"
              : syntax.is(CommandSyntax.Mark.TYPED) || syntax.name().startsWith("%")
                  ? "typed"
                  : "parsed";
    };
  }

  private static String options(CommandSyntax syntax) {
    List<String> options = new ArrayList<>();
    for (OptionSyntax option : syntax.options()) {
      String name =
          option.names().stream().map(n -> "`" + n + "`").collect(Collectors.joining(" "));
      boolean everywhere = option.on().containsAll(syntax.known());
      String on = everywhere ? "" : " (" + versions(option.on()) + ")";
      String warned =
          option.deprecated().isEmpty() ? "" : " (warned: " + versions(option.deprecated()) + ")";
      options.add(name.replace("|", "\\|") + on + warned);
    }
    return String.join(", ", options);
  }

  private static String versions(Set<KickstartVersion> versions) {
    return versions.stream().map(Enum::name).collect(Collectors.joining(", "));
  }
}
