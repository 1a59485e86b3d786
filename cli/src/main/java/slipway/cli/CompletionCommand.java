package slipway.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.cli.document.BashCompletion;

/** {@code slipway completion SHELL}, and likewise of other programs. */
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    description = "Print a script that lets a shell complete commands.")
abstract sealed class CompletionCommand implements Callable<Integer> {
  private final Program program;

  @Parameters(paramLabel = "bash", description = "the shell")
  String shell = "";

  @Spec CommandSpec spec;

  private CompletionCommand(Program program) {
    this.program = program;
  }

  @Override
  public Integer call() {
    if (!shell.equals("bash")) {
      throw Problem.usage("there is no completion for \"" + shell + "\"; there is one for bash");
    }
    var out = spec.commandLine().getOut();
    out.print(BashCompletion.of(CommandModel.whole(program)));
    out.flush();
    return 0;
  }

  /** Of all commands. */
  @Command(footer = "slipway completion bash > /etc/bash_completion.d/slipway")
  static final class OfSlipway extends CompletionCommand {
    OfSlipway() {
      super(Program.SLIPWAY);
    }
  }

  /** Of those of a machine's agent. */
  @Command(footer = "bootc completion bash > /etc/bash_completion.d/bootc")
  static final class OfBootc extends CompletionCommand {
    OfBootc() {
      super(Program.BOOTC);
    }
  }

  /** Of those that make disks. */
  @Command(footer = "bootc-image-builder completion bash > bash_completion")
  static final class OfImageBuilder extends CompletionCommand {
    OfImageBuilder() {
      super(Program.BOOTC_IMAGE_BUILDER);
    }
  }
}
