package slipway.cli;

import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/**
 * All commands of a program in one model of picocli's, which documents are made of. To run a
 * command it would cost too much: all classes of all commands.
 */
final class CommandModel {
  private CommandModel() {}

  /** The program with its verbs. */
  static CommandSpec of(Program program) {
    CommandSpec spec = CommandSpec.create().name(program.word());
    spec.usageMessage()
        .description(sentence(program.summary()))
        .footer(program.examples().toArray(String[]::new));
    for (Verb verb : program.verbs()) {
      spec.addSubcommand(verb.word(), line(verb));
    }
    return spec;
  }

  private static CommandLine line(Verb verb) {
    CommandLine line = verb.line();
    line.getCommandSpec().aliases(verb.aliases().toArray(String[]::new));
    return line;
  }

  /** The program with its verbs and the programs below it, as the command line takes them. */
  static CommandSpec whole(Program program) {
    CommandSpec spec = of(program);
    for (Program below : program.programs()) {
      spec.addSubcommand(below.word(), new CommandLine(of(below)));
    }
    return spec;
  }

  static String sentence(String summary) {
    return Character.toUpperCase(summary.charAt(0)) + summary.substring(1) + ".";
  }
}
