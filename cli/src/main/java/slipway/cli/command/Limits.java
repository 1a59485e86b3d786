package slipway.cli.command;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.cli.output.Table;

/** The option {@code --limit NAME=VALUE}, which stands anywhere on any command line. */
public final class Limits {
  private static final String OPTION = "--limit";

  private Limits() {}

  /**
   * Puts the limits of a command line in force.
   *
   * @return the other words; null when the list of limits is asked for
   * @throws Problem (USAGE) for a limit that is not there or a value that is none
   */
  public static String @Nullable [] take(String[] args) {
    List<String> rest = new ArrayList<>(args.length);
    for (int i = 0; i < args.length; i++) {
      String word = args[i];
      if (word.equals("--")) {
        rest.addAll(List.of(args).subList(i, args.length));
        break;
      }
      if (!word.equals(OPTION) && !word.startsWith(OPTION + "=")) {
        rest.add(word);
        continue;
      }
      if (word.equals(OPTION) && ++i == args.length) {
        throw Problem.usage(OPTION + " takes NAME=VALUE; " + OPTION + " help lists the names");
      }
      String value = word.equals(OPTION) ? args[i] : word.substring(OPTION.length() + 1);
      if (value.equals("help")) {
        return null;
      }
      Limit.set(value, OPTION);
    }
    return rest.toArray(String[]::new);
  }

  /** All limits with the values in force. */
  public static String text() {
    Table table = new Table("NAME", "VALUE", "BOUNDS");
    for (Limit limit : Limit.values()) {
      table.row(limit.label(), limit.text(), limit.what());
    }
    return table.toString();
  }
}
