package slipway.cli.disk;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.media.kickstart.KickstartFile;
import slipway.media.kickstart.KickstartFinding;
import slipway.media.kickstart.KickstartParser;
import slipway.media.kickstart.KickstartVersion;

/** {@code slipway kickstart}: the answers that an unattended installation gives. */
@Command(
    name = "kickstart",
    mixinStandardHelpOptions = true,
    description = "Check kickstart files of unattended installations.",
    subcommands = KickstartTool.Check.class)
public final class KickstartTool implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage("which kickstart command? there is: slipway kickstart check");
  }

  /** {@code slipway kickstart check FILE}: pykickstart's verdict, with all that is wrong. */
  @Command(
      name = "check",
      description = "Tell what an installer would refuse in a kickstart file, and what to mend.",
      footer = {
        "slipway kickstart check --version RHEL10 machine.ks",
        "slipway kickstart check --json machine.ks"
      })
  public static final class Check implements Callable<Integer> {
    private static final String STDIN = "-";

    // The standard options would bring a --version that tells Slipway's.
    @Option(
        names = {"-h", "--help"},
        usageHelp = true,
        description = "Show this help message and exit.")
    boolean help;

    @Option(
        names = "--version",
        paramLabel = "F45|RHEL9|RHEL10",
        defaultValue = "F45",
        description = "of the syntax that the installer takes (default: ${DEFAULT-VALUE})")
    String version = "F45";

    @Option(names = "--json", description = "print a JSON object")
    boolean json;

    @Parameters(paramLabel = "FILE", description = "or - for standard input")
    Path file = Path.of(STDIN);

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      KickstartVersion syntax = KickstartVersion.parse(version);
      KickstartFile read =
          file.toString().equals(STDIN)
              ? KickstartParser.parse("stdin", System.in, syntax)
              : KickstartParser.parse(file, syntax);
      PrintWriter out = spec.commandLine().getOut();
      if (json) {
        out.println(KickstartJson.of(read));
        out.flush();
        return read.isValid() ? 0 : 1;
      }
      PrintWriter err = spec.commandLine().getErr();
      read.findings().forEach(finding -> print(err, finding));
      err.flush();
      String name = Printable.text(read.name());
      long errors = read.findings().stream().filter(KickstartFinding::isError).count();
      if (errors > 0) {
        throw Problem.input(
            "an installer of " + syntax + " refuses " + name + ", for " + count(errors, "error"));
      }
      long warnings = read.findings().size();
      out.println(
          "an installer of "
              + syntax
              + " takes "
              + name
              + (warnings == 0 ? "" : ", with " + count(warnings, "warning")));
      out.flush();
      return 0;
    }

    private static String count(long number, String word) {
      return number + " " + word + (number == 1 ? "" : "s");
    }
  }

  /** A finding, and below it what to do. */
  static void print(PrintWriter err, KickstartFinding finding) {
    String severity = finding.severity().name().toLowerCase(Locale.ROOT);
    err.println(
        Printable.text(finding.at() + ": " + severity + ": " + finding.message())
            + (finding.fix().isEmpty() ? "" : "\n    " + Printable.text(finding.fix())));
  }
}
