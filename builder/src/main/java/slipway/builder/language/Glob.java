package slipway.builder.language;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;
import slipway.base.Position;

/**
 * File name patterns as Go's path.Match has them: {@code *}, {@code ?}, {@code [a-z]}, {@code
 * [^a-z]}, a backslash takes the meaning away; {@code *} and {@code ?} never match a slash. With
 * {@code **} for any number of directories where asked for.
 */
public final class Glob {
  private static final IntPredicate IN_NAME = c -> c != '/';

  private final int[] glob;
  private final boolean doubleStar;
  private final Wildcard.Draft draft;
  private int next;

  private Glob(String glob, boolean doubleStar, Position at) {
    this.glob = Wildcard.codes(glob);
    this.doubleStar = doubleStar;
    this.draft = new Wildcard.Draft(glob, at.toString());
  }

  /** Whether the text holds a character with a meaning. */
  public static boolean isPattern(String text) {
    return text.chars().anyMatch(c -> c == '*' || c == '?' || c == '[' || c == '\\');
  }

  /**
   * Compiles for a whole match.
   *
   * @param doubleStar whether {@code **} crosses slashes
   * @throws slipway.base.Problem when brackets or escapes are not complete
   */
  public static Wildcard compile(String glob, boolean doubleStar, Position at) {
    return new Glob(glob, doubleStar, at)
        .compile()
        .orElseThrow(
            () ->
                at.problem(
                    "\"" + glob + "\" is not a pattern; check its brackets and backslashes"));
  }

  private Optional<Wildcard> compile() {
    while (next < glob.length) {
      int c = glob[next++];
      switch (c) {
        case '*' -> stars();
        case '?' -> draft.one(IN_NAME);
        case '[' -> {
          if (!brackets()) {
            return Optional.empty();
          }
        }
        case '\\' -> {
          if (next == glob.length) {
            return Optional.empty();
          }
          draft.literal(glob[next++]);
        }
        default -> draft.literal(c);
      }
    }
    return Optional.of(draft.wildcard());
  }

  /** One star or more; a slash after two belongs to them. */
  private void stars() {
    int count = 1;
    while (next < glob.length && glob[next] == '*') {
      next++;
      count++;
    }
    if (count == 1 || !doubleStar) {
      draft.many(IN_NAME);
    } else if (next < glob.length && glob[next] == '/') {
      next++;
      draft.directories();
    } else {
      draft.many(c -> true);
    }
  }

  private record Range(int first, int last) {}

  /** A character class; false when it is not complete. */
  private boolean brackets() {
    boolean not = next < glob.length && glob[next] == '^';
    next += not ? 1 : 0;
    List<Range> ranges = new ArrayList<>();
    for (int begin = next; next < glob.length; ) {
      if (glob[next] == ']' && next > begin) {
        next++;
        draft.one(c -> c != '/' && not != contains(ranges, c));
        return true;
      }
      int first = character();
      int last = first;
      if (next + 1 < glob.length && glob[next] == '-' && glob[next + 1] != ']') {
        next++;
        last = character();
      }
      if (first < 0 || last < first) {
        return false;
      }
      ranges.add(new Range(first, last));
    }
    return false;
  }

  /** One character of a class, or -1 where the pattern ends. */
  private int character() {
    if (glob[next] == '\\') {
      next++;
    }
    return next < glob.length ? glob[next++] : -1;
  }

  private static boolean contains(List<Range> ranges, int c) {
    return ranges.stream().anyMatch(r -> r.first <= c && c <= r.last);
  }
}
