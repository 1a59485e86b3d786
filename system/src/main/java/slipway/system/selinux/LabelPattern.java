package slipway.system.selinux;

import java.util.BitSet;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A pattern of a policy as a tree, by which it is judged ({@link SilentWork}) and compiled: what is
 * compiled is written anew from the tree, so that both are of the same.
 *
 * @param whole the tree
 */
record LabelPattern(Part whole) {
  /** One character for each byte. */
  static final int CHARACTERS = 256;

  /** A part of a pattern. */
  sealed interface Part {}

  /** What reads one of some characters. */
  record Reads(BitSet set) implements Part {}

  /**
   * What looks only where it is.
   *
   * @param sign a caret or a dollar
   */
  record Looks(char sign) implements Part {}

  record Sequence(List<Part> parts) implements Part {}

  record Alternatives(List<Part> parts) implements Part {}

  /**
   * @param least how often it is there in any case
   * @param most how often it may be there; negative for any number
   * @param manner empty, {@code ?} for as few as can be, {@code +} for never going back
   */
  record Repetition(Part part, int least, int most, String manner) implements Part {
    /** Whether it may be there more often than in any case. */
    boolean more() {
      return most != least;
    }
  }

  /** Whether there are alternatives of all of it, not only in groups. */
  boolean hasAlternatives() {
    return whole instanceof Alternatives all && all.parts().size() > 1;
  }

  /** As Java's matcher takes it. */
  Pattern compiled() {
    StringBuilder java = new StringBuilder();
    write(whole, java);
    return Pattern.compile(java.toString(), Pattern.DOTALL | Pattern.UNIX_LINES);
  }

  private static void write(Part part, StringBuilder java) {
    switch (part) {
      case Reads r -> write(r.set(), java);
      case Looks l -> java.append(l.sign());
      case Sequence s -> s.parts().forEach(each -> write(each, java));
      case Alternatives a -> {
        String before = "(?:";
        for (Part each : a.parts()) {
          write(each, java.append(before));
          before = "|";
        }
        java.append(')');
      }
      case Repetition r -> {
        write(r.part(), java);
        java.append(often(r)).append(r.manner());
      }
    }
  }

  private static String often(Repetition r) {
    return switch (r.least() + "," + r.most()) {
      case "0,-1" -> "*";
      case "1,-1" -> "+";
      case "0,1" -> "?";
      default ->
          "{"
              + r.least()
              + (r.more() ? "," : "")
              + (r.more() && r.most() > 0 ? r.most() : "")
              + "}";
    };
  }

  private static void write(BitSet set, StringBuilder java) {
    BitSet others = (BitSet) set.clone();
    others.flip(0, CHARACTERS);
    if (others.isEmpty()) {
      java.append('.');
    } else if (set.cardinality() == 1) {
      write(set.nextSetBit(0), java);
    } else if (others.cardinality() < set.cardinality()) {
      ranges(others, java.append("[^"));
    } else {
      ranges(set, java.append('['));
    }
  }

  private static void ranges(BitSet set, StringBuilder java) {
    for (int from = set.nextSetBit(0); from >= 0; ) {
      int end = set.nextClearBit(from);
      write(from, java);
      if (end > from + 1) {
        write(end - 1, java.append('-'));
      }
      from = set.nextSetBit(end);
    }
    java.append(']');
  }

  private static void write(int character, StringBuilder java) {
    boolean plain =
        character < 0x80 && (Character.isLetterOrDigit(character) || "/_".indexOf(character) >= 0);
    if (plain) {
      java.append((char) character);
    } else {
      java.append("\\x%02x".formatted(character));
    }
  }
}
