package slipway.builder.language;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Position;

/**
 * Replaces variables and takes quotes away, as the Dockerfile reference says under "Environment
 * replacement": {@code $v ${v} ${v:-w} ${v-w} ${v:+w} ${v+w} ${v:?w} ${v?w} ${v#p} ${v##p} ${v%p}
 * ${v%%p} ${v/p/r} ${v//p/r}}.
 */
public final class Expander {
  /** Gives a variable's value, or null when it is not set. */
  @FunctionalInterface
  public interface Variables {
    @Nullable String get(String name);
  }

  private static final int SHOWN = 200;

  private final char escape;
  private final Variables variables;
  private final Set<String> unset = new LinkedHashSet<>();
  private final Set<String> used = new LinkedHashSet<>();

  public Expander(char escape, Variables variables) {
    this.escape = escape;
    this.variables =
        name -> {
          used.add(name);
          return variables.get(name);
        };
  }

  /** Names that were asked for, in order. */
  public Set<String> used() {
    return used;
  }

  /** Names that were asked for and are not set, in order. */
  public Set<String> unset() {
    return unset;
  }

  /**
   * Expands to one word; spaces stay.
   *
   * @throws slipway.base.Problem that says what is wrong, with the place in front
   */
  public String word(String text, Position at) {
    return new Scan(text, at).whole().text;
  }

  /** Expands and splits at white space outside quotes, also inside of what variables gave. */
  public List<String> words(String text, Position at) {
    return new Scan(text, at).whole().words();
  }

  /**
   * Expands a document as a shell does (POSIX shell, 2.7.4): quotes are content; a backslash takes
   * the meaning of a dollar, a backtick and a backslash, and joins two lines; before all else it is
   * content itself.
   */
  public String document(String text, Position at) {
    Scan scan = new Scan(text, at);
    scan.quotes = false;
    scan.escape = '\\';
    return scan.whole().text;
  }

  /** A word as an operator: all but what a message says. */
  public UnaryOperator<String> at(Position at) {
    return text -> word(text, at);
  }

  /** What scanning gave: the text, and which of its characters may split words. */
  private record Scanned(String text, java.util.BitSet separators) {
    List<String> words() {
      List<String> words = new ArrayList<>();
      int start = 0;
      for (int i = 0; i <= text.length(); i++) {
        if (i == text.length() || separators.get(i)) {
          if (i > start) {
            words.add(text.substring(start, i));
          }
          start = i + 1;
        }
      }
      return words;
    }
  }

  /** One pass over a text. */
  private final class Scan {
    private final String in;
    private final Position at;
    private boolean quotes = true;
    private char escape = Expander.this.escape;
    private int next;
    private int depth;

    Scan(String in, Position at) {
      this.in = in;
      this.at = at;
    }

    /** All of it. No file, argument or variable can hold a NUL, which a base image may bring. */
    Scanned whole() {
      Scanned result = upTo(0, false);
      if (result.text.indexOf('\0') >= 0) {
        throw wrong("a variable brings a NUL character");
      }
      return result;
    }

    private boolean done() {
      return next >= in.length();
    }

    private slipway.base.Problem wrong(String what) {
      String shown = in.length() <= SHOWN ? in : in.substring(0, SHOWN) + "…";
      return at.problem(what + " in \"" + shown + "\"");
    }

    /**
     * Reads up to {@code stop}, which is consumed, or to the end when {@code stop} is 0.
     *
     * @param rawEscapes whether escapes stay in the text, for patterns
     */
    Scanned upTo(int stop, boolean rawEscapes) {
      Limit.EXPANSION_DEPTH.check(++depth, at.toString());
      StringBuilder out = new StringBuilder();
      java.util.BitSet separators = new java.util.BitSet();
      while (!done()) {
        Limit.WORD_CHARACTERS.check(out.length(), at.toString());
        char c = in.charAt(next);
        if (stop != 0 && c == stop) {
          next++;
          depth--;
          return new Scanned(out.toString(), separators);
        }
        if (c == '$') {
          append(out, separators, dollar(), true);
        } else if (quotes && c == '\'') {
          append(out, separators, singleQuoted(), false);
        } else if (quotes && c == '"') {
          append(out, separators, doubleQuoted(rawEscapes), false);
        } else if (c == escape) {
          append(out, separators, escaped(rawEscapes), false);
        } else {
          append(out, separators, String.valueOf(c), true);
          next++;
        }
      }
      if (stop != 0) {
        throw wrong("a " + (char) stop + " is missing");
      }
      Limit.WORD_CHARACTERS.check(out.length(), at.toString());
      depth--;
      return new Scanned(out.toString(), separators);
    }

    private static void append(
        StringBuilder out, java.util.BitSet separators, String text, boolean splits) {
      for (int i = 0; i < text.length(); i++) {
        if (splits && Character.isWhitespace(text.charAt(i))) {
          separators.set(out.length());
        }
        out.append(text.charAt(i));
      }
    }

    /** After an escape comes one character as it is; at the end there is nothing to escape. */
    private String escaped(boolean raw) {
      next++;
      String result = done() ? "" : in.substring(next, next + 1);
      next++;
      if (!quotes) {
        return switch (result) {
          case "$", "`", "\\" -> result;
          case "\n" -> "";
          default -> escape + result;
        };
      }
      return raw ? escape + result : result;
    }

    private String singleQuoted() {
      int end = in.indexOf('\'', next + 1);
      if (end < 0) {
        throw wrong("a single quote is not closed");
      }
      String inside = in.substring(next + 1, end);
      next = end + 1;
      return inside;
    }

    private String doubleQuoted(boolean rawEscapes) {
      StringBuilder out = new StringBuilder();
      for (next++; !done(); ) {
        char c = in.charAt(next);
        if (c == '"') {
          next++;
          return out.toString();
        }
        if (c == '$') {
          out.append(dollar());
          Limit.WORD_CHARACTERS.check(out.length(), at.toString());
          continue;
        }
        next++;
        if (c == escape) {
          if (done()) {
            break;
          }
          char following = in.charAt(next);
          boolean special = following == '"' || following == '$' || following == escape;
          if (rawEscapes || !special) {
            out.append(c);
          }
          if (special) {
            out.append(following);
            next++;
          }
        } else {
          out.append(c);
        }
      }
      throw wrong("a double quote is not closed");
    }

    private @Nullable String get(String name) {
      String value = variables.get(name);
      if (value == null) {
        unset.add(name);
      }
      return value;
    }

    private String dollar() {
      next++;
      if (done() || in.charAt(next) != '{') {
        String name = name();
        String value = name.isEmpty() ? "$" : get(name);
        return value == null ? "" : value;
      }
      next++;
      if (done()) {
        throw wrong("a } is missing");
      }
      String name = name();
      if (name.isEmpty()) {
        throw wrong("${ is not followed by a name");
      }
      if (done()) {
        throw wrong("a } is missing");
      }
      char c = in.charAt(next++);
      return switch (c) {
        case '}' -> orEmpty(get(name));
        case ':' -> {
          char operator = done() ? 0 : in.charAt(next++);
          if (operator != '-' && operator != '+' && operator != '?') {
            throw wrong("${" + name + ":" + (operator == 0 ? "" : operator) + " is not known");
          }
          yield conditional(name, operator, true);
        }
        case '-', '+', '?' -> conditional(name, c, false);
        case '#', '%' -> trimmed(name, c);
        case '/' -> replaced(name);
        default -> throw wrong("${" + name + c + " is not known");
      };
    }

    private static String orEmpty(@Nullable String value) {
      return value == null ? "" : value;
    }

    private String conditional(String name, char operator, boolean emptyIsUnset) {
      String word = upTo('}', false).text;
      String value = variables.get(name);
      boolean set = value != null && !(emptyIsUnset && value.isEmpty());
      return switch (operator) {
        case '-' -> set ? orEmpty(value) : word;
        case '+' -> set ? word : "";
        default -> {
          if (!set) {
            throw at.problem(
                name + ": " + (!word.isEmpty() ? word : value == null ? "is not set" : "is empty"));
          }
          yield orEmpty(value);
        }
      };
    }

    private String trimmed(String name, char operator) {
      String pattern = upTo('}', true).text;
      boolean longest = pattern.startsWith(String.valueOf(operator));
      String value = orEmpty(get(name));
      String bare = longest ? pattern.substring(1) : pattern;
      try {
        return operator == '#'
            ? ShellPattern.withoutPrefix(value, bare, longest, at)
            : ShellPattern.withoutSuffix(value, bare, longest, at);
      } catch (ShellPattern.Invalid e) {
        throw wrong(e.what());
      }
    }

    private String replaced(String name) {
      boolean all = !done() && in.charAt(next) == '/';
      if (all) {
        next++;
      }
      String pattern = upTo('/', true).text;
      String replacement = upTo('}', true).text;
      try {
        return ShellPattern.replace(orEmpty(get(name)), pattern, replacement, all, at);
      } catch (ShellPattern.Invalid e) {
        throw wrong(e.what());
      }
    }

    /** A name, digits, or one of the shell's special parameters; empty when there is none. */
    private String name() {
      int start = next;
      if (done()) {
        return "";
      }
      char first = in.charAt(next);
      if (Character.isDigit(first)) {
        while (!done() && Character.isDigit(in.charAt(next))) {
          next++;
        }
      } else if ("@*#?-$!".indexOf(first) >= 0) {
        next++;
      } else {
        while (!done() && (Character.isLetterOrDigit(in.charAt(next)) || in.charAt(next) == '_')) {
          next++;
        }
      }
      return in.substring(start, next);
    }
  }
}
