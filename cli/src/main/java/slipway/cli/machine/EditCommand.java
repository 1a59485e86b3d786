package slipway.cli.machine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.host.deployment.HostEdit;
import slipway.host.system.HostEnvironment;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.process.Command;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** {@code bootc edit}. */
@picocli.CommandLine.Command(
    name = "edit",
    mixinStandardHelpOptions = true,
    description = "Change what the machine shall be in an editor, or by a file.",
    footer = {"bootc edit", "bootc edit -f host.yaml --json"})
public final class EditCommand implements Callable<Integer> {
  private static final List<String> EDITORS = List.of("nano", "vim", "vi");

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      description =
          "a document such as bootc status --format yaml prints, in which spec.image or"
              + " spec.bootOrder is changed (default: $EDITOR shows it)")
  @Nullable Path file;

  @Option(names = "--quiet", description = "no progress")
  boolean quiet;

  @Option(names = "--json", description = "tell as JSON what was changed")
  boolean json;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    return Bootc.work(spec, quiet, json, host -> json(edit(host)));
  }

  private static JsonNode json(HostEdit.Changed changed) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("changed", changed.name().toLowerCase(Locale.ROOT));
  }

  private HostEdit.Changed edit(HostEnvironment host) throws IOException {
    HostEdit edit = new HostEdit(host);
    if (file != null) {
      return edit.apply(read(file), Printable.text(file.toString()));
    }
    String before = edit.document();
    try (ScratchFolder scratch = ScratchFolder.small("slipway-edit-", host.progress()::note)) {
      Path document = Files.writeString(scratch.path().resolve("host.yaml"), before);
      List<String> editor = new ArrayList<>(editor(host.variables()));
      editor.add(document.toString());
      int status = end(Command.of(editor).startInherited());
      if (status != 0) {
        throw Problem.environment(
            "the editor "
                + editor.getFirst()
                + " ended with status "
                + status
                + "; nothing is changed");
      }
      return edit.apply(read(document), "the edited document");
    }
  }

  private static String read(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      return new String(Limit.SMALL_FILE_BYTES.read(in, file.toString()), StandardCharsets.UTF_8);
    }
  }

  /** The words of the editor's command line. */
  static List<String> editor(Map<String, String> variables) {
    String wanted = variables.getOrDefault("EDITOR", "").strip();
    if (!wanted.isEmpty()) {
      return List.of(wanted.split("\\s+"));
    }
    return EDITORS.stream()
        .map(name -> "/usr/bin/" + name)
        .filter(program -> Files.isExecutable(Path.of(program)))
        .findFirst()
        .map(List::of)
        .orElseThrow(
            () ->
                Problem.environment(
                    "$EDITOR is not set, and there is neither nano nor vim nor vi in /usr/bin:"
                        + " set it, or use bootc edit -f FILE"));
  }

  private static int end(Process editor) {
    try {
      return editor.waitFor();
    } catch (InterruptedException e) {
      Command.kill(editor);
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, "the editor was interrupted", e);
    }
  }
}
