package slipway.system.kargs;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import slipway.base.Printable;
import slipway.base.Problem;

/**
 * A kernel command line as an ordered list of arguments, each {@code key} or {@code key=value}. A
 * key may occur several times ({@code console=}). Double quotes hold an argument with blanks
 * together (Linux, admin-guide/kernel-parameters.rst).
 *
 * @param list the arguments, quotes kept
 */
public record KernelArguments(List<String> list) {
  /** Linux cuts the line behind so many bytes on x86 and ARM (COMMAND_LINE_SIZE, less a NUL). */
  private static final int LONGEST = 2047;

  /**
   * Of them so many are taken by what a boot entry and its loader add, beside the stateroot's name:
   * in front {@code BOOT_IMAGE=(hd0,gpt15)/boot/ostree/NAME-CHECKSUM/vmlinuz-VERSION}, by GRUB, and
   * at the end {@code ostree=/ostree/boot.1/NAME/CHECKSUM/0}; a kernel's version has 64 at most.
   */
  private static final int ADDED = 11 + 11 + 13 + 1 + 64 + 9 + 64 + 1 + 1 + 22 + 1 + 64 + 2;

  /** No arguments. */
  public static final KernelArguments NONE = new KernelArguments(List.of());

  public KernelArguments {
    list = List.copyOf(list);
  }

  public static KernelArguments of(String... arguments) {
    return new KernelArguments(List.of(arguments));
  }

  /** Splits the line of a boot menu at blanks outside of double quotes. */
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

  /**
   * Splits what an image or a user gives, at blanks outside of double quotes; what is quoted stays
   * byte for byte.
   *
   * @param where the file and key, for messages
   * @throws Problem of kind INPUT for what a boot menu cannot hold: quotes that do not end, line
   *     ends and other characters that are not printed
   */
  public static KernelArguments parse(String line, String where) {
    KernelArguments found = parse(line.replace('\t', ' '));
    requirePrintable(line.replace('\t', ' '), where);
    found.requireWritable(where);
    return found;
  }

  private static void requirePrintable(String text, String where) {
    String shown = Printable.text(text);
    if (!shown.equals(text)) {
      throw Problem.input(
          where
              + ": \""
              + shown
              + "\" holds characters that a kernel command line cannot have; it is one line of"
              + " printed characters");
    }
  }

  /**
   * Refuses arguments that would not be read back from a boot menu as they are here.
   *
   * @param where they come from, for messages
   * @throws Problem of kind INPUT
   */
  public void requireWritable(String where) {
    for (String argument : list) {
      if (argument.chars().anyMatch(c -> c < ' ' && c != '\t')) {
        requirePrintable(argument, where);
      }
      if (argument.isBlank()) {
        throw Problem.input(
            where + ": \"\" is no kernel argument, which is a word such as quiet or console=ttyS0");
      }
      if (argument.chars().filter(c -> c == '"').count() % 2 != 0) {
        throw Problem.input(
            where
                + ": the double quotes of \""
                + Printable.text(argument)
                + "\" do not end: add or remove one");
      }
    }
  }

  /**
   * Refuses arguments of which the kernel would not see all: what leads to the deployment stands at
   * their end, in a boot entry.
   *
   * @param where they come from, for messages
   * @param stateroot that the entry is for
   * @throws Problem of kind INPUT
   */
  public void requireShort(String where, String stateroot) {
    int bytes = toString().getBytes(StandardCharsets.UTF_8).length + ADDED + 2 * stateroot.length();
    if (bytes > LONGEST) {
      throw Problem.input(
          where
              + ": they make a command line of up to "
              + bytes
              + " bytes, which the kernel cuts behind "
              + LONGEST
              + "; leave some out");
    }
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

  /** Without some: whole arguments, or all of a key. */
  public KernelArguments without(List<String> deleted) {
    return new KernelArguments(
        list.stream()
            .filter(a -> !deleted.contains(a) && !deleted.contains(a.replaceFirst("=.*", "")))
            .toList());
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

  /** The arguments of this key, with or without a value. */
  public List<String> ofKey(String key) {
    return list.stream().filter(a -> keyOf(a).equals(key)).toList();
  }

  /** With another argument in the place of the last one that is exactly {@code old}. */
  public KernelArguments replace(String old, String fresh) {
    List<String> all = new ArrayList<>(list);
    int at = all.lastIndexOf(old);
    if (at >= 0) {
      all.set(at, fresh);
    }
    return new KernelArguments(all);
  }

  /**
   * What leads from these to others: {@code +a} for an argument more, {@code -b} for one less; the
   * order does not count.
   */
  public List<String> difference(KernelArguments to) {
    List<String> gone = new ArrayList<>(list);
    List<String> changes = new ArrayList<>();
    for (String argument : to.list) {
      if (!gone.remove(argument)) {
        changes.add("+" + argument);
      }
    }
    gone.forEach(argument -> changes.add("-" + argument));
    return changes;
  }

  /** The value of the last argument of this key; empty text when it has none. */
  public Optional<String> value(String key) {
    return list.stream()
        .filter(a -> keyOf(a).equals(key))
        .reduce((first, second) -> second)
        .map(KernelArguments::valueOf);
  }

  /**
   * Follows a change of the arguments that an image brings: those that the old image had and the
   * new one has not are taken away, those that are new come where the image has them unless they
   * are there. All others stay, and what stands behind the image's stays behind them, so that local
   * edits survive.
   */
  public KernelArguments followImage(KernelArguments oldImage, KernelArguments newImage) {
    return new KernelArguments(new ImageChange(oldImage.list, newImage.list).applyTo(list));
  }

  /** The key; quotes around a whole argument do not belong to it, as for the kernel. */
  public static String keyOf(String argument) {
    String bare = unquoted(argument);
    int equals = bare.indexOf('=');
    return equals < 0 ? bare : bare.substring(0, equals);
  }

  private static String valueOf(String argument) {
    String bare = unquoted(argument);
    int equals = bare.indexOf('=');
    return equals < 0 ? "" : bare.substring(equals + 1);
  }

  private static String unquoted(String argument) {
    boolean quoted = argument.length() > 1 && argument.startsWith("\"") && argument.endsWith("\"");
    return quoted ? argument.substring(1, argument.length() - 1) : argument;
  }

  /** The command line. */
  @Override
  public String toString() {
    return String.join(" ", list);
  }
}
