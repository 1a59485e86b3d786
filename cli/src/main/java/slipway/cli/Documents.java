package slipway.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import slipway.cli.build.Epoch;
import slipway.cli.command.Version;
import slipway.cli.document.BashCompletion;
import slipway.cli.document.CommandText;
import slipway.cli.document.ManPage;

/** What is made of the table of commands beside the program: for packages, the launcher, README. */
final class Documents {
  private Documents() {}

  /**
   * Writes all but README's table below a folder: {@code share/man}, {@code share/bash-completion}
   * and {@code start-up.sh} for the launcher. Pages are of the day that SOURCE_DATE_EPOCH tells,
   * else of today.
   */
  static void write(Path folder) throws IOException {
    Instant time = Epoch.ofEnvironment();
    LocalDate date = LocalDate.ofInstant(time == null ? Instant.now() : time, ZoneOffset.UTC);
    for (Map.Entry<String, String> file : files(date).entrySet()) {
      Path path = folder.resolve(file.getKey());
      Files.createDirectories(Objects.requireNonNull(path.getParent()));
      Files.writeString(path, file.getValue());
    }
  }

  /**
   * Contents by path.
   *
   * @param date of the pages
   */
  static Map<String, String> files(LocalDate date) {
    Map<String, String> files = new LinkedHashMap<>();
    for (Program program : Program.values()) {
      CommandSpec model = CommandModel.whole(program);
      pages(model, program.section(), date, files);
      files.put("share/bash-completion/completions/" + program.word(), BashCompletion.of(model));
    }
    files.put("start-up.sh", StartUpScript.text());
    return files;
  }

  /** A page under each of a command's names: a request to read another works in a manpath only. */
  private static void pages(
      CommandSpec command, int section, LocalDate date, Map<String, String> files) {
    String page = ManPage.of(command, section, Version.text(), date);
    for (String name : ManPage.names(command)) {
      files.put("share/man/man%d/%s.%d".formatted(section, name, section), page);
    }
    CommandText.children(command).forEach(child -> pages(child, section, date, files));
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
