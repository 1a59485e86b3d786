package slipway.cli.server;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.cli.command.Signals;
import slipway.cli.output.LogLines;
import slipway.registry.RegistryServer;
import slipway.registry.catalog.RegistryRepair;

/** {@code slipway registry}: a registry server. */
@Command(
    name = "registry",
    mixinStandardHelpOptions = true,
    description = "Serve a registry, or repair what it keeps.",
    subcommands = {RegistryCommand.Serve.class, RegistryCommand.Repair.class})
public final class RegistryCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage(
        "which registry command? there are: slipway registry serve, slipway registry repair");
  }

  /** {@code slipway registry serve}: runs until it is told to stop. */
  @Command(
      name = "serve",
      mixinStandardHelpOptions = true,
      description = "Serve the OCI distribution API until interrupted.",
      footer = "slipway registry serve --storage /srv/registry --addr 127.0.0.1:5000")
  static final class Serve implements Callable<Integer> {
    // --root came first; with all other commands it is the state of the whole product.
    @Option(
        names = {"--storage", "--root"},
        paramLabel = "DIR",
        required = true,
        description = "where images are kept; made when missing")
    Path storage = Path.of("");

    @Option(
        names = "--addr",
        paramLabel = "HOST:PORT",
        defaultValue = "127.0.0.1:5000",
        description = "where to listen; port 0 takes a free one (default: ${DEFAULT-VALUE})")
    String address = "";

    @Option(
        names = "--max-connections",
        paramLabel = "N",
        defaultValue = "4000",
        description = {
          "connections at once (default: ${DEFAULT-VALUE}); a further one takes the place of",
          "a quiet one of the client that has the most"
        })
    int connections;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
      LogLines.install();
      InetSocketAddress listen = parse(address);
      if (connections < 1) {
        throw Problem.usage("--max-connections must be at least 1, not " + connections);
      }
      // And some seconds for the files.
      Signals.allow(RegistryServer.STOP_TIME.plusSeconds(5));
      try (RegistryServer server = RegistryServer.start(storage, listen, connections)) {
        Signals.serve();
        InetSocketAddress at = server.address();
        var out = spec.commandLine().getOut();
        out.println("Listening on " + at.getAddress().getHostAddress() + ":" + at.getPort());
        out.flush();
        // A signal interrupts this.
        new CountDownLatch(1).await();
        return 0;
      }
    }

    private static InetSocketAddress parse(String text) {
      int colon = text.lastIndexOf(':');
      try {
        if (colon > 0) {
          String host = text.substring(0, colon).replaceAll("^\\[|\\]$", "");
          InetSocketAddress address =
              new InetSocketAddress(host, Integer.parseInt(text.substring(colon + 1)));
          if (!address.isUnresolved()) {
            return address;
          }
        }
      } catch (IllegalArgumentException e) {
        throw new Problem(Problem.Kind.USAGE, wrong(text), e);
      }
      throw Problem.usage(wrong(text));
    }

    private static String wrong(String text) {
      return "\""
          + text
          + "\" is not an address to listen on; expected HOST:PORT, such as 127.0.0.1:5000";
    }
  }

  /** {@code slipway registry repair}: makes damaged storage usable again and tells what it did. */
  @Command(
      name = "repair",
      mixinStandardHelpOptions = true,
      description = {
        "Make a registry's storage usable again after its journal was lost or damaged.",
        "Nothing is deleted. What no line of the journal names can be pulled by digest from the"
            + " repository \"recovered\"."
      },
      footer = "slipway registry repair --storage /srv/registry")
  static final class Repair implements Callable<Integer> {
    @Option(
        names = "--storage",
        paramLabel = "DIR",
        required = true,
        description = "where the registry keeps its images; it must not be running")
    Path storage = Path.of("");

    @Spec CommandSpec spec;

    @Override
    public Integer call() {
      RegistryRepair.Result done = RegistryRepair.repair(storage);
      var out = spec.commandLine().getOut();
      out.printf(
          "Kept %d repositories; %d lines of the journal were damaged.%n",
          done.repositories(), done.damagedLines());
      out.printf(
          "Moved to the repository %s: %d manifests, %d blobs.%n",
          RegistryRepair.RECOVERED, done.manifests(), done.blobs());
      if (done.broken() > 0) {
        out.printf("Left as they are: %d files that do not have their digest.%n", done.broken());
      }
      if (done.oldJournal() != null) {
        out.printf("The old journal is %s.%n", done.oldJournal());
      }
      return 0;
    }
  }
}
