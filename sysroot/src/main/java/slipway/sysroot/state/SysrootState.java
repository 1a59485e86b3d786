package slipway.sysroot.state;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.base.FileReason;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.ostree.object.Checksum;
import slipway.system.kargs.KernelArguments;

/**
 * What a sysroot holds, as ostree reads it: the entries of the boot menu are the truth, each leads
 * by its {@code ostree=} argument and a chain of links to a deployment.
 *
 * @param bootVersion which of {@code /boot/loader.0} and {@code .1} is in force
 * @param subBootVersion which of the two link directories of that boot version is
 * @param deployments in the order of the menu
 * @param staged the one that waits for the shutdown, or null
 * @param stagedFile its description, or null
 */
public record SysrootState(
    int bootVersion,
    int subBootVersion,
    List<Deployment> deployments,
    @Nullable Deployment staged,
    @Nullable StagedFile stagedFile) {
  private static final String LINK = "/ostree/boot.";

  /** A writer syncs disks between two menus, so that a reader meets few of them. */
  private static final int ATTEMPTS = 20;

  /**
   * Reads without the lock, which a writer may hold for minutes: what a change of the menu took
   * away meanwhile is read again.
   */
  public static SysrootState read(Path root, RunState run) throws IOException {
    for (int attempt = 1; ; attempt++) {
      String menu = menu(root);
      try {
        SysrootState state = readOnce(root, run);
        if (attempt == ATTEMPTS || menu.equals(menu(root))) {
          return state;
        }
      } catch (IOException | Problem e) {
        if (attempt == ATTEMPTS || menu.equals(menu(root))) {
          throw e;
        }
      }
    }
  }

  /** Tells the menu that is in force from others, which have its folder's name in turn. */
  private static String menu(Path root) {
    StringBuilder text = new StringBuilder();
    for (String link : List.of("boot/loader", "ostree/boot.0", "ostree/boot.1")) {
      try {
        text.append(Files.readSymbolicLink(root.resolve(link)));
      } catch (IOException e) {
        // Whoever reads it tells why.
      }
      text.append('\n');
    }
    try {
      BasicFileAttributes entries =
          Files.readAttributes(root.resolve("boot/loader/entries"), BasicFileAttributes.class);
      text.append(entries.fileKey()).append(' ').append(entries.lastModifiedTime());
    } catch (IOException e) {
      // As above.
    }
    return text.toString();
  }

  private static SysrootState readOnce(Path root, RunState run) throws IOException {
    int boot = bootVersion(root);
    int sub = subBootVersion(root, boot);
    List<Deployment> deployments = new ArrayList<>();
    for (BootEntry entry : entries(root.resolve("boot/loader." + boot + "/entries"))) {
      deployments.add(deployment(root, run, entry));
    }
    StagedFile file = run.booted() ? StagedFile.read(run.stagedFile()) : null;
    Deployment staged = file == null ? null : staged(root, run, file, deployments);
    return new SysrootState(boot, sub, List.copyOf(deployments), staged, file);
  }

  static int bootVersion(Path root) throws IOException {
    Path link = root.resolve("boot/loader");
    String target;
    try {
      target = Files.readSymbolicLink(link).toString();
    } catch (NoSuchFileException e) {
      return 0;
    } catch (NotLinkException e) {
      target = "";
    } catch (IOException e) {
      throw unreadable(link, e);
    }
    return switch (target) {
      case "loader.0" -> 0;
      case "loader.1" -> 1;
      default ->
          throw Problem.corrupt(
              link + " is not a link to loader.0 or loader.1; ostree cannot have written this");
    };
  }

  public static int subBootVersion(Path root, int bootVersion) throws IOException {
    Path link = root.resolve("ostree/boot." + bootVersion);
    if (!Files.isSymbolicLink(link)) {
      return 0;
    }
    String target = Files.readSymbolicLink(link).toString();
    if (target.equals("boot." + bootVersion + ".0")) {
      return 0;
    }
    if (target.equals("boot." + bootVersion + ".1")) {
      return 1;
    }
    throw Problem.corrupt(
        link + " leads to " + target + ", not to boot." + bootVersion + ".0 or .1");
  }

  /**
   * Reads the entries of a boot menu, the default first.
   *
   * @param directory such as {@code boot/loader.0/entries}
   */
  public static List<BootEntry> entries(Path directory) throws IOException {
    List<BootEntry> entries = new ArrayList<>(files(directory).values());
    entries.sort(Comparator.comparingLong(SysrootState::version).reversed());
    return entries;
  }

  /** The entries of a boot menu by their files, in the order of names. */
  private static Map<Path, BootEntry> files(Path directory) throws IOException {
    Map<Path, BootEntry> entries = new TreeMap<>();
    try (DirectoryStream<Path> files = list(directory)) {
      for (Path file : files == null ? List.<Path>of() : files) {
        String name = String.valueOf(file.getFileName());
        if (name.startsWith("ostree-") && name.endsWith(".conf") && Files.isRegularFile(file)) {
          entries.put(file, BootEntry.parse(text(file)));
        }
      }
    }
    return entries;
  }

  private static String text(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return RawText.decode(Limit.SMALL_FILE_BYTES.read(in, file.toString()));
    }
  }

  /** What is in a folder of entries; nothing when there is none. */
  private static @Nullable DirectoryStream<Path> list(Path directory) throws IOException {
    try {
      return Files.newDirectoryStream(directory);
    } catch (NoSuchFileException | NotDirectoryException e) {
      return null;
    } catch (IOException e) {
      throw unreadable(directory, e);
    }
  }

  /** A menu that cannot be looked at is not an empty one. */
  private static Problem unreadable(Path path, IOException cause) {
    String reason = cause instanceof FileSystemException f ? f.getReason() : null;
    return new Problem(
        cause instanceof AccessDeniedException ? Problem.Kind.DENIED : Problem.Kind.ENVIRONMENT,
        "the boot menu cannot be read: "
            + path
            + ": "
            + (reason == null ? "access is denied" : reason)
            + "; look whether /boot is mounted and whole",
        cause);
  }

  /** Loaders sort by this, highest first; an entry without one comes last. */
  private static long version(BootEntry entry) {
    String text = entry.get("version").orElse("");
    long value = 0;
    for (int i = 0; i < text.length() && i < 18; i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        break;
      }
      value = value * 10 + (c - '0');
    }
    return text.isEmpty() ? -1 : value;
  }

  private static Deployment deployment(Path root, RunState run, BootEntry entry)
      throws IOException {
    Optional<String> given = entry.options().value("ostree");
    if (given.isEmpty()) {
      throw damaged(root, entry, "has no ostree= argument");
    }
    String argument = given.get();
    String[] parts = argument.startsWith(LINK) ? argument.split("/", -1) : new String[0];
    if (parts.length != 6 || !isName(parts[3]) || !isName(parts[4]) || number(parts[5]) < 0) {
      throw damaged(
          root,
          entry,
          "has ostree=" + argument + "; expected /ostree/boot.N/STATEROOT/CHECKSUM/SERIAL");
    }
    Path link = root.resolve(argument.substring(1));
    String id;
    try {
      id = String.valueOf(Files.readSymbolicLink(link).getFileName());
    } catch (NoSuchFileException e) {
      throw new Problem(
          Problem.Kind.CORRUPT, link + ", which a boot entry leads to, does not exist", e);
    }
    return deployment(
        root,
        run,
        parts[3],
        id,
        parts[4],
        number(parts[5]),
        entry.options().withoutKey("ostree"),
        entry);
  }

  /** By its file, because one that is damaged seldom has a title. */
  private static Problem damaged(Path root, BootEntry entry, String what) throws IOException {
    Path menu = root.resolve("boot/loader/entries");
    String file =
        files(menu).entrySet().stream()
            .filter(e -> e.getValue().equals(entry))
            .findFirst()
            .map(e -> e.getKey().toString())
            .orElse("an entry in " + menu);
    return Problem.corrupt(
        "the boot menu is damaged: "
            + file
            + " "
            + Printable.text(what)
            + "; mend it, or move it away to go on without that version");
  }

  private static Deployment deployment(
      Path root,
      RunState run,
      String stateroot,
      String id,
      String bootChecksum,
      int bootSerial,
      KernelArguments kargs,
      @Nullable BootEntry entry)
      throws IOException {
    Path directory = root.resolve("ostree/deploy").resolve(stateroot).resolve("deploy").resolve(id);
    if (!Files.isDirectory(directory)) {
      throw Problem.corrupt("the deployment " + directory + " does not exist");
    }
    Deployment found =
        DeploymentBuilder.builder()
            .stateroot(stateroot)
            .checksum(checksumOf(id))
            .serial(serialOf(id))
            .bootChecksum(bootChecksum)
            .bootSerial(bootSerial)
            .kargs(kargs)
            .origin(origin(directory))
            .entry(entry)
            .booted(run.isBacking(directory))
            .staged(entry == null)
            .unlocked(Deployment.Unlocked.NO)
            .build();
    return found.withUnlocked(unlocked(run, found));
  }

  private static Deployment staged(
      Path root, RunState run, StagedFile file, List<Deployment> deployments) throws IOException {
    KernelArguments kargs = file.kargs();
    if (kargs == null) {
      StagedFile.Name merge = file.merge();
      kargs =
          deployments.stream()
              .filter(d -> merge != null && d.stateroot().equals(merge.stateroot()))
              .filter(d -> merge != null && d.id().equals(merge.id()))
              .findFirst()
              .map(Deployment::kargs)
              .orElse(KernelArguments.NONE);
    }
    StagedFile.Name name = file.target();
    KernelArguments shown = kargs.withoutKey("ostree");
    boolean locked = file.locked() || Files.exists(run.lockFile());
    return deployment(root, run, name.stateroot(), name.id(), name.bootChecksum(), 0, shown, null)
        .with(d -> d.booted(false).locked(locked).unlocked(Deployment.Unlocked.NO));
  }

  /** Where the origin of a deployment stands: beside its directory. */
  public static Path originFile(Path directory) {
    return directory.resolveSibling(directory.getFileName() + ".origin");
  }

  /** The origin of a deployment by its directory. */
  public static Origin origin(Path directory) {
    Path file = originFile(directory);
    try {
      return Files.isRegularFile(file) ? Origin.read(text(file), file.toString()) : Origin.NONE;
    } catch (IOException e) {
      return Origin.damaged(file + " cannot be read: " + FileReason.of(e));
    } catch (Problem e) {
      return Origin.damaged(e.sentence());
    }
  }

  private static Deployment.Unlocked unlocked(RunState run, Deployment deployment) {
    for (Deployment.Unlocked how :
        List.of(Deployment.Unlocked.DEVELOPMENT, Deployment.Unlocked.TRANSIENT)) {
      if (Files.exists(deployment.unlockedMark(run.directory(), how))) {
        return how;
      }
    }
    return deployment.origin().file().get("origin", "unlocked").filter("hotfix"::equals).isPresent()
        ? Deployment.Unlocked.HOTFIX
        : Deployment.Unlocked.NO;
  }

  /** Whether a text can be one component of a path, and no way up. */
  public static boolean isName(String text) {
    return !text.isEmpty()
        && text.indexOf('/') < 0
        && text.indexOf('\0') < 0
        && !text.equals(".")
        && !text.equals("..");
  }

  /** Whether a directory's name is that of a deployment: 64 hex digits, dot, serial. */
  public static boolean isDeploymentId(String name) {
    return name.length() > 65
        && name.charAt(64) == '.'
        && name.substring(0, 64).chars().allMatch(c -> c >= '0' && c <= '9' || c >= 'a' && c <= 'f')
        && number(name.substring(65)) >= 0;
  }

  static Checksum checksumOf(String id) {
    if (!isDeploymentId(id)) {
      throw Problem.corrupt("\"" + id + "\" is not the name of a deployment");
    }
    return new Checksum(id.substring(0, 64));
  }

  public static int serialOf(String id) {
    return number(id.substring(65));
  }

  /** A number of up to nine digits, or -1. */
  private static int number(String text) {
    if (text.isEmpty() || text.length() > 9) {
      return -1;
    }
    int value = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return -1;
      }
      value = value * 10 + (c - '0');
    }
    return value;
  }

  /** Tells this state from any other: which menu is in force, what is in it and what is staged. */
  public String fingerprint() {
    StringBuilder text = new StringBuilder();
    text.append(bootVersion).append('.').append(subBootVersion);
    all().forEach(d -> text.append(' ').append(d.stateroot()).append('/').append(d.id()));
    if (staged != null && stagedFile != null) {
      // A directory's name comes again when what was staged is dropped and staged otherwise.
      text.append(staged.locked() ? " locked " : " staged ").append(staged.kargs());
      text.append(' ').append(stagedFile.extensions()).append(' ').append(staged.origin());
    }
    return text.toString();
  }

  /** All deployments, a staged one first. */
  public List<Deployment> all() {
    List<Deployment> all = new ArrayList<>();
    if (staged != null) {
      all.add(staged);
    }
    all.addAll(deployments);
    return all;
  }
}
