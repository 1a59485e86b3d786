package slipway.sysroot;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A kernel command line as an ordered list of arguments, each {@code key} or {@code key=value}. A
 * key may occur several times ({@code console=}). Double quotes hold an argument with blanks
 * together (Linux, admin-guide/kernel-parameters.rst).
 *
 * @param list the arguments, quotes kept
 */
public record KernelArguments(List<String> list) {
  /** No arguments. */
  public static final KernelArguments NONE = new KernelArguments(List.of());

  public KernelArguments {
    list = List.copyOf(list);
  }

  public static KernelArguments of(String... arguments) {
    return new KernelArguments(List.of(arguments));
  }

  /** Splits at blanks outside of double quotes. */
  public static KernelArguments parse(String line) {
    List<String> found = new ArrayList<>();
    StringBuilder current = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i < line.length(); i++) {
      char c = line.charAt(i);
      if (c == '"') {
        quoted = !quoted;
      }
      if (!quoted && (c == ' ' || c == '\t' || c == '\n')) {
        if (!current.isEmpty()) {
          found.add(current.toString());
          current.setLength(0);
        }
      } else {
        current.append(c);
      }
    }
    if (!current.isEmpty()) {
      found.add(current.toString());
    }
    return new KernelArguments(found);
  }

  /** With more at the end; what is there already is repeated. */
  public KernelArguments append(List<String> more) {
    List<String> all = new ArrayList<>(list);
    all.addAll(more);
    return new KernelArguments(all);
  }

  public KernelArguments append(KernelArguments more) {
    return append(more.list);
  }

  /** Without any argument of this key, with or without a value. */
  public KernelArguments withoutKey(String key) {
    return new KernelArguments(list.stream().filter(a -> !keyOf(a).equals(key)).toList());
  }

  /** Without one occurrence, the last, of exactly this argument. */
  public KernelArguments without(String argument) {
    List<String> all = new ArrayList<>(list);
    int at = all.lastIndexOf(argument);
    if (at >= 0) {
      all.remove(at);
    }
    return new KernelArguments(all);
  }

  /** The value of the last argument of this key; empty text when it has none. */
  public Optional<String> value(String key) {
    return list.stream()
        .filter(a -> keyOf(a).equals(key))
        .reduce((first, second) -> second)
        .map(a -> a.length() > key.length() ? a.substring(key.length() + 1) : "");
  }

  /**
   * Follows a change of the arguments that an image brings: those that the old image had and the
   * new one has not are taken away, those that are new are appended unless they are there. All
   * others stay where they are, so that local edits survive.
   */
  public KernelArguments followImage(KernelArguments oldImage, KernelArguments newImage) {
    KernelArguments result = this;
    for (String gone : oldImage.list) {
      if (!newImage.list.contains(gone)) {
        result = result.without(gone);
      }
    }
    List<String> added = new ArrayList<>();
    for (String fresh : newImage.list) {
      if (!oldImage.list.contains(fresh) && !result.list.contains(fresh)) {
        added.add(fresh);
      }
    }
    return result.append(added);
  }

  private static String keyOf(String argument) {
    int equals = argument.indexOf('=');
    return equals < 0 ? argument : argument.substring(0, equals);
  }

  /** The command line. */
  @Override
  public String toString() {
    return String.join(" ", list);
  }
}
