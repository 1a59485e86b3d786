package slipway.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import slipway.base.Cleanup;
import slipway.base.FileReason;
import slipway.base.FullDisk;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.document.SyntaxFault;
import slipway.cli.command.ExitCodes;
import slipway.cli.command.Limits;
import slipway.cli.command.Signals;
import slipway.cli.command.UsageFault;
import slipway.cli.command.Version;
import slipway.cli.output.LogLines;
import slipway.cli.output.StandardOutput;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.UnixException;
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

  private static int columns(PrintStream out) {
    return out instanceof StandardOutput terminal ? terminal.columns() : 0;
  }

  private static int help(String text, PrintStream out) {
    out.print(text);
    return 0;
  }

  private static int dispatch(String name, String[] line, PrintStream out, PrintStream err) {
    boolean builder = name.equals(ImageBuilderLine.NAME);
    String[] args = builder ? ImageBuilderLine.complete(line) : line;
    String word = args.length == 0 ? "--help" : args[0];
    String[] rest = Arrays.copyOfRange(args, Math.min(1, args.length), args.length);
    boolean version =
        switch (word) {
          case "--version", "-V", "-v", "version" -> true;
          default -> false;
        };
    if (version && rest.length == 0) {
      return help(builder ? ImageBuilderLine.version() : name + " " + Version.text() + "\n", out);
    }
    Program program = Program.of(name);
    if (program == null) {
      throw new IllegalArgumentException("no program is called " + name);
    }
    if (version) {
      return help(Help.pageOfNoWords(program, List.of(rest), columns(out)), out);
    }
    return switch (word) {
      case "--help", "-h", "help" -> help(Help.page(program, List.of(rest), columns(out)), out);
      default -> dispatch(program, word, rest, out, err);
    };
  }

  private static int dispatch(
      Program program, String word, String[] rest, PrintStream out, PrintStream err) {
    Verb verb = Verb.of(program, word);
    if (verb != null) {
      return execute(Help.line(program, verb, word), rest, out, err);
    }
    Program other = Program.of(word);
    if (other != null && program.programs().contains(other)) {
      return dispatch(word, rest, out, err);
    }
    throw Help.unknown(program, word);
  }

  private static int execute(CommandLine line, String[] args, PrintStream out, PrintStream err) {
    line.setOut(new java.io.PrintWriter(out, true, java.nio.charset.StandardCharsets.UTF_8));
    line.setErr(new java.io.PrintWriter(err, true, java.nio.charset.StandardCharsets.UTF_8));
    line.setParameterExceptionHandler(
        (e, a) -> {
          err.println("error: " + UsageFault.sentence(e, List.of(a)));
          return Problem.Kind.USAGE.exitCode();
        });
    line.setExecutionExceptionHandler(
        (e, l, result) -> {
          int status = report(e, err);
          return problem(e) instanceof Problem p && l.getCommand() instanceof ExitCodes codes
              ? codes.exitCode(p)
              : status;
        });
    line.setExecutionStrategy(
        parsed -> {
          Help.refuseUnknown(parsed);
          return Help.asked(parsed, columns(out))
              .map(page -> help(page, out))
              .orElseGet(() -> new CommandLine.RunLast().execute(parsed));
        });
    int status = line.execute(args);
    line.getOut().flush();
    return status;
  }

  /** What is a problem with a kind: a full disk is one, whoever met it. */
  private static Throwable problem(Throwable e) {
    return cause(e) instanceof IOException io && FullDisk.isCauseOf(io)
        ? Problem.full(sentence(e))
        : e;
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
    if (LogLines.areTracesShown()) {
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
          case JacksonException j -> "a document cannot be read: " + SyntaxFault.said(j);
          case OutOfMemoryError m ->
              "this needs more memory than the "
                  + (Runtime.getRuntime().maxMemory() >> 20)
                  + " MiB that this command may use; "
                  + Limit.moreMemory()
                  + " (SLIPWAY_DEBUG=1 shows where)";
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

  /** What could not be written because its file system takes no more files. */
  private static Optional<Path> lacksInodes(IOException io) {
    try {
      Optional<Path> written = FullDisk.isCauseOf(io) ? FullDisk.written(io) : Optional.empty();
      return written.isPresent() && Mounts.lacksInodes(written.get()) ? written : Optional.empty();
    } catch (UnixException e) {
      return Optional.empty();
    }
  }

  /** The messages of file errors are often only a path. */
  private static String describe(Throwable outer, IOException io) {
    String text = lacksInodes(io).map(FullDisk::ofInodes).orElseGet(() -> FileReason.advised(io));
    return outer == io || outer.getMessage() == null || outer.getMessage().contains(text)
        ? text
        : outer.getMessage() + ": " + text;
  }
}
