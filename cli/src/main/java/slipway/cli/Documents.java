package slipway.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import slipway.cli.command.Version;
import slipway.cli.document.BashCompletion;
import slipway.cli.document.CommandText;
import slipway.cli.document.ManPage;

/** What is made of the table of commands beside the program: for packages, the launcher, README. */
final class Documents {
  private Documents() {}

  /**
   * Writes all but README's table below a folder: {@code share/man}, {@code share/bash-completion}
   * and {@code start-up.sh} for the launcher.
   */
  static void write(Path folder) throws IOException {
    for (Map.Entry<String, String> file : files().entrySet()) {
      Path path = folder.resolve(file.getKey());
      Files.createDirectories(Objects.requireNonNull(path.getParent()));
      Files.writeString(path, file.getValue());
    }
  }

  /** Contents by path. */
  static Map<String, String> files() {
    Map<String, String> files = new LinkedHashMap<>();
    for (Program program : Program.values()) {
      CommandSpec model = CommandModel.of(program);
      List<String> others = program.programs().stream().map(Documents::page).toList();
      files.put(path(model, program), page(model, program, others));
      below(model, program, files);
      files.put(
          "share/bash-completion/completions/" + program.word(),
          BashCompletion.of(CommandModel.whole(program)));
    }
    files.put("start-up.sh", StartUpScript.text());
    return files;
  }

  private static void below(CommandSpec command, Program program, Map<String, String> files) {
    for (CommandSpec child : CommandText.children(command)) {
      files.put(path(child, program), page(child, program, List.of()));
      for (String alias : child.aliases()) {
        // A page of one line that names another is that page.
        files.put(
            folder(program) + command.qualifiedName("-") + "-" + alias + "." + program.section(),
            ".so " + path(child, program).substring("share/man/".length()) + "\n");
      }
      below(child, program, files);
    }
  }

  private static String page(CommandSpec command, Program program, List<String> others) {
    return ManPage.of(command, program.section(), Version.text(), others);
  }

  private static String page(Program program) {
    return program.word() + "(" + program.section() + ")";
  }

  private static String path(CommandSpec command, Program program) {
    return folder(program) + command.qualifiedName("-") + "." + program.section();
  }

  private static String folder(Program program) {
    return "share/man/man" + program.section() + "/";
  }

  /** The table of README: a line for each command line that does something. */
  static String readmeTable() {
    StringBuilder table = new StringBuilder("| command | what it does |\n|---|---|\n");
    for (Program program : Program.values()) {
      rows(CommandModel.of(program), table);
    }
    return table.toString();
  }

  private static void rows(CommandSpec command, StringBuilder table) {
    List<CommandSpec> children = CommandText.children(command);
    if (children.isEmpty()) {
      String also =
          List.of(command.aliases()).stream()
              .map(alias -> ", `" + alias + "`")
              .collect(Collectors.joining());
      table.append(
          "| `%s`%s | %s |\n"
              .formatted(command.qualifiedName(), also, CommandText.summary(command)));
    }
    children.forEach(child -> rows(child, table));
  }
}
