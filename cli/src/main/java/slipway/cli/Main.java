package slipway.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.InvalidPathException;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import slipway.base.Cleanup;
import slipway.base.FileReason;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Spelling;
import slipway.cli.command.Limits;
import slipway.cli.command.Signals;
import slipway.cli.command.UsageFault;
import slipway.cli.command.Version;
import slipway.cli.output.StandardOutput;
import tools.jackson.core.JacksonException;

/**
 * The entry of every name that the product answers to. It looks at the first word and builds the
 * model of that one command only, because building all of them costs more than most commands do.
 * Exit codes: 0 done, 1 a {@link Problem}, 2 wrong usage.
 */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Signals signals = Signals.listen(System.err);
    Thread.setDefaultUncaughtExceptionHandler((thread, e) -> uncaught(e, signals));
    String name = System.getProperty("slipway.name", "slipway");
    int status = run(name, args, StandardOutput.ofProcess(), System.err);
    signals.done();
    // System.exit asks for a logger first, and so opens every jar of the class path.
    if (status != 0) {
      System.exit(status);
    }
  }

  private static void uncaught(Throwable e, Signals signals) {
    if (Cleanup.isStopped()) {
      return;
    }
    trace(e, System.err);
    String sentence = sentence(e);
    if (Signals.serves()) {
      System.err.println("error: " + sentence);
    } else {
      signals.fail(sentence);
    }
  }

  /**
   * Runs one command line, which fails too when its output is lost.
   *
   * @param name what we were called: the name of a {@link Program}
   * @return the exit code
   */
  public static int run(String name, String[] args, StandardOutput out, PrintStream err) {
    int status = run(name, args, (PrintStream) out, err);
    try {
      out.finish();
      return status;
    } catch (IOException e) {
      return status == 0 ? report(e, err) : status;
    }
  }

  /**
   * Runs one command line.
   *
   * @param name what we were called: the name of a {@link Program}
   * @return the exit code
   */
  public static int run(String name, String[] args, PrintStream out, PrintStream err) {
    try {
      String environment = System.getenv(Limit.ENVIRONMENT);
      if (environment != null) {
        Limit.set(environment, Limit.ENVIRONMENT);
      }
      String[] words = Limits.take(args);
      return words == null ? help(Limits.text(), out) : dispatch(name, words, out, err);
    } catch (Throwable e) {
      return report(e, err);
    }
  }

  private static int help(String text, PrintStream out) {
    out.print(text);
    return 0;
  }

  private static int dispatch(String name, String[] args, PrintStream out, PrintStream err) {
    String word = args.length == 0 ? "--help" : args[0];
    switch (word) {
      case "--version", "-V", "version" -> {
        return help(name + " " + Version.text() + "\n", out);
      }
      case "help" -> {
        if (args.length > 1) {
          String[] asked = Arrays.copyOfRange(args, 1, args.length + 1);
          asked[asked.length - 1] = "--help";
          return dispatch(name, asked, out, err);
        }
      }
      default -> {}
    }
    Program program = Program.of(name);
    if (program == null) {
      throw new IllegalArgumentException("no program is called " + name);
    }
    String[] rest = Arrays.copyOfRange(args, Math.min(1, args.length), args.length);
    return switch (word) {
      case "--help", "-h", "help" -> help(Usage.of(program), out);
      default -> dispatch(program, word, rest, out, err);
    };
  }

  private static int dispatch(
      Program program, String word, String[] rest, PrintStream out, PrintStream err) {
    Verb verb = Verb.of(program, word);
    if (verb != null) {
      return execute(program.word() + " " + word, verb.line(), rest, out, err);
    }
    Program other = Program.of(word);
    if (other != null && program.programs().contains(other)) {
      return dispatch(word, rest, out, err);
    }
    throw Problem.usage(unknown(program, word));
  }

  private static String unknown(Program program, String word) {
    String help = "; " + program.word() + " --help lists the commands";
    if (word.startsWith("-")) {
      return "unknown option " + word + help;
    }
    String hint = Spelling.hint(word, program.words(), "");
    return "unknown command \"" + word + "\"" + (hint.isEmpty() ? help : hint);
  }

  private static int execute(
      String name, CommandLine line, String[] args, PrintStream out, PrintStream err) {
    line.setCommandName(name);
    line.setOut(new java.io.PrintWriter(out, true, java.nio.charset.StandardCharsets.UTF_8));
    line.setErr(new java.io.PrintWriter(err, true, java.nio.charset.StandardCharsets.UTF_8));
    complete(line);
    line.setParameterExceptionHandler(
        (e, a) -> {
          err.println("error: " + UsageFault.sentence(e));
          return Problem.Kind.USAGE.exitCode();
        });
    line.setExecutionExceptionHandler((e, l, result) -> report(e, err));
    int status = line.execute(args);
    line.getOut().flush();
    return status;
  }

  /**
   * A command's footer is its examples. Below them stands {@code --limit}, which is taken before a
   * command sees its words, so that its model does not know of it.
   */
  private static void complete(CommandLine line) {
    CommandLine.Model.UsageMessageSpec usage = line.getCommandSpec().usageMessage();
    StringBuilder footer = new StringBuilder();
    for (String example : usage.footer()) {
      footer
          .append(footer.isEmpty() ? "%nExamples:%n" : "")
          .append("  ")
          .append(example)
          .append("%n");
    }
    footer.append("%n--limit NAME=VALUE changes a bound on costs; --limit help lists the bounds.");
    usage.footer(footer.toString());
    line.getSubcommands().values().forEach(Main::complete);
  }

  private static int report(Throwable e, PrintStream err) {
    trace(e, err);
    // Who was told to end by a signal has said so.
    if (!Cleanup.isStopped()) {
      err.println("error: " + sentence(e));
    }
    return e instanceof Problem p ? p.kind().exitCode() : 1;
  }

  private static void trace(Throwable e, PrintStream err) {
    if (System.getenv("SLIPWAY_DEBUG") != null) {
      e.printStackTrace(err);
    }
  }

  /** What a failure says to the user: one line, and below it what a tool said, indented. */
  public static String sentence(Throwable e) {
    Throwable shown = cause(e);
    String text =
        switch (shown) {
          case Problem p -> p.sentence();
          case IOException io -> describe(e, io);
          case InvalidPathException p -> "\"" + p.getInput() + "\" is not a path: " + p.getReason();
          case JacksonException j -> "a document cannot be read: " + j.getOriginalMessage();
          case OutOfMemoryError m ->
              "this needs more memory than the "
                  + (Runtime.getRuntime().maxMemory() >> 20)
                  + " MiB that this command may use (SLIPWAY_DEBUG=1 shows where)";
          case StackOverflowError s ->
              "something is nested too deeply to be worked on (SLIPWAY_DEBUG=1 shows where)";
          default -> "internal error, please report it (SLIPWAY_DEBUG=1 shows where): " + shown;
        };
    String details = shown instanceof Problem p ? p.details() : "";
    return Stream.concat(Stream.of(text), details.lines())
        .map(Printable::text)
        .collect(Collectors.joining("\n  "));
  }

  /** What threads and lambdas wrapped. */
  private static Throwable cause(Throwable e) {
    Throwable at = e;
    while (true) {
      Throwable inner = at.getCause();
      boolean wraps =
          at instanceof UncheckedIOException
              || at instanceof DirectoryIteratorException
              || at instanceof ExecutionException
              || (at instanceof IllegalStateException
                  && (inner instanceof ExecutionException || inner instanceof Error));
      if (inner == null || !wraps) {
        return at;
      }
      at = inner;
    }
  }

  /** The messages of file errors are often only a path. */
  private static String describe(Throwable outer, IOException io) {
    String text = FileReason.of(io);
    return outer == io || outer.getMessage() == null || outer.getMessage().contains(text)
        ? text
        : outer.getMessage() + ": " + text;
  }
}
