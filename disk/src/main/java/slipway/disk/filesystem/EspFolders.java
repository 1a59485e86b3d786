package slipway.disk.filesystem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.disk.bootloader.EfiFolder;
import slipway.disk.bootloader.ErasedSystems;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Removal;
import slipway.linux.process.Command;
import slipway.sysroot.state.EspMenu;

/**
 * The folders of loaders and kernels on an EFI system partition that is not mounted, by mtools,
 * because not every kernel reads FAT.
 *
 * @param disk that it is on
 * @param start bytes from the beginning of the disk
 */
public record EspFolders(Path disk, long start) {
  private static final String TOP = "::/EFI/";
  private static final String ENTRIES = "::/" + EspMenu.ENTRIES + "/";
  private static final String KERNELS = "::/" + EspMenu.KERNELS + "/";

  /** At the end of what mdir says; digits stand in groups. */
  private static final Pattern FREE = Pattern.compile("([0-9][0-9 ]*) bytes free");

  /** Of folders that are looked into, of files in one, of entries and kernels of a boot menu. */
  private static final int MOST = 200;

  /** Bytes of what is copied at a time to be looked into. */
  private static final long LARGEST = 512L << 20;

  /** A file system that leads in circles may keep mtools busy for ever. */
  private static final Duration LIMIT = Duration.ofMinutes(2);

  /** Characters that mtools take for those of a pattern. */
  private static final Pattern PATTERN = Pattern.compile("[*?\\[\\]\\\\]");

  private static final Pattern HELD = Pattern.compile("files? +([0-9][0-9 ]*) bytes");

  /**
   * Removes the folders that {@link EfiFolder#removeLoadersOf} would remove where it is mounted.
   *
   * @param work a folder for copies of what is looked into, one loader's at a time
   * @param notes is told of what cannot be looked at or removed, and stays
   * @return what {@link EfiFolder#removeLoadersOf} says
   */
  public List<String> removeLoadersOf(ErasedSystems erased, Path work, Consumer<String> notes) {
    List<String> removed = new ArrayList<>();
    List<String> folders = erased.isNone() ? List.of() : folders(TOP);
    if (folders.size() > MOST) {
      notes.accept(
          "EFI on the EFI system partition has more than "
              + MOST
              + " folders, so only the first are looked into for loaders of the old system");
    }
    for (String name : folders.subList(0, Math.min(MOST, folders.size()))) {
      try {
        remove(name, erased, work, removed);
      } catch (IOException | RuntimeException e) {
        notes.accept(EfiFolder.stays(name, e));
      }
    }
    return removed;
  }

  private void remove(String name, ErasedSystems erased, Path work, List<String> removed)
      throws IOException {
    if (EfiFolder.isFallback(name)) {
      return;
    }
    if (!EfiFolder.isShared(name)) {
      if (isOf(name, files(name), erased, work)) {
        mtools("mdeltree", TOP + name).run();
        removed.add(name);
      }
      return;
    }
    int before = removed.size();
    for (String file : files(name)) {
      if (isOf(name, List.of(file), erased, work)) {
        mtools("mdel", TOP + name + "/" + file).run();
        removed.add(name + "/" + file);
      }
    }
    if (removed.size() > before && list(TOP + name + "/").isEmpty()) {
      mtools("mrd", TOP + name).tryRun();
    }
  }

  private List<String> files(String vendor) {
    return few(
        list(TOP + vendor + "/").stream().filter(file -> !file.endsWith("/")).toList(),
        "EFI/" + vendor);
  }

  private List<String> folders(String folder) {
    return list(folder).stream()
        .filter(name -> name.endsWith("/"))
        .map(name -> name.substring(0, name.length() - 1))
        .toList();
  }

  /** Each of them takes a process, or several. */
  private static List<String> few(List<String> names, String folder) {
    if (names.size() > MOST) {
      throw Problem.input(
          Printable.text(folder)
              + " on the EFI system partition has more than "
              + MOST
              + " entries; remove those that nothing starts from");
    }
    return names;
  }

  /** What is a pattern would be looked for, and removed, under other names. */
  private static void requirePlain(String name) {
    if (PATTERN.matcher(name).find()) {
      throw Problem.input(
          "mtools take \"" + Printable.text(name) + "\" for a pattern; remove it yourself");
    }
  }

  private boolean isOf(String name, List<String> files, ErasedSystems erased, Path work)
      throws IOException {
    requirePlain(name);
    files.forEach(EspFolders::requirePlain);
    String all = files.size() == 1 ? name + "/" + files.getFirst() : name;
    if (!files.isEmpty() && told(TOP + all, HELD).orElse(0) > LARGEST) {
      throw Problem.input("it has more than " + (LARGEST >> 20) + " MiB");
    }
    Path copy = work.resolve("old-loader");
    Path vendor = Files.createDirectories(copy.resolve(name));
    try {
      for (String file : files) {
        mtools("mcopy", "-n", TOP + name + "/" + file, vendor + "/").run();
      }
      return !EfiFolder.filesOf(vendor, erased).isEmpty();
    } finally {
      Removal.tree(OsPath.of(copy));
    }
  }

  /** The folders of systems that have loaders of their own, beside the one that all share. */
  public List<String> vendors() {
    return folders(TOP).stream().filter(name -> !EfiFolder.isFallback(name)).toList();
  }

  /** Whether somebody's systemd-boot is there. */
  public boolean hasSystemdBoot() {
    return list(TOP).contains(EfiFolder.SYSTEMD + "/");
  }

  /** What {@link EspMenu#held} would say where it is mounted. */
  public List<String> menu() {
    return entries().stream().map(entry -> EspMenu.ENTRIES + "/" + entry).toList();
  }

  /**
   * Removes what {@link EspMenu#clear} would remove where it is mounted.
   *
   * @return as that
   */
  public List<String> clearMenu() {
    List<String> removed = new ArrayList<>();
    for (String entry : entries()) {
      mtools("mdel", ENTRIES + entry).run();
      removed.add(EspMenu.ENTRIES + "/" + entry);
    }
    for (String folder : kernels()) {
      mtools("mdeltree", KERNELS + folder).run();
      removed.add(EspMenu.KERNELS + "/" + folder);
    }
    return removed;
  }

  private List<String> entries() {
    return few(list(ENTRIES).stream().filter(EspMenu::isEntry).toList(), EspMenu.ENTRIES);
  }

  /**
   * Bytes that are free; nothing where that cannot be known.
   *
   * @param clears whether with those that {@link #clearMenu} makes free
   */
  public OptionalLong room(boolean clears) {
    OptionalLong free = told("::/", FREE);
    if (free.isEmpty()) {
      return free;
    }
    long room = free.getAsLong();
    for (String folder : clears ? kernels() : List.<String>of()) {
      room += told(KERNELS + folder, HELD).orElse(0);
    }
    return OptionalLong.of(room);
  }

  /** But for those of other systems, as {@link EspMenu#isOthersKernel} says. */
  private List<String> kernels() {
    List<String> all =
        few(folders(KERNELS).stream().filter(EspMenu::isKernels).toList(), EspMenu.KERNELS);
    List<String> others;
    try {
      others = all.isEmpty() ? List.of() : others();
    } catch (Problem e) {
      return List.of(); // Nobody knows what they start.
    }
    return all.stream()
        .filter(kernels -> others.stream().noneMatch(text -> EspMenu.names(text, kernels)))
        .toList();
  }

  /** What the entries of other systems say. */
  private List<String> others() {
    List<String> texts = new ArrayList<>();
    for (String entry :
        few(list(ENTRIES).stream().filter(EspMenu::isOthers).toList(), EspMenu.ENTRIES)) {
      requirePlain(entry);
      Limit.SMALL_FILE_BYTES.check(told(ENTRIES + entry, HELD).orElse(0), entry);
      texts.add(mtools("mtype", ENTRIES + entry).output());
    }
    return texts;
  }

  /** The last number of bytes of this kind that mdir tells of a folder. */
  private OptionalLong told(String folder, Pattern kind) {
    Command.Result result = mtools("mdir", folder).tryRun();
    OptionalLong bytes = OptionalLong.empty();
    if (result.status() == 0) {
      for (Matcher m = kind.matcher(result.text()); m.find(); ) {
        String digits = m.group(1).replace(" ", "");
        bytes = digits.length() < 19 ? OptionalLong.of(Long.parseLong(digits)) : bytes;
      }
    }
    return bytes;
  }

  /** The names in a folder, those of folders with a slash at their end. */
  private List<String> list(String folder) {
    Command.Result result = mtools("mdir", "-b", folder).tryRun();
    if (result.status() != 0) {
      return List.of();
    }
    return result
        .text()
        .lines()
        .filter(line -> line.startsWith(folder) && line.length() > folder.length())
        .map(line -> line.substring(folder.length()))
        .filter(name -> name.indexOf('/') < 0 || name.indexOf('/') == name.length() - 1)
        .filter(name -> !name.startsWith("."))
        .toList();
  }

  private Command mtools(String program, String... arguments) {
    return Command.of(program, "-i", disk + "@@" + start).with(arguments).timeout(LIMIT);
  }
}
