package slipway.disk.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where GRUB shows its menu and reads what is typed, {@code customizations.bootloader.grub2}: the
 * values of its commands terminal_input, terminal_output and serial (GRUB manual, "Commands").
 *
 * @param input names of terminals; none for the usual ones
 * @param output likewise
 * @param serial options of the serial line, such as {@code --unit=0 --speed=115200}; null for the
 *     usual ones
 */
public record GrubConsole(List<String> input, List<String> output, @Nullable String serial) {
  /** As GRUB is on all disks. */
  public static final GrubConsole USUAL = new GrubConsole(List.of(), List.of(), null);

  private static final GrubConsole BOTH =
      new GrubConsole(
          List.of("serial", "console"), List.of("serial", "console"), "--unit=0 --speed=115200");

  public GrubConsole {
    input = List.copyOf(input);
    output = List.copyOf(output);
  }

  /** The commands that say what is asked for, and no more; each on a line. */
  public String asked() {
    return command("serial", serial == null ? List.of() : List.of(serial))
        + command("terminal_input", input)
        + command("terminal_output", output);
  }

  /** The same, with what is usual in place of what is not asked for. */
  public String whole() {
    return new GrubConsole(
            input.isEmpty() ? BOTH.input : input,
            output.isEmpty() ? BOTH.output : output,
            serial == null ? BOTH.serial : serial)
        .asked();
  }

  private static String command(String name, List<String> values) {
    return values.isEmpty() ? "" : name + " " + String.join(" ", values) + "\n";
  }
}
