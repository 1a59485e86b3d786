package slipway.iso;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.process.Command;

/**
 * What is on an ISO, as far as it is made anew: xorriso lists and extracts, into a folder of ours.
 * No name of the ISO becomes one of this machine.
 *
 * @param iso the file
 * @param volume its name, as it stands in the primary volume descriptor
 * @param menus paths of boot menus
 * @param efi what UEFI starts
 */
record IsoContents(Path iso, String volume, List<String> menus, Optional<Efi> efi) {
  private static final int SECTOR = 2048;
  private static final int DESCRIPTORS = 16 * SECTOR;

  /** More is no menu that somebody wrote. */
  private static final long MENU_LIMIT = 1 << 20;

  private static final int MENUS = 1000;
  private static final long EFI_LIMIT = 512L << 20;

  /** {@code -exec lsdl}: mode, links, owner, group, size, three words of a date, quoted path. */
  private static final Pattern LISTED =
      Pattern.compile("-\\S++ +\\d++ +\\S++ +\\S++ +(\\d++) +\\S++ +\\S++ +\\S++ +'(/[^']*+)'");

  private static final Pattern BOOT_IMAGE =
      Pattern.compile("El Torito boot img :\\s+(\\d+)\\s+UEFI\\s+y .*?(\\d+)\\s*");
  private static final Pattern BOOT_PATH =
      Pattern.compile("El Torito img path :\\s+(\\d+)\\s+(/.*)");
  private static final Pattern PARTITION =
      Pattern.compile("GPT start and size :\\s+(\\d+)\\s+(\\d+)\\s+(\\d+)\\s*");
  private static final Pattern DOS_PARTITION =
      Pattern.compile("MBR partition\\s+:\\s+(\\d+)\\s+\\S+\\s+0xef\\s+(\\d+)\\s+\\d+\\s*");

  /**
   * The FAT image that UEFI starts: a file of the ISO, or a partition behind it.
   *
   * @param path of the file; nothing for a partition
   * @param partition the number of the partition; 0 for a file
   * @param start first byte
   */
  record Efi(Optional<String> path, int partition, long start) {}

  static IsoContents of(Path iso) throws IOException {
    String volume = volumeOf(iso);
    return new IsoContents(iso, volume, menusOf(iso), efiOf(iso));
  }

  /** ECMA-119 §8.4: the primary descriptor is the first whose type is 1; its name is at 40. */
  static String volumeOf(Path iso) throws IOException {
    if (!Files.isRegularFile(iso)) {
      throw Problem.input(iso + (Files.exists(iso) ? " is no regular file" : " does not exist"));
    }
    byte[] descriptor = new byte[SECTOR];
    try (RandomAccessFile in = new RandomAccessFile(iso.toFile(), "r")) {
      if (in.length() >= DESCRIPTORS + SECTOR) {
        in.seek(DESCRIPTORS);
        in.readFully(descriptor);
      }
    }
    if (descriptor[0] != 1 || !new String(descriptor, 1, 5, ISO_8859_1).equals("CD001")) {
      throw Problem.input(iso + " is no ISO 9660 image");
    }
    return new String(descriptor, 40, 32, ISO_8859_1).strip();
  }

  private static List<String> menusOf(Path iso) {
    String listed =
        read(
            iso,
            xorriso(iso)
                .with("-find", "/", "-type", "f", "(", "-name", "*.cfg", "-or", "-name", "*.conf")
                .with("-or", "-name", "*.CFG", "-or", "-name", "*.CONF", ")")
                .with("-exec", "lsdl", "--"));
    List<String> menus = new ArrayList<>();
    for (String line : listed.lines().toList()) {
      Matcher file = LISTED.matcher(line.strip());
      if (file.matches()
          && Long.parseUnsignedLong(file.group(1)) <= MENU_LIMIT
          && BootMenu.of(file.group(2)).isPresent()) {
        menus.add(file.group(2));
      }
    }
    if (menus.size() > MENUS) {
      throw Problem.input(iso + " has " + menus.size() + " boot menus; " + MENUS + " are the most");
    }
    return List.copyOf(menus);
  }

  private static Optional<Efi> efiOf(Path iso) {
    List<String> report =
        read(iso, xorriso(iso).with("-report_el_torito", "plain", "-report_system_area", "plain"))
            .lines()
            .toList();
    return matching(BOOT_IMAGE, report).stream()
        .findFirst()
        .map(image -> efi(report, image.group(1), Long.parseLong(image.group(2)) * SECTOR));
  }

  private static Efi efi(List<String> report, String number, long start) {
    Optional<String> path =
        matching(BOOT_PATH, report).stream()
            .filter(p -> p.group(1).equals(number))
            .map(p -> p.group(2).strip())
            .findFirst();
    if (path.isPresent()) {
      return new Efi(path, 0, start);
    }
    for (Pattern table : List.of(PARTITION, DOS_PARTITION)) {
      for (Matcher each : matching(table, report)) {
        if (Long.parseLong(each.group(2)) * 512 == start) {
          return new Efi(Optional.empty(), Integer.parseInt(each.group(1)), start);
        }
      }
    }
    return new Efi(Optional.empty(), 0, start);
  }

  private static List<Matcher> matching(Pattern pattern, List<String> lines) {
    return lines.stream().map(pattern::matcher).filter(Matcher::matches).toList();
  }

  /** Takes menus out, each to a file of its number. */
  List<Path> extractMenus(Path folder) {
    List<Path> files = new ArrayList<>();
    Command command = xorriso(iso).with("-osirrox", "on");
    for (String menu : menus) {
      Path file = folder.resolve(Integer.toString(files.size()));
      command = command.with("-extract_single", menu, file.toString());
      files.add(file);
    }
    if (!files.isEmpty()) {
      read(iso, command);
    }
    files.forEach(file -> requireRegular(file, "a boot menu"));
    return files;
  }

  /** Takes the image out that UEFI starts, for which there must be one. */
  Path extractEfi(Path folder) {
    Path images = folder.resolve("images");
    read(iso, xorriso(iso).with("-osirrox", "on", "-extract_boot_images", images.toString()));
    Path found = images.resolve("eltorito_img2_uefi.img");
    for (int i = 1; i < 10 && !Files.exists(found, LinkOption.NOFOLLOW_LINKS); i++) {
      found = images.resolve("eltorito_img" + i + "_uefi.img");
    }
    requireRegular(found, "the image that UEFI starts");
    return found;
  }

  private void requireRegular(Path file, String what) {
    long size;
    try {
      size = Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? Files.size(file) : -1;
    } catch (IOException e) {
      size = -1;
    }
    if (size < 0 || size > EFI_LIMIT) {
      throw Problem.input(
          what + " could not be read from " + Printable.text(iso.toString()) + "; is it whole?");
    }
  }

  /**
   * What xorriso says of an ISO.
   *
   * @throws Problem of kind INPUT when it cannot read it, and of kind FULL when there is no room
   *     for what it extracts
   */
  private static String read(Path iso, Command command) {
    Command.Result result = command.tryRun();
    if (result.status() == 0) {
      return result.text();
    }
    if (WritingTool.isFull(result.stderr())) {
      throw Problem.full(
          "no space is left for the menus of "
              + Printable.text(iso.toString())
              + " among temporary"
              + " files; make room there, or let TMPDIR name another folder");
    }
    throw Problem.input("xorriso cannot read " + Printable.text(iso.toString()) + ": is it whole?")
        .withDetails(result.stderr());
  }

  /** xorriso with an ISO to read, without the user's and the machine's settings. */
  static Command xorriso(Path iso) {
    return Command.of("xorriso", "-no_rc", "-abort_on", "FAILURE", "-report_about", "FAILURE")
        .environment("LC_ALL", "C")
        .with("-indev", "stdio:" + iso.toAbsolutePath());
  }
}
