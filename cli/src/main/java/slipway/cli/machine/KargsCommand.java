package slipway.cli.machine;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.output.JsonText;
import slipway.host.deployment.ArgumentEdit;
import slipway.host.deployment.MachineArguments;
import slipway.host.system.HostEnvironment;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code bootc kargs}. */
@Command(
    name = "kargs",
    mixinStandardHelpOptions = true,
    description = "Show and change the kernel arguments of this machine.",
    subcommands = {
      KargsCommand.Show.class,
      KargsCommand.Add.class,
      KargsCommand.Delete.class,
      KargsCommand.Replace.class
    })
public final class KargsCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage("kargs needs to know what to do: list, add, delete or replace");
  }

  static JsonNode json(MachineArguments.Outcome outcome) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    outcome.arguments().forEach(node.putArray("arguments")::add);
    outcome.changes().forEach(node.putArray("changes")::add);
    return node.put("staged", outcome.staged());
  }

  /** {@code bootc kargs list}. */
  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "List the kernel arguments of the next boot, one a line.",
      footer = {"bootc kargs list", "bootc kargs list --booted --json"})
  public static final class Show implements Callable<Integer> {
    @Option(names = "--booted", description = "those of the running system")
    boolean booted;

    @Option(names = "--json", description = "as a JSON array")
    boolean json;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      var out = spec.commandLine().getOut();
      HostEnvironment host =
          HostEnvironment.thisMachine(System.getenv(), text -> {}, Progress.NONE);
      List<String> arguments = new MachineArguments(host).list(booted);
      if (json) {
        var array = JsonNodeFactory.instance.arrayNode();
        arguments.forEach(array::add);
        out.println(JsonText.pretty(array));
      } else {
        arguments.forEach(argument -> out.println(Printable.text(argument)));
      }
      out.flush();
      return 0;
    }
  }

  /** What the verbs that change arguments have in common. */
  static final class Common {
    @Option(names = "--json", description = "tell as JSON what was done")
    boolean json;

    @Parameters(
        paramLabel = "ARG",
        arity = "1..*",
        description = "a kernel argument, such as quiet or console=ttyS0")
    List<String> arguments = List.of();

    int run(CommandSpec spec, ArgumentEdit edit) throws Exception {
      return Bootc.work(spec, json, host -> json(new MachineArguments(host).change(edit)));
    }
  }

  /** {@code bootc kargs add}. */
  @Command(
      name = "add",
      mixinStandardHelpOptions = true,
      description = "Start with more kernel arguments from the next boot on.",
      footer = {"bootc kargs add console=ttyS0", "bootc kargs add --if-missing quiet"})
  public static final class Add implements Callable<Integer> {
    @Option(names = "--if-missing", description = "only those that are not there yet")
    boolean ifMissing;

    @Mixin Common common = new Common();

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      return common.run(spec, ArgumentEdit.add(common.arguments, ifMissing));
    }
  }

  /** {@code bootc kargs delete}. */
  @Command(
      name = "delete",
      mixinStandardHelpOptions = true,
      description = "Start without some kernel arguments from the next boot on.",
      footer = {"bootc kargs delete console=ttyS0", "bootc kargs delete --if-present quiet"})
  public static final class Delete implements Callable<Integer> {
    @Option(names = "--if-present", description = "one that is not there is no fault")
    boolean ifPresent;

    @Option(names = "--force", description = "also what the machine finds its disks by")
    boolean force;

    @Mixin Common common = new Common();

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      return common.run(spec, ArgumentEdit.delete(common.arguments, ifPresent, force));
    }
  }

  /** {@code bootc kargs replace}. */
  @Command(
      name = "replace",
      mixinStandardHelpOptions = true,
      description = "Give kernel arguments other values from the next boot on.",
      footer = {
        "bootc kargs replace loglevel=7",
        "bootc kargs replace --old console=tty0 console=ttyS1"
      })
  public static final class Replace implements Callable<Integer> {
    @Option(
        names = "--old",
        paramLabel = "ARG",
        description = "the whole argument to replace (default: the one with the same key)")
    @Nullable String old;

    @Option(names = "--if-present", description = "one that is not there is no fault")
    boolean ifPresent;

    @Mixin Common common = new Common();

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      return common.run(spec, ArgumentEdit.replace(common.arguments, old, ifPresent));
    }
  }
}
