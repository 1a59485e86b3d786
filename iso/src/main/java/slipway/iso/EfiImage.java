package slipway.iso;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.system.kargs.KernelArguments;

/** The FAT image that UEFI starts: its menus stand for those of the ISO. */
final class EfiImage {
  /** A file system that leads in circles may keep mtools busy for ever. */
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private static final String FOLDER = "::/EFI/BOOT/";

  private final Path image;
  private final OptionalLong epoch;

  /**
   * @param epoch the time of what is written, in seconds since 1970; the clock's where it is empty
   */
  EfiImage(Path image, OptionalLong epoch) {
    this.image = image;
    this.epoch = epoch;
  }

  /**
   * Edits its menus in place.
   *
   * @param folder for a file
   * @return whether there was one
   */
  boolean edit(KernelArguments added, IsoChanges changes, RenamedVolume renamed, Path folder)
      throws IOException {
    Command.Result listed = mtools("mdir", "-b", FOLDER).tryRun();
    boolean edited = false;
    // A menu that only leads to the one on the ISO (Debian) has no kernel, and stays.
    for (String line : listed.text().lines().toList()) {
      String name = line.strip().substring(line.strip().lastIndexOf('/') + 1);
      if (BootMenu.of("/EFI/BOOT/" + name).isPresent()) {
        edited |= edit(FOLDER + name, added, changes, renamed, folder.resolve("menu"));
      }
    }
    return edited;
  }

  private boolean edit(
      String menu, KernelArguments added, IsoChanges changes, RenamedVolume renamed, Path file)
      throws IOException {
    byte[] bytes = mtools("mtype", menu).run().stdout();
    String text = new String(bytes, ISO_8859_1);
    BootMenu.Edited edited = BootMenu.GRUB.edit(text, added, changes, renamed);
    if (edited.text().equals(text)) {
      return false;
    }
    Files.write(file, edited.text().getBytes(ISO_8859_1));
    Command.Result result = mtools("mcopy", "-n", "-o", file.toString(), menu).tryRun();
    if (result.status() != 0) {
      throw Problem.input(
          "the boot menu does not fit into the ISO's image for UEFI, which is full; give fewer"
              + " arguments");
    }
    return true;
  }

  private Command mtools(String program, String... arguments) {
    return Command.of(List.of(program, "-i", image.toString()))
        .with(arguments)
        .environment("MTOOLSRC", "/dev/null")
        .environment("MTOOLS_SKIP_CHECK", "1")
        .environment("TZ", "UTC")
        .environment("SOURCE_DATE_EPOCH", epoch.isPresent() ? "" + epoch.getAsLong() : null)
        .timeout(LIMIT);
  }
}
