package slipway.cli.document;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDate;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import slipway.linux.process.Command;

class ManPageTest {
  private static final String ODD = ".so \\fBx\\fR 'a' \"b\" `c` ^d ~e --f \u00fc \u2192";

  /** Not a command of ours: each kind of thing that a page shows, and what roff might obey. */
  @CommandLine.Command(
      name = "odd",
      description = {ODD, "100%% at once."},
      footer = {"odd 'one'", "odd \\n(.x"})
  static final class Odd {
    @Option(
        names = {"-t", "--type"},
        paramLabel = "raw|qcow2",
        defaultValue = "raw",
        description = ".default: ${DEFAULT-VALUE}")
    String type = "";

    @Option(names = "--pull", arity = "0..1", paramLabel = "WHEN", description = "when")
    String pull = "";

    @Option(names = "--secret", hidden = true, description = "not to be seen")
    boolean secret;

    @Parameters(index = "0", paramLabel = "IMAGE", description = "name or id")
    String image = "";

    @Parameters(index = "1", arity = "0..1", paramLabel = "FILE", description = "a file")
    Path file = Path.of("");
  }

  @Test
  void whatRoffMightObeyIsPrintedAsItIs() {
    CommandLine line = new CommandLine(new Odd());
    String page = ManPage.of(line.getCommandSpec(), 1, "1.0", LocalDate.of(2026, 2, 3));
    Command.Result result =
        Command.of("groff", "-man", "-Tutf8", "-ww", "-P-cbou", "-rLL=200n")
            .stdin(page.getBytes(StandardCharsets.US_ASCII))
            .run();
    assertThat(result.stderr()).isEmpty();
    assertThat(result.text())
        .contains(
            "odd [OPTIONS] IMAGE [FILE]",
            ODD + " 100% at once.",
            "-t, --type=raw|qcow2",
            ".default: raw",
            "--pull[=WHEN]",
            "--limit=NAME=VALUE",
            "\n       odd 'one'\n       odd \\n(.x\n",
            "2026-02-03")
        .doesNotContain("secret");
  }
}
