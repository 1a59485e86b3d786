package slipway.cli.disk;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.cli.command.State;
import slipway.cli.output.JsonText;
import slipway.cli.output.Table;
import slipway.cli.output.Terminal;
import slipway.media.BootMedium;
import slipway.media.CloudData;
import slipway.media.MachineRecord;
import slipway.media.NamedMachine;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The verbs of {@code slipway vm} for machines that have a name. */
abstract class MachineCommand implements Callable<Integer> {
  /** Of the guest's own time without progress. */
  private static final Duration BOOT_LIMIT = Duration.ofMinutes(8);

  @Mixin State state = new State();

  @Spec CommandSpec spec = CommandSpec.create();

  /** A verb for one machine. */
  abstract static class OfOne extends MachineCommand {
    @Parameters(index = "0", paramLabel = "NAME", description = "of a machine; vm list shows them")
    String name = "";

    NamedMachine machine() {
      return MachineDisk.machines(state).require(name);
    }
  }

  /** {@code slipway vm start NAME}. */
  @Command(
      name = "start",
      mixinStandardHelpOptions = true,
      description = "Switch a machine on again.",
      footer = "slipway vm start web")
  static final class Start extends OfOne {
    @Override
    public Integer call() throws IOException {
      machine().start();
      return 0;
    }
  }

  /** {@code slipway vm ssh NAME [COMMAND]}. */
  @Command(
      name = "ssh",
      mixinStandardHelpOptions = true,
      description =
          "Log in to a machine, or run a command in it; waits until it lets somebody in, as long"
              + " as it gets on. Ends with the command's status. The key is the machine's own,"
              + " which systemd (256 or newer) gives to root in the guest.",
      footer = {"slipway vm ssh web", "slipway vm ssh web -- bootc status --json"})
  static final class Ssh extends OfOne {
    @Parameters(
        index = "1..*",
        arity = "0..*",
        paramLabel = "COMMAND",
        description = "words that the guest's shell gets; none for a shell")
    List<String> words = List.of();

    @Override
    public Integer call() throws IOException, InterruptedException {
      NamedMachine machine = machine();
      if (Terminal.stderrIsTerminal()) {
        spec.commandLine().getErr().println("Waiting for " + name + " to let somebody in ...");
        spec.commandLine().getErr().flush();
      }
      machine.awaitSsh(BOOT_LIMIT);
      return machine.ssh(words).startInherited().waitFor();
    }
  }

  /** {@code slipway vm console NAME}. */
  @Command(
      name = "console",
      mixinStandardHelpOptions = true,
      description = "Sit at a machine's serial console; Ctrl-] leaves it.",
      footer = "slipway vm console web")
  static final class AtConsole extends OfOne {
    @Override
    public Integer call() throws IOException {
      ConsoleLink.attend(machine(), spec.commandLine().getErr());
      return 0;
    }
  }

  /** {@code slipway vm list}. */
  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "List the machines that have a name.",
      footer = "slipway vm list --json")
  static final class Listed extends MachineCommand {
    @Option(names = "--json", description = "print a JSON array")
    boolean json;

    @Override
    public Integer call() throws IOException {
      ArrayNode array = JsonNodeFactory.instance.arrayNode();
      Table table = new Table("NAME", "STATE", "FROM", "MEMORY", "PORTS", "VNC", "CREATED");
      for (NamedMachine machine : MachineDisk.machines(state).list()) {
        MachineRecord record = machine.record();
        boolean running = machine.isRunning();
        Map<Integer, Integer> ports = new TreeMap<>(machine.ports());
        OptionalInt vnc = record.vnc() ? machine.vncPort() : OptionalInt.empty();
        if (json) {
          array.add(json(machine, record, running, ports, vnc));
        } else {
          table.row(
              machine.name(),
              running ? "running" : "off",
              record.source(),
              record.memoryMiB() + " MiB",
              ports.entrySet().stream()
                  .map(e -> e.getValue() + ":" + e.getKey())
                  .collect(Collectors.joining(" ")),
              vnc.isPresent() ? Integer.toString(vnc.getAsInt()) : "",
              record.created());
        }
      }
      spec.commandLine().getOut().println(json ? JsonText.pretty(array) : table.toString().strip());
      return 0;
    }

    private static ObjectNode json(
        NamedMachine machine,
        MachineRecord record,
        boolean running,
        Map<Integer, Integer> ports,
        OptionalInt vnc) {
      ObjectNode node = JsonNodeFactory.instance.objectNode();
      node.put("name", machine.name()).put("state", running ? "running" : "off");
      node.put("from", record.source()).put("digest", record.digest());
      node.put("disk", record.disk().toString()).put("memoryMiB", record.memoryMiB());
      node.put("user", record.user()).put("created", record.created());
      BootMedium medium = record.medium();
      node.put("medium", medium == null ? null : medium.place());
      node.put("isolated", record.isolated()).put("tpm", record.tpm());
      node.put("architecture", record.architecture().label());
      ArrayNode forwards = node.putArray("forwards");
      ports.forEach(
          (guest, host) ->
              forwards
                  .addObject()
                  .put("address", "127.0.0.1")
                  .put("port", host)
                  .put("guestPort", guest));
      node.put("vncPort", vnc.isPresent() ? (Integer) vnc.getAsInt() : null);
      CloudData cloud = record.cloud();
      node.put("cloud", cloud == null ? null : cloud.cloud().label());
      node.put("serialLog", machine.log().toString());
      return node;
    }
  }

  /** {@code slipway vm ip NAME}. */
  @Command(
      name = "ip",
      mixinStandardHelpOptions = true,
      description = "Print where a machine answers: 127.0.0.1 and a port, a line for each.",
      footer = "slipway vm ip --port 80 web")
  static final class Ip extends OfOne {
    @Option(
        names = "--port",
        paramLabel = "PORT",
        description = "of the guest (default: all that are forwarded)")
    @Nullable Integer port;

    @Override
    public Integer call() throws IOException {
      NamedMachine machine = machine();
      Map<Integer, Integer> ports = new TreeMap<>(machine.ports());
      if (ports.isEmpty()) {
        throw Problem.unavailable(
            "the machine " + name + " is off; slipway vm start " + name + " switches it on", null);
      }
      if (port != null) {
        Integer host = ports.get(port);
        if (host == null) {
          throw Problem.usage(
              "port "
                  + port
                  + " of the machine "
                  + name
                  + " is not forwarded; slipway vm run --forward does that");
        }
        spec.commandLine().getOut().println("127.0.0.1:" + host);
        return 0;
      }
      ports.forEach(
          (guest, host) -> spec.commandLine().getOut().println("127.0.0.1:" + host + " " + guest));
      return 0;
    }
  }

  /** {@code slipway vm wait NAME}. */
  @Command(
      name = "wait",
      mixinStandardHelpOptions = true,
      description =
          "Wait until a machine has switched itself off, or has said something on its serial"
              + " console, as long as it gets on.",
      footer = {"slipway vm wait web", "slipway vm wait --console login: web"})
  static final class Wait extends OfOne {
    @Option(
        names = "--console",
        paramLabel = "TEXT",
        description = "what its console says, be it before (default: until it is off)")
    @Nullable String text;

    @Option(
        names = "--failure",
        paramLabel = "TEXT",
        description =
            "what its console says when it fails, so that nobody waits for more; with --console")
    @Nullable String failure;

    @Override
    public Integer call() throws IOException, InterruptedException {
      String word = text;
      requireWord("--console", word);
      requireWord("--failure", failure);
      if (word != null) {
        machine().awaitWord(word, failure, BOOT_LIMIT);
      } else if (failure != null) {
        throw Problem.usage("--failure needs --console, which says what is waited for");
      } else {
        machine().awaitOff(BOOT_LIMIT);
      }
      return 0;
    }

    private static void requireWord(String option, @Nullable String word) {
      if (word != null && word.isEmpty()) {
        throw Problem.usage(option + " is empty; name what the machine says");
      }
    }
  }

  /** {@code slipway vm stop NAME}. */
  @Command(
      name = "stop",
      mixinStandardHelpOptions = true,
      description = "Press a machine's power button and wait until it is off.",
      footer = "slipway vm stop --force web")
  static final class Stop extends OfOne {
    @Option(
        names = {"-f", "--force"},
        description = "pull its plug instead")
    boolean force;

    @Override
    public Integer call() throws IOException, InterruptedException {
      if (force) {
        machine().powerCut();
      } else {
        machine().stop(BOOT_LIMIT);
      }
      return 0;
    }
  }

  /** {@code slipway vm rm NAME}. */
  @Command(
      name = "rm",
      mixinStandardHelpOptions = true,
      description =
          "Remove machines and what they wrote. A disk that was named stays; one of an image goes"
              + " when the image has gone.",
      footer = "slipway vm rm --force web")
  static final class Rm extends MachineCommand {
    @Option(
        names = {"-f", "--force"},
        description = "pull the plug of those that run")
    boolean force;

    @Parameters(arity = "1..*", paramLabel = "NAME", description = "of machines")
    List<String> names = List.of();

    @Override
    public Integer call() throws IOException, InterruptedException {
      for (String name : names) {
        MachineDisk.machines(state).require(name).remove(force);
        spec.commandLine().getOut().println(name);
      }
      return 0;
    }
  }
}
