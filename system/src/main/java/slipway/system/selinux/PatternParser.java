package slipway.system.selinux;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import slipway.system.selinux.LabelPattern.Alternatives;
import slipway.system.selinux.LabelPattern.Looks;
import slipway.system.selinux.LabelPattern.Part;
import slipway.system.selinux.LabelPattern.Reads;
import slipway.system.selinux.LabelPattern.Repetition;
import slipway.system.selinux.LabelPattern.Sequence;

/**
 * Reads the patterns that policies have, a part of Perl's (pcre2pattern(3)): characters, classes,
 * groups, alternatives, repetitions, the ends of the text, and characters by their numbers ({@code
 * \\x20}, {@code \\040}). All else is refused: looking ahead and back, references to groups,
 * switches, quoting.
 */
final class PatternParser {
  /** Paths have no more. */
  private static final int MOST_CHARACTERS = 4096;

  private static final int MOST_REPETITIONS = 1_000;
  private static final int DEEPEST = 50;

  private static final String BLANK = "\t \u00a0";
  private static final String SPACE = "\t\n\u000b\f\r ";
  private static final String LINES = "\n\u000b\f\r\u0085";

  private final String pattern;
  private int at;
  private int depth;

  private PatternParser(String pattern) {
    this.pattern = pattern;
  }

  /**
   * Reads one.
   *
   * @param pattern of bytes, one character each
   * @throws IllegalArgumentException for one that is none, or has what is not known here
   */
  static LabelPattern parse(String pattern) {
    if (pattern.length() > MOST_CHARACTERS) {
      throw new IllegalArgumentException("more than " + MOST_CHARACTERS + " characters");
    }
    PatternParser parser = new PatternParser(pattern);
    Part whole = parser.alternatives();
    if (parser.at < pattern.length()) {
      throw new IllegalArgumentException("a group is closed that was not opened");
    }
    return new LabelPattern(whole);
  }

  private boolean sees(char c) {
    return at < pattern.length() && pattern.charAt(at) == c;
  }

  private boolean takes(char c) {
    boolean seen = sees(c);
    at += seen ? 1 : 0;
    return seen;
  }

  private char next() {
    if (at == pattern.length()) {
      throw new IllegalArgumentException("it ends too early");
    }
    return pattern.charAt(at++);
  }

  private Part alternatives() {
    List<Part> parts = new ArrayList<>(List.of(sequence()));
    while (takes('|')) {
      parts.add(sequence());
    }
    return new Alternatives(parts);
  }

  private Part sequence() {
    List<Part> parts = new ArrayList<>();
    while (at < pattern.length() && !sees('|') && !sees(')')) {
      parts.add(repeated(single()));
    }
    return new Sequence(parts);
  }

  private Part single() {
    char c = next();
    return switch (c) {
      case '(' -> group();
      case '[' -> new Reads(characters());
      case '\\' -> new Reads(escaped());
      case '.' -> new Reads(not(new BitSet()));
      case '^', '$' -> new Looks(c);
      case '*', '+', '?', '{' ->
          throw new IllegalArgumentException("a repetition of nothing, or of a repetition");
      default -> new Reads(one(c));
    };
  }

  private Part group() {
    if (takes('?') && next() != ':') {
      throw new IllegalArgumentException("a group of a special kind");
    }
    if (++depth > DEEPEST) {
      throw new IllegalArgumentException("more than " + DEEPEST + " groups in each other");
    }
    Part inner = alternatives();
    if (next() != ')') {
      throw new IllegalArgumentException("a group is not closed");
    }
    depth--;
    return inner;
  }

  // ---- characters ----

  private static BitSet one(char c) {
    return range(c, c);
  }

  private static BitSet range(char from, char to) {
    if (from > to || to >= LabelPattern.CHARACTERS) {
      throw new IllegalArgumentException("a range that ends before it begins");
    }
    BitSet set = new BitSet();
    set.set(from, to + 1);
    return set;
  }

  private static BitSet all(String characters) {
    BitSet set = new BitSet();
    characters.chars().forEach(set::set);
    return set;
  }

  private static BitSet not(BitSet set) {
    BitSet others = (BitSet) set.clone();
    others.flip(0, LabelPattern.CHARACTERS);
    return others;
  }

  private static BitSet union(BitSet... sets) {
    BitSet all = new BitSet();
    for (BitSet each : sets) {
      all.or(each);
    }
    return all;
  }

  private static BitSet letters() {
    return union(range('a', 'z'), range('A', 'Z'));
  }

  private static BitSet word() {
    return union(letters(), range('0', '9'), one('_'));
  }

  /** What an escape stands for, its backslash read. */
  private BitSet escaped() {
    char c = next();
    if (c >= 0x80 || !Character.isLetterOrDigit(c)) {
      return one(c);
    }
    return switch (c) {
      case 'd' -> range('0', '9');
      case 'D' -> not(range('0', '9'));
      case 'w' -> word();
      case 'W' -> not(word());
      case 's' -> all(SPACE);
      case 'S' -> not(all(SPACE));
      case 'h' -> all(BLANK);
      case 'H' -> not(all(BLANK));
      case 'v' -> all(LINES);
      case 'V' -> not(all(LINES));
      case 'n' -> one('\n');
      case 'r' -> one('\r');
      case 't' -> one('\t');
      case 'f' -> one('\f');
      case 'a' -> one('\u0007');
      case 'e' -> one('\u001b');
      case 'x' -> one(numbered(16));
      case '0' -> one(numbered(8));
      default -> throw new IllegalArgumentException("an escape of a special kind");
    };
  }

  /**
   * A character by its number in two digits, a zero or x read. Where PCRE takes fewer digits, too,
   * what comes next could be meant as one of them.
   */
  private char numbered(int base) {
    int high = Character.digit(next(), base);
    int low = Character.digit(next(), base);
    if (high < 0 || low < 0) {
      throw new IllegalArgumentException("a number of a character that has not two digits");
    }
    return (char) (high * base + low);
  }

  /** A class, its bracket read. */
  private BitSet characters() {
    boolean others = takes('^');
    BitSet set = new BitSet();
    do {
      set.or(item());
    } while (!takes(']'));
    BitSet read = others ? not(set) : set;
    if (read.isEmpty()) {
      throw new IllegalArgumentException("a class of no characters");
    }
    return read;
  }

  /** What stands in a class: a character, a range, or a class with a name or an escape. */
  private BitSet item() {
    BitSet from = bound();
    if (!sees('-') || pattern.startsWith("-]", at)) {
      return from;
    }
    at++;
    BitSet to = bound();
    if (from.cardinality() != 1 || to.cardinality() != 1) {
      throw new IllegalArgumentException("a range of classes");
    }
    return range((char) from.nextSetBit(0), (char) to.nextSetBit(0));
  }

  private BitSet bound() {
    char c = next();
    if (c == '\\') {
      return escaped();
    }
    int end = c == '[' && sees(':') ? pattern.indexOf(":]", at + 1) : -1;
    if (end < 0) {
      return one(c);
    }
    String name = pattern.substring(at + 1, end);
    at = end + 2;
    return named(name);
  }

  private static BitSet named(String name) {
    return switch (name) {
      case "alnum" -> union(letters(), range('0', '9'));
      case "alpha" -> letters();
      case "blank" -> all("\t ");
      case "cntrl" -> union(range('\0', '\u001f'), one('\u007f'));
      case "digit" -> range('0', '9');
      case "graph" -> range('!', '~');
      case "lower" -> range('a', 'z');
      case "print" -> range(' ', '~');
      case "punct" -> union(range('!', '/'), range(':', '@'), range('[', '`'), range('{', '~'));
      case "space" -> all(SPACE);
      case "upper" -> range('A', 'Z');
      case "word" -> word();
      case "xdigit" -> union(range('0', '9'), range('a', 'f'), range('A', 'F'));
      default -> throw new IllegalArgumentException("[:" + name + ":]");
    };
  }

  // ---- repetitions ----

  private Part repeated(Part part) {
    int least;
    int most;
    if (takes('*')) {
      least = 0;
      most = -1;
    } else if (takes('?')) {
      least = 0;
      most = 1;
    } else if (takes('+')) {
      least = 1;
      most = -1;
    } else if (takes('{')) {
      least = number();
      most = least;
      if (takes(',')) {
        most = sees('}') ? -1 : number();
      }
      if (next() != '}' || (most >= 0 && most < least)) {
        throw new IllegalArgumentException("a repetition that is none");
      }
    } else {
      return part;
    }
    if (part instanceof Looks) {
      throw new IllegalArgumentException("a repetition of nothing");
    }
    String manner = takes('?') ? "?" : takes('+') ? "+" : "";
    return new Repetition(part, least, most, manner);
  }

  private int number() {
    int begin = at;
    int value = 0;
    while (at < pattern.length() && pattern.charAt(at) >= '0' && pattern.charAt(at) <= '9') {
      value = value * 10 + next() - '0';
      if (value > MOST_REPETITIONS) {
        throw new IllegalArgumentException("more than " + MOST_REPETITIONS + " repetitions");
      }
    }
    if (at == begin) {
      throw new IllegalArgumentException("a repetition without a number");
    }
    return value;
  }
}
