package slipway.disk.bootloader;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;
import slipway.linux.process.Command;

/**
 * Joins GRUB's kernel and modules to one file that firmware can start, with this machine's
 * grub-mkimage(1): the format of modules is that of GRUB 2.00 on, so the modules may be those of
 * another version. They come from strangers and the program reads their ELF tables, so it works
 * shut in, see {@link ToolRoom}.
 *
 * @param folder an empty folder to work in
 */
public record GrubMkimage(Path folder) {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** Debian's name and Fedora's. */
  private static final List<String> NAMES = List.of("grub-mkimage", "grub2-mkimage");

  /**
   * The program on this machine.
   *
   * @throws Problem of kind ENVIRONMENT when there is none
   */
  public static String program() {
    for (String name : NAMES) {
      for (String place : List.of("/usr/bin/", "/usr/sbin/")) {
        if (Files.isExecutable(Path.of(place + name))) {
          return place + name;
        }
      }
    }
    throw Problem.environment(
        "there is no grub-mkimage here, which makes a disk's boot loader; install the package"
            + " grub-common");
  }

  /**
   * Makes an image.
   *
   * @param platform as in {@code x86_64-efi}
   * @param prefix where GRUB looks for its files
   * @param early the configuration inside the image
   * @param modules names of modules to put into it; those that they need come along
   * @param files GRUB's own files for the platform
   * @throws Problem when the tool refuses the files or makes no image of them
   */
  byte[] make(
      String platform, String prefix, String early, List<String> modules, Map<String, byte[]> files)
      throws IOException {
    String program = program();
    try (ToolRoom room = ToolRoom.in(folder)) {
      room.put("early.cfg", early.getBytes(StandardCharsets.UTF_8));
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        room.put("modules/" + file.getKey(), file.getValue());
      }
      List<String> argv = new ArrayList<>(List.of(program, "-d", "modules", "-O", platform));
      argv.addAll(List.of("-c", "early.cfg", "-p", prefix, "-o", "image"));
      argv.addAll(modules);
      Command.Result result = room.tryRun(argv, LIMIT);
      byte[] image = result.status() == 0 ? image(room.work(), platform) : new byte[0];
      if (image.length == 0 || (platform.endsWith("-efi") && !isExecutable(image))) {
        throw Problem.input(
            "this machine's grub-mkimage cannot make a boot loader for "
                + platform
                + " of the image's GRUB modules: "
                + reason(result));
      }
      return image;
    }
  }

  private static byte[] image(Path work, String platform) throws IOException {
    String where = "the boot loader for " + platform;
    var found =
        RootedFile.open(OsPath.of(work), OsPath.of("image"), RootedFile.Links.BENEATH, where);
    if (found.isEmpty()) {
      return new byte[0];
    }
    try (FdInput in = found.get()) {
      return Limit.BOOT_LOADER_BYTES.read(in, where);
    }
  }

  /** Whether it begins as UEFI's executables do (PE format, "MS-DOS stub"). */
  static boolean isExecutable(byte[] image) {
    return Arrays.equals(image, 0, Math.min(2, image.length), new byte[] {'M', 'Z'}, 0, 2);
  }

  private static String reason(Command.Result result) {
    String last = result.stderr().strip().lines().reduce((a, b) -> b).orElse("");
    return last.isEmpty()
        ? "it ended with status " + result.status() + " and made none"
        : Printable.text(last);
  }
}
