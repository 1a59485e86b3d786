package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import slipway.linux.process.Command;

/**
 * An entry of the boot menu of a disk.
 *
 * @param name of its file
 * @param text what that says
 * @param linux a file with its kernel
 * @param initrd a file with its initramfs
 */
record MenuEntry(String name, String text, Path linux, Path initrd) {
  private static final String ENTRIES = "/loader/entries/";

  /** The menu as a kernel has it that mounted the file system; the one that boots comes last. */
  static List<MenuEntry> asLinuxSees(Path boot) throws IOException {
    List<MenuEntry> menu = new ArrayList<>();
    try (var files = Files.list(Path.of(boot + ENTRIES))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".conf")).sorted().toList()) {
        String text = Files.readString(file);
        menu.add(
            new MenuEntry(
                file.getFileName().toString(),
                text,
                Path.of(boot + value(text, "linux")),
                Path.of(boot + value(text, "initrd"))));
      }
    }
    return menu;
  }

  /**
   * The menu as GRUB has it, by its own code and without the journal: a file system that was not
   * unmounted may look older to it, and must not look broken. Kernels are copied to {@code work}.
   */
  static List<MenuEntry> asGrubSees(Path disk, Path work) {
    String boot = "(loop0,gpt3)";
    List<String> names =
        Arrays.stream(grub(disk, "ls", boot + ENTRIES).split("\\s+"))
            .filter(name -> name.endsWith(".conf"))
            .sorted()
            .toList();
    List<MenuEntry> menu = new ArrayList<>();
    for (String name : names) {
      String text = grub(disk, "cat", boot + ENTRIES + name);
      Path linux = work.resolve(name + ".linux");
      Path initrd = work.resolve(name + ".initrd");
      grub(disk, "cp", boot + value(text, "linux"), linux.toString());
      grub(disk, "cp", boot + value(text, "initrd"), initrd.toString());
      menu.add(new MenuEntry(name, text, linux, initrd));
    }
    return menu;
  }

  private static String grub(Path disk, String... arguments) {
    return Command.of("grub-fstest", disk.toString()).with(arguments).run().text();
  }

  private static String value(String text, String key) {
    return text.lines()
        .filter(line -> line.startsWith(key + " "))
        .map(line -> line.substring(key.length() + 1).strip())
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + key + " in the boot entry: " + text));
  }

  /** The absolute link to its deployment. */
  String ostree() {
    List<String> links =
        Arrays.stream(value(text, "options").split("\\s+"))
            .filter(option -> option.startsWith("ostree=/"))
            .toList();
    assertThat(links).as("deployments of " + name + ": " + text).hasSize(1);
    return links.getFirst().substring("ostree=".length());
  }

  /** The directory of its deployment, below a mounted root. */
  Path deployment(Path root) throws IOException {
    Path link = root.resolve(ostree().substring(1));
    assertThat(link).as("deployment of " + name).exists();
    return link.toRealPath();
  }

  /** What a kernel is told besides. */
  String arguments() {
    return value(text, "options").replaceAll("(^|\\s)ostree=\\S+", "").strip();
  }

  /** The name of the directory in {@code /boot/ostree} that holds its kernel. */
  String kernelDirectory() {
    return Path.of(value(text, "linux")).getParent().getFileName().toString();
  }
}
