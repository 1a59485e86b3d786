package slipway.cli.server;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.cli.command.Signals;
import slipway.cli.output.JsonText;
import slipway.cli.output.LogLines;
import slipway.cli.output.Terminal;
import slipway.netboot.DhcpSettings;
import slipway.netboot.NetbootEvent;
import slipway.netboot.NetbootServer;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code slipway netboot}: machines that start from the network. */
@Command(
    name = "netboot",
    mixinStandardHelpOptions = true,
    description = "Serve what machines start from over the network.",
    subcommands = NetbootCommand.Serve.class)
public final class NetbootCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage("which netboot command? there is: slipway netboot serve");
  }

  /** {@code slipway netboot serve DIR}: runs until it is told to stop. */
  @Command(
      name = "serve",
      mixinStandardHelpOptions = true,
      description = "Serve a folder by HTTP and TFTP until interrupted, as --type pxe makes one.",
      footer = {
        "slipway netboot serve --dhcp proxy out/pxe",
        "slipway netboot serve --http-port 8080 --no-tftp out/pxe"
      })
  static final class Serve implements Callable<Integer> {
    private static final Duration STOP_TIME = Duration.ofSeconds(15);

    @Option(
        names = "--bind",
        paramLabel = "ADDRESS",
        defaultValue = "0.0.0.0",
        description = "where to listen (default: ${DEFAULT-VALUE}, all)")
    String bind = "0.0.0.0";

    @Option(
        names = "--server",
        paramLabel = "ADDRESS",
        description = "how machines reach this one (default: --bind, or its only address)")
    @Nullable String server;

    @Option(
        names = "--http-port",
        paramLabel = "PORT",
        defaultValue = "80",
        description = "0 takes a free one (default: ${DEFAULT-VALUE}, which GRUB needs)")
    int httpPort = 80;

    @Option(
        names = "--tftp-port",
        paramLabel = "PORT",
        defaultValue = "69",
        description = "0 takes a free one (default: ${DEFAULT-VALUE}, which firmware needs)")
    int tftpPort = 69;

    @Option(names = "--no-tftp", description = "serve by HTTP alone")
    boolean noTftp;

    @Option(
        names = "--dhcp",
        paramLabel = "none|proxy|print",
        defaultValue = "none",
        description = {
          "proxy: tell machines what to load, beside the DHCP server that gives them addresses;",
          "print: print what another DHCP server must say (default: ${DEFAULT-VALUE})"
        })
    String dhcp = "none";

    @Option(
        names = "--dhcp-port",
        paramLabel = "PORT",
        defaultValue = "67",
        description = "of --dhcp proxy (default: ${DEFAULT-VALUE}, which firmware needs)")
    int dhcpPort = 67;

    @Option(
        names = "--pxe-port",
        paramLabel = "PORT",
        defaultValue = "4011",
        description = "of --dhcp proxy (default: ${DEFAULT-VALUE}, which firmware needs)")
    int pxePort = 4011;

    @Option(
        names = "--max-connections",
        paramLabel = "N",
        defaultValue = "4000",
        description = {
          "connections of HTTP at once (default: ${DEFAULT-VALUE}); a further one takes the place",
          "of a quiet one of the client that has the most"
        })
    int connections = 4000;

    @Option(names = "--json", description = "print what is served as lines of JSON")
    boolean json;

    @Parameters(paramLabel = "DIR", description = "the folder")
    Path folder = Path.of("");

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
      LogLines.install();
      check();
      InetAddress address = address(bind, "--bind");
      Inet4Address reached = reached(address);
      PrintWriter out = spec.commandLine().getOut();
      NetbootServer.Listening where =
          new NetbootServer.Listening(
              address,
              reached,
              httpPort,
              noTftp ? -1 : tftpPort,
              dhcp.equals("proxy") ? dhcpPort : -1,
              pxePort,
              connections);
      Signals.allow(STOP_TIME);
      try (NetbootServer running = NetbootServer.start(folder, where, log(out))) {
        Signals.serve();
        begin(out, running, reached);
        // A signal interrupts this.
        new CountDownLatch(1).await();
        return 0;
      }
    }

    private void check() {
      if (!List.of("none", "proxy", "print").contains(dhcp)) {
        throw Problem.usage("--dhcp takes none, proxy or print, not \"" + dhcp + "\"");
      }
      for (int port : new int[] {httpPort, tftpPort, dhcpPort, pxePort}) {
        if (port < 0 || port > 65535) {
          throw Problem.usage(port + " is no port; there are 0 to 65535");
        }
      }
      if (connections < 1) {
        throw Problem.usage("--max-connections must be at least 1, not " + connections);
      }
      if (dhcp.equals("proxy") && noTftp) {
        throw Problem.usage(
            "--dhcp proxy names files that firmware loads by TFTP: leave out --no-tftp");
      }
    }

    private static InetAddress address(String text, String option) {
      try {
        // A name would be looked up.
        if (text.matches("[0-9.]+") || text.contains(":")) {
          return InetAddress.getByName(text);
        }
      } catch (UnknownHostException e) {
        throw new Problem(Problem.Kind.USAGE, wrong(text, option), e);
      }
      throw Problem.usage(wrong(text, option));
    }

    private static String wrong(String text, String option) {
      return option + " takes an address such as 192.0.2.1, not \"" + text + "\"";
    }

    private Inet4Address reached(InetAddress address) throws IOException {
      if (server == null && address.isAnyLocalAddress()) {
        return NetbootServer.ownAddress();
      }
      InetAddress said = server == null ? address : address(server, "--server");
      if (said instanceof Inet4Address found && !found.isAnyLocalAddress()) {
        return found;
      }
      throw Problem.usage(
          "machines start from the network by IPv4: give such an address by --server");
    }

    private void begin(PrintWriter out, NetbootServer running, Inet4Address reached) {
      String url = NetbootServer.url(reached, running.httpPort());
      if (json) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        node.put("event", "listening").put("http", url);
        if (running.tftpPort() >= 0) {
          node.put("tftp", running.tftpPort());
        }
        if (!running.dhcpPorts().isEmpty()) {
          running.dhcpPorts().forEach(node.putArray("dhcp")::add);
        }
        out.println(JsonText.line(node));
      } else {
        out.println("Serving " + Printable.text(folder.toString()) + " at " + url);
        if (running.tftpPort() >= 0) {
          out.println("TFTP port " + running.tftpPort());
        }
        if (!running.dhcpPorts().isEmpty()) {
          out.println("DHCP ports " + running.dhcpPorts());
        }
      }
      if (dhcp.equals("print")) {
        out.print(new DhcpSettings(reached.getHostAddress(), url).text());
      }
      out.flush();
    }

    /** What is served is told to people who watch, and to programs that ask for it. */
    private Consumer<NetbootEvent> log(PrintWriter out) {
      if (json) {
        return event -> print(out, JsonText.line(json(event)));
      }
      return Terminal.stdoutIsTerminal() ? event -> print(out, line(event)) : event -> {};
    }

    private static synchronized void print(PrintWriter out, String line) {
      out.println(line);
      out.flush();
    }

    private static String line(NetbootEvent event) {
      return "%s  %s  %s  %s  %d bytes  %.1f s"
          .formatted(
              event.protocol(),
              event.client(),
              event.file(),
              event.result(),
              event.bytes(),
              event.took().toMillis() / 1e3);
    }

    private static ObjectNode json(NetbootEvent event) {
      return JsonNodeFactory.instance
          .objectNode()
          .put("event", "served")
          .put("protocol", event.protocol())
          .put("client", event.client())
          .put("file", event.file())
          .put("result", event.result())
          .put("bytes", event.bytes())
          .put("seconds", event.took().toMillis() / 1e3);
    }
  }
}
