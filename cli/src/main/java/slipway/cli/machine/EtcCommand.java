package slipway.cli.machine;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.output.JsonText;
import slipway.host.deployment.EtcChanges;
import slipway.sysroot.write.EtcMerge;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** {@code bootc etc}, and {@code bootc config-diff}, which is a part of it. */
@Command(
    name = "etc",
    mixinStandardHelpOptions = true,
    description = "Show what of /etc is not as in the image, and take it back.",
    subcommands = {EtcCommand.Diff.class, EtcCommand.Restore.class})
public final class EtcCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage("etc needs to know what to do: diff or restore");
  }

  private static JsonNode json(List<EtcMerge.Change> changes) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    for (EtcMerge.Change change : changes) {
      array
          .addObject()
          .put("path", "/etc/" + change.path())
          .put("kind", change.kind().name().toLowerCase(Locale.ROOT));
    }
    return array;
  }

  private static int diff(CommandSpec spec, boolean json, List<String> paths) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    List<EtcMerge.Change> changes =
        new EtcChanges(Bootc.environment(spec, true, Progress.NONE)).diff(paths);
    if (json) {
      out.println(JsonText.pretty(json(changes)));
    } else {
      changes.forEach(change -> out.println(Printable.text(change.toString())));
    }
    out.flush();
    return 0;
  }

  /** {@code bootc config-diff}. */
  @Command(
      name = "config-diff",
      mixinStandardHelpOptions = true,
      description = "List what of /etc is not as in the image.",
      footer = {"bootc config-diff", "bootc config-diff --json"})
  public static final class ConfigDiff implements Callable<Integer> {
    @Option(names = "--json", description = "as JSON")
    boolean json;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      return diff(spec, json, List.of());
    }
  }

  /** {@code bootc etc diff}. */
  @Command(
      name = "diff",
      mixinStandardHelpOptions = true,
      description = "List what of /etc is modified, removed and added.",
      footer = {"bootc etc diff", "bootc etc diff --json /etc/ssh"})
  public static final class Diff implements Callable<Integer> {
    @Option(names = "--json", description = "as JSON")
    boolean json;

    @Parameters(paramLabel = "PATH", arity = "0..*", description = "only these, and what is below")
    List<String> paths = List.of();

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      return diff(spec, json, paths);
    }
  }

  /** {@code bootc etc restore}. */
  @Command(
      name = "restore",
      mixinStandardHelpOptions = true,
      description = "Give files of /etc the image's version back.",
      footer = {"bootc etc restore /etc/ssh/sshd_config", "bootc etc restore --json /etc/ssh"})
  public static final class Restore implements Callable<Integer> {
    @Option(names = "--json", description = "tell as JSON what was done")
    boolean json;

    @Parameters(
        paramLabel = "PATH",
        arity = "1..*",
        description = "a file, or a directory with all below it but what was added")
    List<String> paths = List.of();

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      return Bootc.work(spec, json, host -> json(new EtcChanges(host).restore(paths)));
    }
  }
}
