package slipway.sysroot.state;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.KeyFile;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Removal;

/**
 * The boot menu of a machine that systemd-boot starts: a copy of the one in {@code /boot} on the
 * EFI system partition, because systemd-boot reads no other file system than the firmware does. FAT
 * knows neither links nor a rename that a power cut cannot split, so there are two sets of entries,
 * {@code a} and {@code b}, and one byte of {@code loader.conf} says which of them is in force
 * (systemd-boot(7), loader.conf(5); UAPI group, Boot Loader Specification and Automatic Boot
 * Assessment).
 *
 * <pre>
 *  loader/loader.conf                       default ostree-a-*      the first line; its letter is
 *                                           written in place, and sectors are written whole
 *  loader/entries.srel                      type1
 *  loader/entries/ostree-a-N.conf           the entry ostree-N.conf; the highest N boots
 *  loader/entries/ostree-a-N+LEFT-DONE.conf on trial: systemd-boot counts by renaming it, and takes
 *                                           one with 0 tries left last
 *  ostree/S-BOOTCSUM/                       kernels, as in /boot
 * </pre>
 *
 * @param folder where the partition is mounted, or what is to be copied to one
 */
public record EspMenu(Path folder) {
  /** Where machines have it mounted. */
  public static final String PLACE = "boot/efi";

  /** Where kernels are on the partition. */
  public static final String KERNELS = "ostree";

  /** Where entries are on the partition. */
  public static final String ENTRIES = "loader/entries";

  private static final Pattern KERNELS_OF = Pattern.compile(".+-[0-9a-f]{64}", Pattern.DOTALL);
  private static final Path CONFIG = Path.of("ostree/repo/config");
  private static final String GROUP = "slipway";
  private static final String KEY = "loader";
  private static final String VALUE = "systemd-boot";

  private static final char FIRST = 'a';
  private static final char SECOND = 'b';
  private static final Pattern DEFAULT =
      Pattern.compile("(?m)^default[ \\t]+ostree-([ab])-\\*[ \\t]*$");
  private static final Pattern NAME =
      Pattern.compile("ostree-([ab])-([0-9]{1,4})(?:\\+([0-9]{1,4})(?:-([0-9]{1,4}))?)?\\.conf");

  /**
   * How often an entry that is on trial may start.
   *
   * @param left starts that are left
   * @param done starts that were
   */
  public record Tries(int left, int done) {}

  /**
   * The name of an entry.
   *
   * @param set that it belongs to
   * @param number its place; the highest boots
   * @param tries that it has left; null when it is not on trial
   */
  public record Entry(char set, int number, @Nullable Tries tries) {
    private static Optional<Entry> parse(String name) {
      Matcher m = NAME.matcher(name);
      if (!m.matches()) {
        return Optional.empty();
      }
      String left = m.group(3);
      String done = m.group(4);
      return Optional.of(
          new Entry(
              m.group(1).charAt(0),
              Integer.parseInt(m.group(2)),
              left == null
                  ? null
                  : new Tries(Integer.parseInt(left), done == null ? 0 : Integer.parseInt(done))));
    }

    /** The name of its file. */
    public String file() {
      String counter =
          tries == null ? "" : "+" + tries.left() + (tries.done() == 0 ? "" : "-" + tries.done());
      return "ostree-" + set + "-" + number + counter + ".conf";
    }
  }

  /**
   * The menu of a sysroot that systemd-boot starts; nothing for all others.
   *
   * @param root with the partition in {@link #PLACE}
   */
  public static Optional<EspMenu> of(Path root) throws IOException {
    String text;
    try (InputStream in = Files.newInputStream(root.resolve(CONFIG))) {
      text = RawText.decode(Limit.SMALL_FILE_BYTES.read(in, CONFIG.toString()));
    } catch (NoSuchFileException | NotDirectoryException e) {
      return Optional.empty();
    }
    return KeyFile.parse(text, CONFIG.toString()).get(GROUP, KEY).filter(VALUE::equals).isPresent()
        ? Optional.of(new EspMenu(root.resolve(PLACE)))
        : Optional.empty();
  }

  /** The configuration of a repository whose sysroot systemd-boot starts. */
  public static KeyFile wanted(KeyFile repository) {
    return repository.with(GROUP, KEY, VALUE);
  }

  /** Makes what a partition needs before the first set of entries comes. */
  public void create() throws IOException {
    Files.createDirectories(entriesFolder());
    AtomicFile.write(folder.resolve("loader/entries.srel"), "type1\n");
    AtomicFile.write(configuration(), defaultLine(FIRST) + "timeout 1\nconsole-mode keep\n");
  }

  private static String defaultLine(char set) {
    return "default ostree-" + set + "-*\n";
  }

  /**
   * Refuses a change that could not be made there.
   *
   * @throws Problem of kind ENVIRONMENT
   */
  public void require() throws IOException {
    if (!Files.isDirectory(entriesFolder()) || !Files.isRegularFile(configuration())) {
      throw Problem.environment(
          "the boot menu of this machine is on its EFI system partition, which is not mounted on /"
              + PLACE
              + "; mount it there (mount /"
              + PLACE
              + ") and try again");
    }
  }

  private Path configuration() {
    return folder.resolve("loader/loader.conf");
  }

  /** Where entries are. */
  public Path entriesFolder() {
    return folder.resolve(ENTRIES);
  }

  /** The set that is in force; nothing when loader.conf chooses none of ours. */
  public Optional<Character> set() throws IOException {
    Matcher m = DEFAULT.matcher(text(configuration()));
    return m.find() ? Optional.of(m.group(1).charAt(0)) : Optional.empty();
  }

  /** The set that a new menu is written to. */
  public char otherSet() throws IOException {
    Optional<Character> set = set();
    // Where somebody else chose, not the one that may be all that there is.
    boolean first = set.isPresent() ? set.get() == SECOND : entries(FIRST).isEmpty();
    return first ? FIRST : SECOND;
  }

  /** Puts a set in force: one byte in its place, or a new file where that has no such line. */
  public void choose(char set) throws IOException {
    String text = text(configuration());
    Matcher m = DEFAULT.matcher(text);
    if (!m.find()) {
      StringBuilder changed = new StringBuilder(defaultLine(set));
      RawText.lines(text).stream()
          .filter(line -> !line.strip().matches("default([ \\t].*)?"))
          .forEach(line -> changed.append(line).append('\n'));
      AtomicFile.write(configuration(), RawText.encode(changed.toString()));
    } else if (m.group(1).charAt(0) != set) {
      try (FileChannel out = FileChannel.open(configuration(), StandardOpenOption.WRITE)) {
        // Comments may hold characters of several bytes.
        int place = RawText.encode(text.substring(0, m.start(1))).length;
        out.write(ByteBuffer.wrap(new byte[] {(byte) set}), place);
        out.force(true);
      }
    }
    sync();
  }

  /** Brings what was written to the disk. */
  public void sync() throws IOException {
    Posix.syncfs(OsPath.of(folder));
  }

  /** The entries of a set, the one that boots first; of two of one number the one not on trial. */
  public List<Entry> entries(char set) throws IOException {
    List<Entry> found = new ArrayList<>();
    for (Entry entry : all()) {
      if (entry.set() == set && found.stream().noneMatch(e -> e.number() == entry.number())) {
        found.add(entry);
      }
    }
    return found;
  }

  /** All entries of ours, sorted by their number, the highest first. */
  public List<Entry> all() throws IOException {
    List<Entry> found = new ArrayList<>();
    if (Files.isDirectory(entriesFolder())) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(entriesFolder(), "ostree-*")) {
        for (Path file : files) {
          if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            Entry.parse(String.valueOf(file.getFileName())).ifPresent(found::add);
          }
        }
      }
    }
    found.sort(
        Comparator.comparingInt(Entry::number)
            .reversed()
            .thenComparing(e -> e.tries() == null ? 0 : 1)
            .thenComparing(Entry::file));
    return found;
  }

  /** Whether a file among the entries is one of a menu of ours, or a system before it. */
  public static boolean isEntry(String file) {
    return NAME.matcher(file).matches();
  }

  /** Whether a folder in {@link #KERNELS} holds kernels of such a menu. */
  public static boolean isKernels(String folder) {
    return KERNELS_OF.matcher(folder).matches();
  }

  /** The entries of all menus of ours, or of systems before it, by their paths. */
  public List<String> held() throws IOException {
    return all().stream().map(entry -> ENTRIES + "/" + entry.file()).toList();
  }

  /**
   * Removes all menus of ours, entries and kernels: an installation onto a partition that had one
   * begins anew, and the highest entry of an old system would start before its own. Kernels that no
   * entry names were left by a power cut; the next change of the menu would remove them, too. Those
   * stay that an entry of another system names, whose /boot the partition may be.
   *
   * @return what was removed, by its path there
   */
  public List<String> clear() throws IOException {
    List<String> removed = new ArrayList<>();
    for (Entry entry : all()) {
      Files.deleteIfExists(entriesFolder().resolve(entry.file()));
      removed.add(ENTRIES + "/" + entry.file());
    }
    for (Path kernels : kernels()) {
      Removal.tree(OsPath.of(kernels));
      removed.add(KERNELS + "/" + kernels.getFileName());
    }
    sync();
    return removed;
  }

  /** Bytes that {@link #clear} makes free at least. */
  public long clears() throws IOException {
    long bytes = 0;
    for (Path kernels : kernels()) {
      try (Stream<Path> files = Files.list(kernels)) {
        for (Path file : (Iterable<Path>) files::iterator) {
          bytes += Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? Files.size(file) : 0;
        }
      }
    }
    return bytes;
  }

  /**
   * Whether an entry names files in a folder of {@link #KERNELS}.
   *
   * @param entry what it says
   */
  public static boolean names(String entry, String kernels) {
    // As FAT takes names.
    String place = "/" + KERNELS + "/" + kernels + "/";
    return entry
        .replace('\\', '/')
        .toLowerCase(Locale.ROOT)
        .contains(place.toLowerCase(Locale.ROOT));
  }

  /** Whether a file among the entries is one of another system. */
  public static boolean isOthers(String file) {
    return file.toLowerCase(Locale.ROOT).endsWith(".conf") && !isEntry(file);
  }

  /** Whether another system's entry names a folder of {@link #KERNELS}. */
  public boolean isOthersKernel(String kernels) throws IOException {
    if (!Files.isDirectory(entriesFolder())) {
      return false;
    }
    List<Path> others;
    try (Stream<Path> all = Files.list(entriesFolder())) {
      others = all.filter(file -> isOthers(String.valueOf(file.getFileName()))).toList();
    }
    for (Path other : others) {
      try {
        if (names(text(other), kernels)) {
          return true;
        }
      } catch (IOException | Problem e) {
        return true; // Nobody knows what it starts.
      }
    }
    return false;
  }

  private List<Path> kernels() throws IOException {
    Path all = folder.resolve(KERNELS);
    if (!Files.isDirectory(all, LinkOption.NOFOLLOW_LINKS)) {
      return List.of();
    }
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> children = Files.newDirectoryStream(all)) {
      for (Path child : children) {
        String name = String.valueOf(child.getFileName());
        if (Files.isDirectory(child, LinkOption.NOFOLLOW_LINKS)
            && isKernels(name)
            && !isOthersKernel(name)) {
          found.add(child);
        }
      }
    }
    return found;
  }

  /** What an entry says. */
  public String text(Entry entry) throws IOException {
    return text(entriesFolder().resolve(entry.file()));
  }

  private static String text(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return RawText.decode(Limit.SMALL_FILE_BYTES.read(in, file.toString()));
    }
  }

  /**
   * The entry that boots.
   *
   * @param bootVersion of the menu in force in {@code /boot}
   * @return nothing when that menu has not come here yet
   */
  Optional<Entry> first(int bootVersion) throws IOException {
    Optional<Character> set = set();
    List<Entry> entries = set.isPresent() ? entries(set.get()) : List.of();
    if (entries.isEmpty()) {
      return Optional.empty();
    }
    Optional<String> leads = BootEntry.parse(text(entries.getFirst())).options().value("ostree");
    return leads.filter(l -> l.startsWith("/ostree/boot." + bootVersion + "/")).isPresent()
        ? Optional.of(entries.getFirst())
        : Optional.empty();
  }

  /**
   * Notes in its name how often an entry may still start. The new name is there before the old one
   * goes: a power cut leaves one of them, or both, which start the same.
   *
   * @param tries null when it is not on trial any more
   */
  void count(Entry entry, @Nullable Tries tries) throws IOException {
    Entry changed = new Entry(entry.set(), entry.number(), tries);
    if (!changed.equals(entry)) {
      AtomicFile.write(entriesFolder().resolve(changed.file()), RawText.encode(text(entry)));
    }
    for (Entry each : all()) {
      if (each.set() == entry.set() && each.number() == entry.number() && !each.equals(changed)) {
        Files.deleteIfExists(entriesFolder().resolve(each.file()));
      }
    }
    sync();
  }
}
