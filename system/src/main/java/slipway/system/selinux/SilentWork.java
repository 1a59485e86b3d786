package slipway.system.selinux;

import java.util.ArrayList;
import java.util.List;

/**
 * How much a matcher that backtracks may do between two readings of the text, for a pattern of a
 * stranger: {@code (){1000000}} and {@code (|)(|)(|)…} read nothing, so that counting what is read
 * would not end them. What the parts of a pattern do is summed from its end: a character takes one
 * step and hides what stands behind it; alternatives add up; what may be empty adds what follows.
 */
final class SilentWork {
  /** Honest patterns have some ten. */
  private static final int MOST = 1_000;

  private static final int MOST_REPETITIONS = 1_000;

  /** Steps of the calculation itself; an honest pattern has some hundred parts. */
  private static final int MOST_VISITS = 20_000;

  private final String pattern;
  private int at;
  private int visits;
  private long worst = 1;

  private SilentWork(String pattern) {
    this.pattern = pattern;
  }

  /**
   * The work that a pattern may take between two readings.
   *
   * @throws IllegalArgumentException for one that takes too much, or has what nobody can judge
   */
  static int of(String pattern) {
    SilentWork work = new SilentWork(pattern);
    Part whole = work.alternatives();
    if (work.at < pattern.length()) {
      throw new IllegalArgumentException("a group is closed that was not opened");
    }
    return (int) Math.max(work.of(whole, 1), work.worst);
  }

  // ---- the pattern's parts ----

  private sealed interface Part {}

  /** What reads a character. */
  private record Reads() implements Part {}

  /** What looks only where it is. */
  private record Looks() implements Part {}

  private record Sequence(List<Part> parts) implements Part {}

  private record Alternatives(List<Part> parts) implements Part {}

  /**
   * @param least how often it is there in any case
   * @param more whether it may be there more often
   */
  private record Repetition(Part part, int least, boolean more) implements Part {}

  private boolean sees(char c) {
    return at < pattern.length() && pattern.charAt(at) == c;
  }

  private char next() {
    if (at == pattern.length()) {
      throw new IllegalArgumentException("it ends too early");
    }
    return pattern.charAt(at++);
  }

  private Part alternatives() {
    List<Part> parts = new ArrayList<>(List.of(sequence()));
    while (sees('|')) {
      at++;
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
      case '[' -> characters();
      case '\\' -> escaped();
      case '^', '$' -> new Looks();
      default -> new Reads();
    };
  }

  private Part group() {
    if (sees('?')) {
      at++;
      if (next() != ':') {
        throw new IllegalArgumentException("a group of a special kind");
      }
    }
    Part inner = alternatives();
    if (next() != ')') {
      throw new IllegalArgumentException("a group is not closed");
    }
    return inner;
  }

  private Part characters() {
    if (sees('^')) {
      at++;
    }
    boolean first = true;
    for (char c = next(); c != ']' || first; c = next()) {
      first = false;
      if (c == '\\') {
        at++;
      } else if (c == '[' && sees(':')) {
        int end = pattern.indexOf(":]", at);
        at = end < 0 ? at : end + 2;
      }
    }
    return new Reads();
  }

  private Part escaped() {
    char c = next();
    if ("bBAzZG".indexOf(c) >= 0) {
      return new Looks();
    }
    if (c < 0x80 && Character.isLetterOrDigit(c) && "dDwWsShHvVnrtfaex".indexOf(c) < 0) {
      throw new IllegalArgumentException("an escape of a special kind");
    }
    return new Reads();
  }

  private Part repeated(Part part) {
    Part made = part;
    if (sees('*') || sees('?')) {
      at++;
      made = new Repetition(part, 0, true);
    } else if (sees('+')) {
      at++;
      made = new Repetition(part, 1, true);
    } else if (sees('{')) {
      at++;
      int least = number();
      boolean more = sees(',');
      if (more) {
        at++;
        if (!sees('}')) {
          number();
        }
      }
      if (next() != '}') {
        throw new IllegalArgumentException("a repetition is not closed");
      }
      made = new Repetition(part, least, more);
    } else {
      return part;
    }
    if (sees('?') || sees('+')) {
      at++; // As few as can be, or without going back.
    }
    return made;
  }

  private int number() {
    int value = 0;
    int digits = 0;
    while (at < pattern.length() && Character.digit(pattern.charAt(at), 10) >= 0) {
      value = value * 10 + Character.digit(pattern.charAt(at++), 10);
      if (++digits > 4 || value > MOST_REPETITIONS) {
        throw new IllegalArgumentException("more than " + MOST_REPETITIONS + " repetitions");
      }
    }
    if (digits == 0) {
      throw new IllegalArgumentException("a repetition without a number");
    }
    return value;
  }

  // ---- what they do ----

  /**
   * The work of a part until the text is read.
   *
   * @param rest that of what follows it
   */
  private long of(Part part, long rest) {
    if (++visits > MOST_VISITS) {
      throw new IllegalArgumentException("too many parts");
    }
    return switch (part) {
      case Reads r -> {
        worst = Math.max(worst, rest);
        yield 1;
      }
      case Looks l -> bounded(rest + 1);
      case Sequence s -> {
        long work = rest;
        for (Part each : s.parts().reversed()) {
          work = of(each, work);
        }
        yield bounded(work + 1);
      }
      case Alternatives a -> {
        long work = 0;
        for (Part each : a.parts()) {
          work = bounded(work + of(each, rest));
        }
        yield work;
      }
      case Repetition r -> repetition(r, rest);
    };
  }

  private long repetition(Repetition repetition, long rest) {
    long work = rest;
    if (repetition.more()) {
      // One that read nothing is not tried again.
      work = bounded(rest + of(repetition.part(), rest));
      of(repetition.part(), work);
    }
    for (int i = 0; i < repetition.least(); i++) {
      long before = work;
      work = bounded(of(repetition.part(), work) + 1);
      if (work == before) {
        break; // It reads in any case: what follows does not count.
      }
    }
    return work;
  }

  private static long bounded(long work) {
    if (work > MOST) {
      throw new IllegalArgumentException("too much that reads nothing");
    }
    return work;
  }
}
