package slipway.builder.language;

import java.util.BitSet;
import slipway.base.Limit;
import slipway.base.Position;

/**
 * The patterns of {@code ${v#p}}, {@code ${v%p}} and {@code ${v/p/r}}: {@code *} and {@code ?}
 * only, a backslash takes their meaning away (POSIX shell, 2.13, without bracket expressions).
 */
final class ShellPattern {
  private ShellPattern() {}

  /** What is wrong with a pattern. */
  static final class Invalid extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final String what;

    Invalid(String what) {
      super(what);
      this.what = what;
    }

    String what() {
      return what;
    }
  }

  /**
   * @throws Invalid for a backslash before another character
   */
  private static Wildcard compile(String pattern, Position at) {
    Wildcard.Draft draft = new Wildcard.Draft(pattern, at.toString());
    int[] codes = Wildcard.codes(pattern);
    for (int i = 0; i < codes.length; i++) {
      switch (codes[i]) {
        case '*' -> draft.many(c -> true);
        case '?' -> draft.one(c -> true);
        case '\\' -> {
          int next = i + 1 < codes.length ? codes[++i] : 0;
          if (next == 0 || "*?\\}/".indexOf(next) < 0) {
            throw new Invalid("invalid escape \\" + (next == 0 ? "" : Character.toString(next)));
          }
          draft.literal(next);
        }
        default -> draft.literal(codes[i]);
      }
    }
    return draft.wildcard();
  }

  /** The value without the part at its beginning that matches. */
  public static String withoutPrefix(String value, String pattern, boolean longest, Position at) {
    int[] text = Wildcard.codes(value);
    int end = compile(pattern, at).end(text, 0, longest);
    return end < 0 ? value : new String(text, end, text.length - end);
  }

  /** The value without the part at its end that matches. */
  public static String withoutSuffix(String value, String pattern, boolean longest, Position at) {
    int[] text = Wildcard.codes(value);
    int[] backwards = new int[text.length];
    for (int i = 0; i < text.length; i++) {
      backwards[i] = text[text.length - 1 - i];
    }
    int length = compile(pattern, at).reversed().end(backwards, 0, longest);
    return length < 0 ? value : new String(text, 0, text.length - length);
  }

  /**
   * The value with the first match, or every one, replaced by a literal text; of the matches that
   * begin at one place the longest counts. An empty one just after another is none.
   */
  public static String replace(
      String value, String pattern, String replacement, boolean all, Position at) {
    int[] text = Wildcard.codes(value);
    Wildcard wildcard = compile(pattern, at);
    BitSet starts = wildcard.starts(text);
    StringBuilder out = new StringBuilder();
    int copied = 0;
    int last = -1;
    int from = 0;
    for (int start; (start = starts.nextSetBit(from)) >= 0; ) {
      int end = wildcard.end(text, start, true);
      from = Math.max(end, start + 1);
      if (end == start && start == last) {
        continue;
      }
      out.append(new String(text, copied, start - copied)).append(replacement);
      Limit.WORD_CHARACTERS.check(out.length(), at.toString());
      copied = end;
      last = end;
      if (!all) {
        break;
      }
    }
    return out.append(new String(text, copied, text.length - copied)).toString();
  }
}
