package slipway.media.kickstart;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An option or an argument of a command.
 *
 * @param names with their dashes; of an argument the one that messages have
 * @param count how many words an argument takes; null for an option
 * @param value what its value is called
 * @param constant what a flag stands for
 * @param initial what it is when it is not given; null leaves what an earlier line said
 * @param on in which versions it is there
 * @param deprecated in which it does nothing any more
 */
record OptionSyntax(
    List<String> names,
    ValueKind kind,
    @Nullable Count count,
    List<String> choices,
    String value,
    String constant,
    @Nullable Object initial,
    boolean required,
    Set<KickstartVersion> on,
    Set<KickstartVersion> deprecated) {
  /** How many words an argument takes. */
  enum Count {
    ONE,
    ANY,
    MAYBE,
    /** One, which is not made a list of. */
    SINGLE
  }

  boolean isOption() {
    return count == null;
  }

  /** Whether it must be there; the words of {@link Count#ANY} may be none. */
  boolean mustBeThere() {
    return required || count == Count.ONE || count == Count.SINGLE;
  }

  /** As messages name it. */
  String label() {
    return String.join("/", names);
  }

  KickstartFault fault(String message) {
    return new KickstartFault("argument " + label() + ": " + message);
  }
}
