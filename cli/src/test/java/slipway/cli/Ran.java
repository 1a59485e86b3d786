package slipway.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/**
 * How the program ended that was called in this process.
 *
 * @param status it exits with
 * @param out what it printed
 * @param err what it complained of
 */
public record Ran(int status, String out, String err) {
  /**
   * Runs the program.
   *
   * @param program the name that it is called by
   * @param arguments after the name
   */
  public static Ran of(String program, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        Main.run(
            program,
            arguments,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    return new Ran(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** As {@link #of}, with words before the others. */
  public static Ran of(String program, List<String> first, String... more) {
    return of(program, Stream.concat(first.stream(), Stream.of(more)).toArray(String[]::new));
  }
}
