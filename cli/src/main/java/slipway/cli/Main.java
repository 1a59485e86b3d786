package slipway.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import slipway.base.Problem;

/**
 * The entry of every name that the product answers to. It looks at the first word and builds the
 * model of that one command only, because building all of them costs more than most commands do.
 * Exit codes: 0 done, 1 a {@link Problem}, 2 wrong usage.
 */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    int status = run(System.getProperty("slipway.name", "slipway"), args, System.out, System.err);
    System.out.flush();
    // System.exit asks for a logger first, and so opens every jar of the class path.
    if (status != 0) {
      System.exit(status);
    }
  }

  /**
   * Runs one command line.
   *
   * @param name what we were called: {@code slipway} or {@code bootc}
   * @return the exit code
   */
  static int run(String name, String[] args, PrintStream out, PrintStream err) {
    try {
      boolean bootc = name.equals("bootc");
      String word = args.length == 0 ? "--help" : args[0];
      switch (word) {
        case "--version", "-V", "version" -> {
          out.println(name + " " + Version.text());
          return 0;
        }
        case "--help", "-h", "help" -> {
          out.print(bootc ? Usage.bootc() : Usage.slipway());
          return 0;
        }
        default -> {}
      }
      String[] rest = Arrays.copyOfRange(args, 1, args.length);
      if (!bootc && word.equals("bootc")) {
        return run("bootc", rest, out, err);
      }
      Object command = bootc ? Commands.bootc(word) : Commands.slipway(word);
      if (command == null) {
        throw Problem.usage(unknown(name, word));
      }
      return execute(name + " " + word, command, rest, out, err);
    } catch (Problem e) {
      return report(e, err);
    }
  }

  private static String unknown(String name, String word) {
    return word.startsWith("-")
        ? "unknown option " + word + "; " + name + " --help lists the commands"
        : "unknown command \"" + word + "\"; " + name + " --help lists the commands";
  }

  private static int execute(
      String name, Object command, String[] args, PrintStream out, PrintStream err) {
    CommandLine line = new CommandLine(command);
    line.setCommandName(name);
    line.setOut(new java.io.PrintWriter(out, true, java.nio.charset.StandardCharsets.UTF_8));
    line.setErr(new java.io.PrintWriter(err, true, java.nio.charset.StandardCharsets.UTF_8));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setParameterExceptionHandler(
        (e, a) -> {
          err.println("error: " + e.getMessage());
          err.println(
              "For help: " + e.getCommandLine().getCommandSpec().qualifiedName() + " --help");
          return Problem.Kind.USAGE.exitCode();
        });
    line.setExecutionExceptionHandler((e, l, result) -> report(e, err));
    return line.execute(args);
  }

  private static int report(Exception e, PrintStream err) {
    if (System.getenv("SLIPWAY_DEBUG") != null) {
      e.printStackTrace(err);
    }
    Throwable shown =
        e instanceof UncheckedIOException u && u.getCause() != null ? u.getCause() : e;
    String text =
        switch (shown) {
          case Problem p -> p.getMessage();
          case IOException io -> describe(e, io);
          default -> "internal error, please report it (SLIPWAY_DEBUG=1 shows where): " + shown;
        };
    err.println("error: " + text);
    return shown instanceof Problem p ? p.kind().exitCode() : 1;
  }

  /** The messages of file errors are often only a path. */
  private static String describe(Exception outer, IOException io) {
    String text =
        switch (io) {
          case java.nio.file.NoSuchFileException f -> f.getFile() + " does not exist";
          case java.nio.file.AccessDeniedException f -> "permission denied: " + f.getFile();
          case java.nio.file.FileAlreadyExistsException f -> f.getFile() + " exists already";
          default -> orClass(io);
        };
    return outer == io || outer.getMessage() == null || outer.getMessage().contains(text)
        ? text
        : outer.getMessage() + ": " + text;
  }

  private static String orClass(Exception e) {
    @Nullable String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }
}
