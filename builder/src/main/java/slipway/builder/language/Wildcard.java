package slipway.builder.language;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntPredicate;
import slipway.base.Limit;

/**
 * A pattern with wildcards. All ways to match are followed together, a character at a time
 * (Thompson, Regular Expression Search Algorithm, 1968): the time is at most the product of both
 * lengths, whatever the pattern. Texts are code points.
 */
public final class Wildcard {
  /** One character of a set. */
  private static final byte ONE = 0;

  /** Any number of characters of a set. */
  private static final byte MANY = 1;

  /** Goes on with the next element or the one after it, without a character. */
  private static final byte FORK = 2;

  /** Any characters, the last of them a slash. */
  private static final byte TO_SLASH = 3;

  /**
   * @param literal the only character of the set, or -1
   */
  private record Element(byte kind, int literal, IntPredicate set) {}

  private final List<Element> elements;
  private final byte[] kinds;
  private final int[] literals;
  private final IntPredicate[] sets;

  private Wildcard(List<Element> elements) {
    this.elements = elements;
    int count = elements.size();
    kinds = new byte[count];
    literals = new int[count];
    sets = new IntPredicate[count];
    for (int i = 0; i < count; i++) {
      kinds[i] = elements.get(i).kind;
      literals[i] = elements.get(i).literal;
      sets[i] = elements.get(i).set;
    }
  }

  /** Code points, as texts are given here. */
  public static int[] codes(String text) {
    return text.codePoints().toArray();
  }

  /** A pattern under way. */
  static final class Draft {
    private final List<Element> elements = new ArrayList<>();

    /**
     * @param pattern refused when it is longer than {@link Limit#PATTERN_CHARACTERS}
     */
    Draft(String pattern, String where) {
      Limit.PATTERN_CHARACTERS.check(pattern.length(), where);
    }

    Draft literal(int character) {
      elements.add(new Element(ONE, character, c -> c == character));
      return this;
    }

    Draft one(IntPredicate set) {
      elements.add(new Element(ONE, -1, set));
      return this;
    }

    Draft many(IntPredicate set) {
      elements.add(new Element(MANY, -1, set));
      return this;
    }

    /** Nothing, or any characters with a slash at the end. */
    Draft directories() {
      elements.add(new Element(FORK, -1, c -> false));
      elements.add(new Element(TO_SLASH, -1, c -> true));
      return this;
    }

    Wildcard wildcard() {
      return new Wildcard(List.copyOf(elements));
    }
  }

  /** The ways that are open: indexes of elements to match next. */
  private final class Ways {
    private final int[] open = new int[kinds.length + 1];
    private final boolean[] known = new boolean[kinds.length + 1];
    private int count;

    void add(int element) {
      if (known[element]) {
        return;
      }
      known[element] = true;
      open[count++] = element;
      if (element < kinds.length && kinds[element] == MANY) {
        add(element + 1);
      } else if (element < kinds.length && kinds[element] == FORK) {
        add(element + 1);
        add(element + 2);
      }
    }

    boolean atEnd() {
      return known[kinds.length];
    }

    private void clear() {
      for (int i = 0; i < count; i++) {
        known[open[i]] = false;
      }
      count = 0;
    }

    /** Fills {@code next} with what a character leads to. */
    void step(int character, Ways next) {
      next.clear();
      for (int i = 0; i < count; i++) {
        int at = open[i];
        if (at < kinds.length && fits(at, character)) {
          next.advance(at, character);
        }
      }
    }

    private void advance(int at, int character) {
      byte kind = kinds[at];
      if (kind != ONE) {
        add(at);
      }
      if (kind == ONE || (kind == TO_SLASH && character == '/')) {
        add(at + 1);
      }
    }
  }

  private boolean fits(int element, int character) {
    int literal = literals[element];
    return literal >= 0 ? literal == character : sets[element].test(character);
  }

  /** Whether the whole text matches. */
  public boolean matches(String text) {
    int[] codes = codes(text);
    return end(codes, 0, true) == codes.length;
  }

  /** Whether a path, or a directory above it, matches as a whole. */
  public boolean matchesPathOrParent(int[] path) {
    Ways now = new Ways();
    Ways next = new Ways();
    now.add(0);
    for (int i = 0; i < path.length && now.count > 0; i++) {
      if (i > 0 && path[i] == '/' && now.atEnd()) {
        return true;
      }
      now.step(path[i], next);
      Ways swap = now;
      now = next;
      next = swap;
    }
    return path.length > 0 && now.atEnd();
  }

  /** The end of a match that begins at {@code from}: the longest or the shortest; -1 for none. */
  int end(int[] text, int from, boolean longest) {
    Ways now = new Ways();
    Ways next = new Ways();
    now.add(0);
    int end = -1;
    for (int i = from; now.count > 0; i++) {
      if (now.atEnd()) {
        end = i;
        if (!longest) {
          return end;
        }
      }
      if (i == text.length) {
        return end;
      }
      now.step(text[i], next);
      Ways swap = now;
      now = next;
      next = swap;
    }
    return end;
  }

  /** The pattern of texts written backwards; without {@link Draft#directories}. */
  Wildcard reversed() {
    return new Wildcard(elements.reversed());
  }

  /** All places where a match begins, the end of the text too. */
  BitSet starts(int[] text) {
    Wildcard backwards = reversed();
    Ways now = backwards.new Ways();
    Ways next = backwards.new Ways();
    BitSet starts = new BitSet(text.length + 1);
    for (int i = text.length; i >= 0; i--) {
      now.add(0); // A match may end here.
      starts.set(i, now.atEnd());
      if (i > 0) {
        now.step(text[i - 1], next);
        Ways swap = now;
        now = next;
        next = swap;
      }
    }
    return starts;
  }
}
