package slipway.builder.language;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.Position;

/** A mode as chmod(1) takes it: {@code 0755}, or {@code u=rwX,go-w}. */
public final class Chmod {
  private static final Pattern OCTAL = Pattern.compile("[0-7]{1,5}");
  private static final Pattern CLAUSE = Pattern.compile("([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)");
  private static final Pattern ACTION = Pattern.compile("([-+=])([rwxXst]*|[ugo])(?=[-+=]|$)");

  /** The patterns take stack for each repetition. */
  private static final int LONGEST = 200;

  private record Change(String who, char operator, String permissions) {}

  private final int absolute;
  private final List<Change> changes;

  private Chmod(int absolute, List<Change> changes) {
    this.absolute = absolute;
    this.changes = changes;
  }

  /**
   * Parses.
   *
   * @throws slipway.base.Problem that names the place
   */
  public static Chmod parse(String text, Position at) {
    if (OCTAL.matcher(text).matches() && Integer.parseInt(text, 8) <= 07777) {
      return new Chmod(Integer.parseInt(text, 8), List.of());
    }
    if (text.length() > LONGEST) {
      throw at.problem("a mode of " + text.length() + " characters is none; write such as 0755");
    }
    List<Change> changes = new ArrayList<>();
    for (String clause : text.split(",", -1)) {
      Matcher m = CLAUSE.matcher(clause);
      if (!m.matches()) {
        throw at.problem(
            "\"" + text + "\" is not a mode; write octal digits such as 0755, or u=rwX,go=rX");
      }
      Matcher actions = ACTION.matcher(m.group(2));
      while (actions.find()) {
        String who = m.group(1).isEmpty() || m.group(1).contains("a") ? "ugo" : m.group(1);
        changes.add(new Change(who, actions.group(1).charAt(0), actions.group(2)));
      }
    }
    return new Chmod(-1, changes);
  }

  /** The new permission bits of a file that has {@code mode}. */
  public int apply(int mode, boolean directory) {
    if (absolute >= 0) {
      return absolute;
    }
    int result = mode & 07777;
    for (Change c : changes) {
      int bits = bits(c, result, directory);
      result =
          switch (c.operator) {
            case '+' -> result | bits;
            case '-' -> result & ~bits;
            default -> (result & ~everything(c.who)) | bits;
          };
    }
    return result;
  }

  /**
   * The permission bits of a directory that only comes along with the files that are meant: as
   * {@link #apply}, and who may read it may also search it. {@code 0644} is meant for files.
   */
  public int applyToCarried(int mode) {
    int given = apply(mode, true);
    return absolute >= 0 ? given | (given & 0444) >> 2 : given;
  }

  private static int bits(Change change, int mode, boolean directory) {
    int bits = 0;
    for (char who : change.who.toCharArray()) {
      int shift = who == 'u' ? 6 : who == 'g' ? 3 : 0;
      for (char p : change.permissions.toCharArray()) {
        bits |=
            switch (p) {
              case 'r' -> 4 << shift;
              case 'w' -> 2 << shift;
              case 'x' -> 1 << shift;
              case 'X' -> directory || (mode & 0111) != 0 ? 1 << shift : 0;
              case 's' -> who == 'u' ? 04000 : who == 'g' ? 02000 : 0;
              case 't' -> 01000;
              case 'u' -> (mode >> 6 & 7) << shift;
              case 'g' -> (mode >> 3 & 7) << shift;
              default -> (mode & 7) << shift;
            };
      }
    }
    return bits;
  }

  private static int everything(String who) {
    int bits = 0;
    for (int i = 0; i < who.length(); i++) {
      char c = who.charAt(i);
      bits |= c == 'u' ? 04700 : c == 'g' ? 02070 : 01007;
    }
    return bits;
  }
}
