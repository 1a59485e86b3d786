package slipway.cli;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.registry.RegistryServer;

/** {@code slipway registry}: a registry server. */
@Command(
    name = "registry",
    mixinStandardHelpOptions = true,
    description = "Serve a registry.",
    subcommands = RegistryCommand.Serve.class)
final class RegistryCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage("which registry command? there is: slipway registry serve");
  }

  /** {@code slipway registry serve}: runs until it is told to stop. */
  @Command(
      name = "serve",
      mixinStandardHelpOptions = true,
      description = "Serve the OCI distribution API until interrupted.")
  static final class Serve implements Callable<Integer> {
    @Option(
        names = "--root",
        paramLabel = "DIR",
        required = true,
        description = "where images are kept; made when missing")
    Path root = Path.of("");

    @Option(
        names = "--addr",
        paramLabel = "HOST:PORT",
        defaultValue = "127.0.0.1:5000",
        description = "where to listen; port 0 takes a free one (default: ${DEFAULT-VALUE})")
    String address = "";

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
      LogLines.install();
      try (RegistryServer server = RegistryServer.start(root, parse(address))) {
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
}
