package slipway.ostree.gvariant;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import slipway.base.Problem;

/**
 * A GVariant type, parsed.
 *
 * @param text as written
 * @param alignment 1, 2, 4 or 8
 * @param fixedSize bytes, or 0 when the size varies
 * @param members of a tuple or dictionary entry, or the one element type of an array; else empty
 */
record Signature(String text, int alignment, int fixedSize, List<Signature> members) {
  private static final int MAX_DEPTH = 32;
  private static final int MAX_LENGTH = 255;
  private static final int MAX_CACHED = 512;
  private static final ConcurrentHashMap<String, Signature> CACHE = new ConcurrentHashMap<>();

  /**
   * @throws Problem of kind CORRUPT when it is not one complete type of those supported (no maybe
   *     types)
   */
  static Signature of(String text) {
    Signature known = CACHE.get(text);
    if (known != null) {
      return known;
    }
    if (text.isEmpty() || text.length() > MAX_LENGTH) {
      throw bad(text);
    }
    Parser parser = new Parser(text);
    Signature parsed = parser.next(0);
    if (parser.at != text.length()) {
      throw bad(text);
    }
    // Types come from the data as well; a hostile file must not grow the cache.
    if (CACHE.size() < MAX_CACHED) {
      CACHE.put(text, parsed);
    }
    return parsed;
  }

  char kind() {
    return text.charAt(0);
  }

  boolean isFixed() {
    return fixedSize > 0;
  }

  Signature element() {
    return members.getFirst();
  }

  private static Problem bad(String text) {
    return Problem.corrupt("\"" + text + "\" is not a GVariant type that ostree data uses");
  }

  private static final class Parser {
    private final String text;
    private int at;

    Parser(String text) {
      this.text = text;
    }

    Signature next(int depth) {
      if (depth > MAX_DEPTH || at >= text.length()) {
        throw bad(text);
      }
      int start = at;
      char c = text.charAt(at++);
      return switch (c) {
        case 'b', 'y' -> basic(start, 1, 1);
        case 'n', 'q' -> basic(start, 2, 2);
        case 'i', 'u', 'h' -> basic(start, 4, 4);
        case 'x', 't', 'd' -> basic(start, 8, 8);
        case 's', 'o', 'g' -> basic(start, 1, 0);
        case 'v' -> basic(start, 8, 0);
        case 'a' -> {
          Signature element = next(depth + 1);
          yield new Signature(text.substring(start, at), element.alignment, 0, List.of(element));
        }
        case '(' -> container(start, ')', depth);
        case '{' -> container(start, '}', depth);
        default -> throw bad(text);
      };
    }

    private Signature basic(int start, int alignment, int size) {
      return new Signature(text.substring(start, at), alignment, size, List.of());
    }

    private Signature container(int start, char close, int depth) {
      List<Signature> members = new ArrayList<>();
      while (at < text.length() && text.charAt(at) != close) {
        members.add(next(depth + 1));
      }
      if (at >= text.length() || (close == '}' && members.size() != 2)) {
        throw bad(text);
      }
      at++;
      int alignment = 1;
      int size = 0;
      boolean fixed = true;
      for (Signature m : members) {
        alignment = Math.max(alignment, m.alignment);
        fixed &= m.isFixed();
        size = align(size, m.alignment) + m.fixedSize;
      }
      // The unit tuple takes one byte, so that arrays of it can be counted.
      int fixedSize = !fixed ? 0 : members.isEmpty() ? 1 : align(size, alignment);
      return new Signature(text.substring(start, at), alignment, fixedSize, List.copyOf(members));
    }
  }

  static int align(int position, int alignment) {
    return Math.addExact(position, alignment - 1) & -alignment;
  }
}
