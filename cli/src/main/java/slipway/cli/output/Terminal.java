package slipway.cli.output;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import slipway.linux.posix.Ioctls;

/**
 * What is known of the terminal, found out without a native call, because the first of those costs
 * more than a command; help alone makes one.
 */
public final class Terminal {
  private static final int USUAL_WIDTH = 100;

  private Terminal() {}

  public static boolean stdinIsTerminal() {
    return isTerminal(0);
  }

  public static boolean stdoutIsTerminal() {
    return isTerminal(1);
  }

  public static boolean stderrIsTerminal() {
    return isTerminal(2);
  }

  private static boolean isTerminal(int descriptor) {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
      return target.startsWith("/dev/pts/")
          || target.startsWith("/dev/tty")
          || target.equals("/dev/console");
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Asks at the terminal whether to go on.
   *
   * @return whether the answer is yes; the end of the input is none
   */
  public static boolean confirms(PrintWriter out) throws IOException {
    out.print("Are you sure you want to continue? [y/N] ");
    out.flush();
    String answer =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
    return answer != null && answer.strip().toLowerCase(Locale.ROOT).matches("y|yes");
  }

  /** Whether the terminal, as the environment names it, obeys no escape sequences. */
  public static boolean isDumb() {
    return isDumb(System.getenv("TERM"));
  }

  static boolean isDumb(@Nullable String name) {
    return name == null || name.isEmpty() || name.equals("dumb");
  }

  /** Columns: what the shell exports, else a width that fits most windows. */
  static int width() {
    int columns = exported();
    return columns == 0 ? USUAL_WIDTH : Math.max(40, columns);
  }

  /** Columns of what stdout is: what the shell exports, else the terminal's own; 0 of a pipe. */
  static int stdoutColumns() {
    if (!stdoutIsTerminal()) {
      return 0;
    }
    int columns = exported();
    return columns == 0 ? Ioctls.columns(1) : columns;
  }

  /** 0 when that is no number. */
  private static int exported() {
    String columns = System.getenv("COLUMNS");
    return columns != null && columns.matches("[0-9]{1,5}") ? Integer.parseInt(columns) : 0;
  }
}
