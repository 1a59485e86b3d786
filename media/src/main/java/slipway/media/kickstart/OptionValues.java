package slipway.media.kickstart;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The values of a command's options and arguments, by the names of {@link OptionSyntax#value}. */
final class OptionValues {
  /** A list that options add to. */
  private static final class Added extends ArrayList<String> {
    private static final long serialVersionUID = 1L;
  }

  private final Map<String, Object> values = new HashMap<>();
  private final Map<String, Integer> places = new HashMap<>();

  void put(String name, Object value) {
    values.put(name, value);
  }

  void put(String name, Object value, int index) {
    values.put(name, value);
    places.put(name, index);
  }

  void add(String name, List<String> more, int index) {
    if (values.computeIfAbsent(name, none -> new Added()) instanceof Added all) {
      all.addAll(more);
    }
    places.put(name, index);
  }

  /** These values, and of the earlier ones those that these lack. */
  OptionValues over(OptionValues earlier) {
    OptionValues both = new OptionValues();
    both.values.putAll(earlier.values);
    both.values.putAll(values);
    both.places.putAll(places);
    return both;
  }

  /** Where in its line a value was given, or -1. */
  int place(String name) {
    return places.getOrDefault(name, -1);
  }

  boolean has(String name) {
    return values.containsKey(name);
  }

  @Nullable Object get(String name) {
    return values.get(name);
  }

  @Nullable String text(String name) {
    return values.get(name) instanceof String text ? text : null;
  }

  /** The text, or none for an empty one. */
  @Nullable String word(String name) {
    String text = text(name);
    return text == null || text.isEmpty() ? null : text;
  }

  String textOr(String name, String other) {
    String text = text(name);
    return text == null ? other : text;
  }

  boolean flag(String name) {
    return Boolean.TRUE.equals(values.get(name));
  }

  @Nullable BigInteger integer(String name) {
    return values.get(name) instanceof BigInteger number ? number : null;
  }

  /** The number, as near to it as a long comes. */
  @Nullable Long number(String name) {
    BigInteger number = integer(name);
    if (number == null) {
      return null;
    }
    if (number.bitLength() < Long.SIZE) {
      return number.longValue();
    }
    return number.signum() < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
  }

  List<String> list(String name) {
    return values.get(name) instanceof List<?> list
        ? list.stream().map(String.class::cast).toList()
        : List.of();
  }

  /** Whether Python takes it for true: it is there, and neither empty, nor zero, nor false. */
  boolean isSet(String name) {
    return switch (values.get(name)) {
      case null -> false;
      case String text -> !text.isEmpty();
      case BigInteger number -> number.signum() != 0;
      case List<?> list -> !list.isEmpty();
      case Boolean truth -> truth;
      default -> true;
    };
  }
}
