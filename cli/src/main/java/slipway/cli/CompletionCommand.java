package slipway.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.cli.document.BashCompletion;

/** {@code slipway completion SHELL}. */
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    description = "Print a script that lets a shell complete commands.",
    footer = "slipway completion bash > /etc/bash_completion.d/slipway")
final class CompletionCommand implements Callable<Integer> {
  @Parameters(paramLabel = "bash", description = "the shell")
  String shell = "";

  @Spec CommandSpec spec;

  @Override
  public Integer call() {
    if (!shell.equals("bash")) {
      throw Problem.usage("there is no completion for \"" + shell + "\"; there is one for bash");
    }
    var out = spec.commandLine().getOut();
    out.print(BashCompletion.of(CommandModel.whole(Program.SLIPWAY)));
    out.flush();
    return 0;
  }
}
