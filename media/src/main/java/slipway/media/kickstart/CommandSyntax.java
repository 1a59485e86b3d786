package slipway.media.kickstart;

import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a command or the first line of a section may hold: a block of {@code commands.txt}.
 *
 * @param names that it answers to; they share what earlier lines said
 * @param conflicts by version, commands that may not stand in the same file
 * @param once the values by which two are the same, and what is said of the second then
 */
record CommandSyntax(
    List<String> names,
    Set<KickstartVersion> versions,
    Set<Mark> marks,
    Set<KickstartVersion> removed,
    Set<KickstartVersion> deprecated,
    Map<KickstartVersion, List<String>> conflicts,
    @Nullable Once once,
    List<OptionSyntax> options) {
  /** What sets a command apart; commands.txt explains them. */
  enum Mark {
    TYPED,
    MANY,
    LOOSE,
    RAW,
    BARE
  }

  /** How many versions have it in which state. */
  enum State {
    ABSENT,
    KNOWN,
    DEPRECATED,
    REMOVED
  }

  /** What makes two of a command the same. */
  record Once(List<String> values, String message) {}

  /** The first of its names. */
  String name() {
    return names.getFirst();
  }

  boolean is(Mark mark) {
    return marks.contains(mark);
  }

  State state(KickstartVersion version) {
    if (!versions.contains(version)) {
      return State.ABSENT;
    }
    if (removed.contains(version)) {
      return State.REMOVED;
    }
    return deprecated.contains(version) ? State.DEPRECATED : State.KNOWN;
  }

  /** The versions in which it does something. */
  Set<KickstartVersion> known() {
    Set<KickstartVersion> known = EnumSet.noneOf(KickstartVersion.class);
    versions.stream().filter(v -> state(v) == State.KNOWN).forEach(known::add);
    return known;
  }

  /** Options and arguments of one version, in the order in which they are looked for. */
  List<OptionSyntax> options(KickstartVersion version) {
    return options.stream().filter(option -> option.on().contains(version)).toList();
  }
}
