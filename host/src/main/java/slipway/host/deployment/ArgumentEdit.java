package slipway.host.deployment;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.CommandValue;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.system.kargs.KernelArguments;

/** A change of the kernel arguments that a machine starts with. */
@FunctionalInterface
public interface ArgumentEdit {
  /** Keys of what the kernel and its initramfs find the root by, and mount it and /usr with. */
  Pattern DISKS =
      Pattern.compile(
          "root|rootflags|rootfstype|netroot|boot|mount\\.usr.*|composefs.*"
              + "|luks\\..*|rd\\.(luks|lvm|md|dm|iscsi|nvmf|znet|zfcp|dasd).*");

  /**
   * Makes it.
   *
   * @throws Problem of kind INPUT when it does not fit to those that are there
   */
  KernelArguments apply(KernelArguments present);

  /**
   * Appends arguments.
   *
   * @param words each one argument or several, blanks between
   * @param ifMissing whether those that are there are left out
   */
  static ArgumentEdit add(List<String> words, boolean ifMissing) {
    List<String> more = parse(words);
    return present -> {
      KernelArguments result = present;
      for (String argument : ifMissing ? meant(present, words) : more) {
        if (!ifMissing || !result.list().contains(argument)) {
          result = result.append(List.of(argument));
        }
      }
      return result;
    };
  }

  /**
   * Takes arguments away.
   *
   * @param words whole arguments, or keys that one argument has
   * @param ifPresent whether those that are not there are no fault
   * @param force whether also what the machine finds its disks by
   */
  static ArgumentEdit delete(List<String> words, boolean ifPresent, boolean force) {
    parse(words);
    return present -> {
      KernelArguments result = present;
      for (String argument : meant(present, words)) {
        String found = find(result, argument, ifPresent);
        if (found != null) {
          result = result.without(found);
          if (!force) {
            requireBootable(found, result);
          }
        }
      }
      return result;
    };
  }

  /** A machine that finds its root no more cannot be asked to take that back. */
  private static void requireBootable(String gone, KernelArguments left) {
    String key = KernelArguments.keyOf(gone);
    if (DISKS.matcher(key).matches() && !left.list().contains(gone)) {
      throw Problem.input(
          "this machine may not start without \""
              + Printable.text(gone)
              + "\": give it another value (bootc kargs replace), or delete it with --force");
    }
  }

  /**
   * Gives keys other values, in their place.
   *
   * @param words the new arguments
   * @param old the one argument to replace, or null for that of the new one's key
   * @param ifPresent whether one that is not there is no fault
   */
  static ArgumentEdit replace(List<String> words, @Nullable String old, boolean ifPresent) {
    List<String> fresh = parse(words);
    if (old != null) {
      parse(List.of(old));
      requireOne(fresh);
    }
    return present -> {
      List<String> replaced = old == null ? List.of() : meant(present, List.of(old));
      if (old != null) {
        requireOne(replaced);
      }
      KernelArguments result = present;
      for (String argument : fresh) {
        String wanted = old == null ? KernelArguments.keyOf(argument) : replaced.getFirst();
        String found = find(result, wanted, ifPresent);
        result = found == null ? result : result.replace(found, argument);
      }
      return result;
    };
  }

  private static void requireOne(List<String> arguments) {
    if (arguments.size() != 1) {
      throw Problem.usage("--old names one argument, for which one other is given");
    }
  }

  /** Splits and checks what a user gave. */
  private static List<String> parse(List<String> words) {
    List<String> all = new ArrayList<>();
    for (String word : words) {
      all.addAll(arguments("the kernel argument", word).list());
    }
    if (all.isEmpty()) {
      throw Problem.usage("a kernel argument is a word such as quiet or console=ttyS0");
    }
    for (String argument : all) {
      requireForeign(argument);
    }
    return all;
  }

  /**
   * What a user means of the arguments that are there. A word with blanks in it is what a shell
   * leaves of {@code key="a b"} when there is such an argument, else several arguments.
   */
  private static List<String> meant(KernelArguments present, List<String> words) {
    List<String> all = new ArrayList<>();
    for (String word : words) {
      present.list().stream()
          .filter(a -> a.indexOf(' ') >= 0 && bare(a).equals(bare(word)))
          .findFirst()
          .ifPresentOrElse(
              all::add, () -> all.addAll(arguments("the kernel argument", word).list()));
    }
    return all;
  }

  private static String bare(String argument) {
    return argument.replace("\"", "");
  }

  /**
   * Splits what a user gave.
   *
   * @param where it was given, for messages
   * @throws Problem of kind USAGE for what no boot menu can hold
   */
  static KernelArguments arguments(String where, String words) {
    return CommandValue.of(where, () -> KernelArguments.parse(words, where));
  }

  /** The boot menu's own argument leads to the deployment. */
  static void requireForeign(String argument) {
    if (KernelArguments.keyOf(argument).equals("ostree")) {
      throw Problem.usage(
          "the argument \""
              + Printable.text(argument)
              + "\" is the boot menu's own, which leads to the deployment");
    }
  }

  /** The argument that is meant; null when there is none and that is no fault. */
  private static @Nullable String find(
      KernelArguments present, String wanted, boolean mayBeMissing) {
    if (present.list().contains(wanted)) {
      return wanted;
    }
    List<String> found = wanted.contains("=") ? List.of() : present.ofKey(wanted);
    if (found.size() > 1) {
      throw Problem.input(
          "several kernel arguments have the key "
              + Printable.text(wanted)
              + ", name one: "
              + Printable.text(String.join(", ", found)));
    }
    if (found.isEmpty() && !mayBeMissing) {
      throw Problem.notFound(
          "no kernel argument is \""
              + Printable.text(wanted)
              + "\"; bootc kargs list shows those of the next boot");
    }
    return found.isEmpty() ? null : found.getFirst();
  }
}
