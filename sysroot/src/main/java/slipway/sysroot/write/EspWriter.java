package slipway.sysroot.write;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import slipway.base.AfterCommit;
import slipway.base.AtomicFile;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Removal;
import slipway.sysroot.state.BootEntry;
import slipway.sysroot.state.BootTrial;
import slipway.sysroot.state.EspMenu;
import slipway.sysroot.state.SysrootState;

/**
 * Writes the copy of the boot menu that systemd-boot reads, see {@link EspMenu}. The set of entries
 * that is not in force is written whole, with its kernels, and synced; then one byte puts it in
 * force. Whatever stops this, one of both sets boots.
 */
public final class EspWriter {
  /** Keys whose values are files in /boot. */
  private static final List<String> FILES = List.of("linux", "initrd", "devicetree");

  /**
   * Keys that are left out: what systemd-boot does not read, and what would sort entries otherwise
   * than by their names.
   */
  private static final List<String> LEFT_OUT = List.of("fdtdir", "sort-key", "machine-id");

  private final EspMenu menu;
  private final Path boot;

  /**
   * @param menu to write
   * @param boot the folder that entries and kernels are in
   */
  public EspWriter(EspMenu menu, Path boot) {
    this.menu = menu;
    this.boot = boot;
  }

  /** That of a sysroot that systemd-boot starts; nothing for all others. */
  static Optional<EspWriter> of(Path root) throws IOException {
    return EspMenu.of(root).map(menu -> new EspWriter(menu, root.resolve("boot")));
  }

  /**
   * Writes a menu beside the one in force.
   *
   * @param entries those of the menu in {@code /boot}, the first one boots
   * @param trial of that one, or nothing
   * @return the set that it is now, for {@link EspMenu#choose}
   * @throws Problem of kind ENVIRONMENT when the partition is not there, of kind CORRUPT for an
   *     entry that leads out of {@code /boot}
   */
  char prepare(List<BootEntry> entries, Optional<BootTrial> trial) throws IOException {
    menu.require();
    char set = menu.otherSet();
    removeEntries(set);
    AtomicFile.sweep(menu.entriesFolder());
    int number = entries.size();
    for (BootEntry entry : entries) {
      BootEntry here = translated(entry);
      for (Path file : files(here)) {
        copy(file);
      }
      EspMenu.Tries tries =
          number == entries.size() ? trial.map(EspWriter::tries).orElse(null) : null;
      AtomicFile.write(
          menu.entriesFolder().resolve(new EspMenu.Entry(set, number--, tries).file()),
          RawText.encode(here.toString()));
    }
    menu.sync();
    return set;
  }

  private static EspMenu.Tries tries(BootTrial trial) {
    int left = Math.max(trial.left(), 0);
    return new EspMenu.Tries(left, Math.max(trial.tries() - left, 0));
  }

  /** Puts a set that was prepared in force. */
  void choose(char set) throws IOException {
    menu.choose(set);
  }

  /**
   * Brings the partition to what {@code /boot} says; nothing is written when it is so. What neither
   * the set in force nor the new one needs goes first: it may take the room.
   *
   * @param rubbish is told what of that could not be removed
   * @return whether something was written
   */
  public boolean mirror(List<BootEntry> entries, Optional<BootTrial> trial, AfterCommit rubbish)
      throws IOException {
    menu.require();
    if (isInForce(entries)) {
      return false;
    }
    Set<Path> wanted = foldersOf(entries);
    rubbish.attempt(
        "not all old kernels could be removed from the EFI system partition",
        () -> removeUnused(wanted));
    choose(prepare(entries, trial));
    return true;
  }

  /** Whether a menu is in force there, whatever tries its first entry has left. */
  boolean isInForce(List<BootEntry> entries) throws IOException {
    Optional<Character> set = menu.set();
    List<EspMenu.Entry> present = set.isPresent() ? menu.entries(set.get()) : List.of();
    if (present.size() != entries.size()) {
      return false;
    }
    for (int i = 0; i < present.size(); i++) {
      BootEntry wanted = translated(entries.get(i));
      if (!menu.text(present.get(i)).equals(wanted.toString())
          || present.get(i).number() != entries.size() - i) {
        return false;
      }
      for (Path file : files(wanted)) {
        if (!isThere(file)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Removes the set that is not in force, and kernels and files that no entry names. */
  void sweep() throws IOException {
    if (menu.set().isPresent()) {
      removeEntries(menu.otherSet());
    }
    AtomicFile.sweep(menu.entriesFolder());
    removeUnused(Set.of());
    menu.sync();
  }

  /**
   * Removes kernels that the set in force does not name, but for wanted ones, and files of none.
   */
  private void removeUnused(Set<Path> wanted) throws IOException {
    for (Path kernel : unusedKernels(wanted)) {
      Removal.tree(OsPath.of(kernel));
    }
    Path kernels = menu.folder().resolve(BootWriter.KERNELS);
    if (Files.isDirectory(kernels, LinkOption.NOFOLLOW_LINKS)) {
      BootWriter.sweep(kernels);
    }
  }

  /** The names of the folders of their kernels. */
  private static Set<Path> foldersOf(List<BootEntry> entries) {
    Set<Path> folders = new TreeSet<>();
    for (BootEntry entry : entries) {
      for (Path file : files(translated(entry))) {
        Path folder = file.getParent();
        if (folder != null) {
          folders.add(Objects.requireNonNull(folder.getFileName()));
        }
      }
    }
    return folders;
  }

  private void removeEntries(char set) throws IOException {
    for (Path entry : entriesOf(set)) {
      Files.deleteIfExists(entry);
    }
  }

  private List<Path> entriesOf(char set) throws IOException {
    return menu.all().stream()
        .filter(entry -> entry.set() == set)
        .map(entry -> menu.entriesFolder().resolve(entry.file()))
        .toList();
  }

  /** The files that a new menu takes the place of. */
  List<Path> unusedEntries() throws IOException {
    return entriesOf(menu.otherSet());
  }

  /**
   * Folders of kernels that neither the set in force names, nor an entry of another system, nor one
   * of these is.
   *
   * @param booted names of folders that are wanted
   */
  List<Path> unusedKernels(Set<Path> booted) throws IOException {
    Set<Path> used = new TreeSet<>();
    Optional<Character> set = menu.set();
    if (set.isEmpty()) {
      return List.of(); // Somebody else chooses, who knows what.
    }
    for (EspMenu.Entry entry : menu.entries(set.get())) {
      for (Path file : files(BootEntry.parse(menu.text(entry)))) {
        used.add(Objects.requireNonNull(menu.folder().resolve(file).getParent()));
      }
    }
    List<Path> unused = new ArrayList<>();
    for (Path kernel : SysrootSweep.unusedIn(menu.folder().resolve(BootWriter.KERNELS), booted)) {
      if (!used.contains(kernel) && !menu.isOthersKernel(String.valueOf(kernel.getFileName()))) {
        unused.add(kernel);
      }
    }
    return unused;
  }

  /** Where the partition is. */
  Path folder() {
    return menu.folder();
  }

  /** An entry as it reads there: paths begin at the partition's root. */
  private static BootEntry translated(BootEntry entry) {
    Map<String, List<String>> keys = new LinkedHashMap<>(entry.keys());
    keys.keySet().removeAll(LEFT_OUT);
    for (String key : FILES) {
      keys.computeIfPresent(key, (k, all) -> all.stream().map(EspWriter::onPartition).toList());
    }
    return new BootEntry(keys);
  }

  private static String onPartition(String path) {
    return path.startsWith("/boot/") ? path.substring("/boot".length()) : path;
  }

  /** The files that an entry names, relative to the partition as to /boot. */
  private static List<Path> files(BootEntry entry) {
    List<Path> found = new ArrayList<>();
    for (String key : FILES) {
      for (String path : entry.keys().getOrDefault(key, List.of())) {
        found.add(relative(path));
      }
    }
    return found;
  }

  private static Path relative(String path) {
    @Nullable Path relative = null;
    for (String name : path.split("/")) {
      if (name.isEmpty()) {
        continue;
      }
      if (!SysrootState.isName(name)) {
        relative = null;
        break;
      }
      relative = relative == null ? Path.of(name) : relative.resolve(name);
    }
    if (relative == null) {
      throw Problem.corrupt(
          "a boot entry names the file \"" + Printable.text(path) + "\", which is none in /boot");
    }
    return relative;
  }

  private void copy(Path file) throws IOException {
    if (isThere(file)) {
      return;
    }
    Path source = boot.resolve(file);
    if (!Files.exists(source)) {
      throw Problem.corrupt(
          "the file "
              + Printable.text(file.toString())
              + " of the boot menu is missing in /boot and on the EFI system partition; bootc fsck"
              + " --repair puts it there");
    }
    try (AtomicFile copy = AtomicFile.create(menu.folder().resolve(file), "rw-------");
        InputStream in = Files.newInputStream(source)) {
      in.transferTo(copy.out());
      copy.commit();
    }
  }

  /**
   * Names hold the checksum of what they name, and files appear whole; so one that {@code /boot}
   * has lost is none to copy once more.
   */
  private boolean isThere(Path file) throws IOException {
    Path there = menu.folder().resolve(file);
    Path source = boot.resolve(file);
    return Files.isRegularFile(there, LinkOption.NOFOLLOW_LINKS)
        && (!Files.exists(source) || Files.size(there) == Files.size(source));
  }
}
