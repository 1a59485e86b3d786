package slipway.sysroot.state;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;

/**
 * A new deployment that has a number of tries to show that it is healthy. It is noted beside the
 * boot entries, in {@code boot/loader/grubenv}, so that the rename that puts a menu in force begins
 * its trial too, and any other menu ends it. The file is a {@link GrubEnvironment}:
 *
 * <pre>
 *  boot_success=0        while the trial goes on (this and the next as in Fedora and greenboot)
 *  boot_counter=N        tries that are left: the grub.cfg of a disk counts it down before it starts
 *                        the first entry; at 0 it starts the second one and says so by -1
 *  slipway_deployment=S/COMMIT.M   whose trial it is; otherwise another tool changed what the first
 *                        entry starts, and the trial is none
 *  slipway_tries=N       of how many
 *  slipway_seen=N        the counter when the system last saw it: one that is still the same was not
 *                        counted down by the boot loader, and the system does
 * </pre>
 *
 * <p>Where systemd-boot starts the machine, it counts in the name of the entry instead, and the
 * counter here follows (see {@link EspMenu}).
 *
 * <p>While a trial goes on the file is changed in place, by one write into its first sector, which
 * disks write whole: GRUB reads no journals, so it would not see a rename before the file system
 * was frozen and thawed.
 *
 * @param deployment stateroot, slash, the directory's name
 * @param tries that it has in all
 * @param left tries that are left; -1 when the boot loader has given it up
 * @param seen what was left when the system last looked
 */
public record BootTrial(String deployment, int tries, int left, int seen) {
  /** As many as the grub.cfg of a disk can count. */
  public static final int MOST_TRIES = 9;

  private static final String FILE = "grubenv";
  private static final String SUCCESS = "boot_success";
  private static final String COUNTER = "boot_counter";
  private static final String DEPLOYMENT = "slipway_deployment";
  private static final String TRIES = "slipway_tries";
  private static final String SEEN = "slipway_seen";

  /**
   * Beside {@link #FILE}: the boot loader does not count, so the system has to from the start; or
   * systemd-boot does, and the system looks early what came of it.
   */
  private static final String UNCOUNTED = "slipway-counts";

  private static final int LARGEST_CONFIGURATION = 1 << 20;

  /** A trial that is to begin. */
  public static BootTrial begin(Deployment deployment, int tries) {
    return new BootTrial(name(deployment), tries, tries, tries);
  }

  private static String name(Deployment deployment) {
    return deployment.stateroot() + "/" + deployment.id();
  }

  /** Whether it is this deployment's. */
  public boolean isOf(Deployment other) {
    return deployment.equals(name(other));
  }

  /** Whether no try is left, so that the next start is another deployment's. */
  public boolean isUsedUp() {
    return left <= 0;
  }

  /** Whether the boot loader counted since the system last looked. */
  public boolean countedByLoader() {
    return left != seen;
  }

  /** With so many tries left, as the system has seen. */
  public BootTrial withLeft(int number) {
    return new BootTrial(deployment, tries, number, number);
  }

  /** The file in a menu's folder, such as {@code boot/loader.0}. */
  private static Path file(Path loader) {
    return loader.resolve(FILE);
  }

  private static Path inForce(Path root) {
    return file(root.resolve("boot/loader"));
  }

  /** Whether the menu in force notes a trial, be it over or unreadable. */
  public static boolean isNoted(Path root) {
    return Files.exists(inForce(root));
  }

  /**
   * The trial that goes on in a sysroot; none where its file says nothing of one, or cannot be
   * read.
   *
   * @param root with the boot file system in {@code boot}
   */
  public static Optional<BootTrial> read(Path root) throws IOException {
    Optional<BootTrial> noted = block(root).flatMap(BootTrial::of);
    Optional<EspMenu> menu = noted.isEmpty() ? Optional.empty() : EspMenu.of(root);
    return menu.isEmpty() ? noted : countedBySystemdBoot(noted.get(), menu.get(), root);
  }

  /**
   * What systemd-boot made of a trial: its entry's name says how many tries are left, and no number
   * that it is over. Who may not look there knows what the system saw last.
   */
  private static Optional<BootTrial> countedBySystemdBoot(
      BootTrial noted, EspMenu menu, Path root) {
    try {
      Optional<EspMenu.Entry> first = menu.first(SysrootState.bootVersion(root));
      if (first.isEmpty()) {
        return Optional.of(noted);
      }
      EspMenu.Tries left = first.get().tries();
      return left == null
          ? Optional.empty()
          : Optional.of(new BootTrial(noted.deployment, noted.tries, left.left(), noted.seen));
    } catch (IOException | Problem e) {
      return Optional.of(noted);
    }
  }

  private static Optional<GrubEnvironment> block(Path root) throws IOException {
    try (InputStream in = Files.newInputStream(inForce(root))) {
      return GrubEnvironment.parse(in.readNBytes(GrubEnvironment.LARGEST + 1));
    } catch (NoSuchFileException | NotDirectoryException e) {
      return Optional.empty();
    }
  }

  private static Optional<BootTrial> of(GrubEnvironment block) {
    Optional<String> deployment = block.get(DEPLOYMENT);
    Optional<Integer> left = number(block, COUNTER);
    if (deployment.isEmpty() || left.isEmpty() || !block.get(SUCCESS).equals(Optional.of("0"))) {
      return Optional.empty();
    }
    int tries = number(block, TRIES).orElse(Math.max(left.get(), 1));
    return Optional.of(
        new BootTrial(deployment.get(), tries, left.get(), number(block, SEEN).orElse(left.get())));
  }

  /** A number from -1 to 99. */
  private static Optional<Integer> number(GrubEnvironment block, String name) {
    return block.get(name).filter(text -> text.matches("-1|[0-9]{1,2}")).map(Integer::parseInt);
  }

  /**
   * Writes it into a menu that is not in force yet.
   *
   * @param root with the boot file system in {@code boot}, whose boot loader will count, or not
   * @param loader the menu's folder
   */
  public void write(Path root, Path loader) throws IOException {
    AtomicFile.write(file(loader), into(GrubEnvironment.empty()).toBytes());
    if (!isCountedByGrub(root) || isCountedBySystemdBoot(root)) {
      AtomicFile.write(loader.resolve(UNCOUNTED), "");
    }
  }

  private GrubEnvironment into(GrubEnvironment block) {
    return block
        .with(SUCCESS, "0")
        .with(COUNTER, Integer.toString(left))
        .with(DEPLOYMENT, deployment)
        .with(TRIES, Integer.toString(tries))
        .with(SEEN, Integer.toString(seen));
  }

  /**
   * Changes the menu in force: it is on disk, where GRUB reads it, when this returns.
   *
   * @throws Problem of kind CORRUPT when there is no trial any more
   */
  public void update(Path root) throws IOException {
    GrubEnvironment block =
        block(root)
            .orElseThrow(() -> Problem.corrupt(inForce(root) + " is no environment block of GRUB"));
    nameEntry(root, new EspMenu.Tries(Math.max(left, 0), Math.max(tries - left, 0)));
    overwrite(inForce(root), into(block));
  }

  /** Notes it where systemd-boot counts, on a machine that this starts. */
  private static void nameEntry(Path root, EspMenu.@Nullable Tries tries) throws IOException {
    Optional<EspMenu> menu = EspMenu.of(root);
    if (menu.isPresent()) {
      menu.get().require();
      Optional<EspMenu.Entry> first = menu.get().first(SysrootState.bootVersion(root));
      if (first.isPresent() && (tries == null || first.get().tries() != null)) {
        menu.get().count(first.get(), tries);
      }
    }
  }

  /**
   * Ends the trial that the menu in force notes: the first entry starts whatever comes. The write
   * in place does that; the file goes as well, so that nobody need look into it again.
   */
  public static void end(Path root) throws IOException {
    Optional<GrubEnvironment> block = block(root);
    if (block.isPresent()) {
      nameEntry(root, null);
      overwrite(inForce(root), block.get().with(SUCCESS, "1").without(COUNTER));
    }
    Files.deleteIfExists(root.resolve("boot/loader").resolve(UNCOUNTED));
    Files.deleteIfExists(inForce(root));
  }

  private static void overwrite(Path file, GrubEnvironment block) throws IOException {
    try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(block.toBytes());
      while (bytes.hasRemaining()) {
        out.write(bytes, bytes.position());
      }
      out.force(true);
    }
  }

  /**
   * Whether the boot loader counts tries down: systemd-boot, or GRUB by its configuration on the
   * boot file system; one that cannot be read does not.
   *
   * @param root with the boot file system in {@code boot}
   */
  public static boolean isCountedByLoader(Path root) {
    return isCountedBySystemdBoot(root) || isCountedByGrub(root);
  }

  private static boolean isCountedBySystemdBoot(Path root) {
    try {
      return EspMenu.of(root).isPresent();
    } catch (IOException | Problem e) {
      return false;
    }
  }

  private static boolean isCountedByGrub(Path root) {
    try (InputStream in = Files.newInputStream(root.resolve("boot/grub/grub.cfg"))) {
      String text = new String(in.readNBytes(LARGEST_CONFIGURATION), StandardCharsets.UTF_8);
      return text.contains("/loader/" + FILE) && text.contains(COUNTER);
    } catch (IOException e) {
      return false;
    }
  }
}
