package slipway.sysroot.write;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.AfterCommit;
import slipway.base.AtomicFile;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Removal;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.ostree.repo.Repository;
import slipway.sysroot.state.BootEntry;
import slipway.sysroot.state.BootTrial;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.SysrootState;
import slipway.system.boot.KernelLayout;
import slipway.system.kargs.KernelArguments;
import slipway.system.osrelease.OsRelease;

/**
 * Writes the boot menu. There are two of everything, only one in force: {@code /boot/loader} leads
 * to {@code loader.0} or {@code loader.1}, {@code /ostree/boot.B} to {@code boot.B.0} or {@code
 * boot.B.1}. The other one is written whole and synced, then one rename puts it in force:
 *
 * <ul>
 *   <li>of {@code /boot/loader}, when the menu changes: the commit point of a new kernel, new
 *       arguments, another number of entries, a {@link BootTrial} that begins or ends;
 *   <li>of {@code /ostree/boot.B}, when the menu stays byte for byte and only the deployments
 *       behind its entries change.
 * </ul>
 *
 * <p>Where systemd-boot starts the machine, the first is followed by one byte on the EFI system
 * partition, where the new menu lies by then ({@link EspWriter}). A power cut between the two boots
 * what booted before, whose links are still there; that start makes up for it.
 */
public final class BootWriter {
  private static final String NOT_SYNCED =
      "the new boot menu is in force, but a power cut now might bring the old one back";

  private static final String NOT_MIRRORED =
      "the new boot menu is not in force on the EFI system partition yet, the next start or change"
          + " puts it there";

  /** Kernels, below /boot and below an EFI system partition. */
  static final String KERNELS = "ostree";

  /** Characters of what an image says of itself in the menu, which has a line for it. */
  private static final int LONGEST_TITLE = 200;

  private final Path root;
  private final Repository repository;
  private final Durability durability;
  private final AfterCommit after;

  public BootWriter(Path root, Repository repository, Durability durability, AfterCommit after) {
    this.root = root;
    this.repository = repository;
    this.durability = durability;
    this.after = after;
  }

  /**
   * Makes {@code order} the boot menu.
   *
   * @param trial of its first deployment; null for none but one that goes on with the same first
   *     deployment
   * @return whether {@code /boot} changed
   */
  public boolean write(SysrootState state, List<Deployment> order, @Nullable BootTrial trial)
      throws IOException {
    List<Deployment> numbered = number(order);
    for (Deployment deployment : numbered) {
      if (!Files.isDirectory(root.resolve(deployment.directory()))) {
        throw Problem.corrupt(deployment.directory() + " does not exist");
      }
    }
    // What stands beside the entries changes only with the menu.
    boolean changed = trial != null || BootTrial.isNoted(root) || menuChanges(state, numbered);
    if (changed) {
      writeMenu(state, numbered, trial);
    } else {
      swapLinks(state, numbered);
    }
    return changed;
  }

  /**
   * The trial to note in a menu: of its first deployment, which another one of the same stateroot
   * stands behind. The boot loader would go on with that, whatever it is.
   */
  private Optional<BootTrial> trialFor(List<Deployment> order, @Nullable BootTrial begun)
      throws IOException {
    Optional<BootTrial> trial = begun == null ? BootTrial.read(root) : Optional.of(begun);
    return trial.filter(
        t ->
            order.size() > 1
                && t.isOf(order.getFirst())
                && order.get(1).stateroot().equals(order.getFirst().stateroot()));
  }

  /** Deployments with the same kernel and initramfs are counted, in the order of the menu. */
  private static List<Deployment> number(List<Deployment> order) {
    Map<String, Integer> counts = new HashMap<>();
    List<Deployment> numbered = new ArrayList<>();
    for (Deployment d : order) {
      int serial = counts.merge(d.bootChecksum(), 1, Integer::sum) - 1;
      numbered.add(d.withBootSerial(serial));
    }
    return numbered;
  }

  /** Whether the menu itself would read differently, title and all. */
  private boolean menuChanges(SysrootState state, List<Deployment> order) throws IOException {
    List<Deployment> current = state.deployments();
    if (current.size() != order.size()) {
      return true;
    }
    for (int i = 0; i < order.size(); i++) {
      Deployment a = current.get(i);
      Deployment b = order.get(i);
      if (!a.bootChecksum().equals(b.bootChecksum())
          || !a.kargs().equals(b.kargs())
          || !a.stateroot().equals(b.stateroot())
          || !othersKeys(a).equals(othersKeys(b))
          || !title(a, i, false).equals(title(b, i, false))) {
        return true;
      }
    }
    return false;
  }

  /** What other tools put into an entry, which the one that is written has, too. */
  private static Map<String, List<String>> othersKeys(Deployment d) {
    BootEntry entry = d.entry();
    if (entry == null) {
      return Map.of();
    }
    Map<String, List<String>> keys = new HashMap<>(entry.extensions());
    keys.put("initrd", moreInitramfs(entry));
    keys.values().removeIf(List::isEmpty);
    return keys;
  }

  /** The initramfs files that other tools laid over ours. */
  private static List<String> moreInitramfs(BootEntry entry) {
    return entry.keys().getOrDefault("initrd", List.of()).stream().skip(1).toList();
  }

  // ---- only the links ----

  private void swapLinks(SysrootState state, List<Deployment> order) throws IOException {
    String directory = writeLinks(state, state.bootVersion(), order);
    durability.syncRoot();
    Path link = root.resolve("ostree/boot." + state.bootVersion());
    replaceLink(link, Path.of(directory)); // the commit point
    after.attempt(NOT_SYNCED, durability::syncRoot);
  }

  /** Writes the links of a boot version beside those in force. */
  private String writeLinks(SysrootState state, int version, List<Deployment> order)
      throws IOException {
    int old =
        version == state.bootVersion()
            ? state.subBootVersion()
            : SysrootState.subBootVersion(root, version);
    String name = "boot." + version + "." + (old == 0 ? 1 : 0);
    Path directory = root.resolve("ostree").resolve(name);
    Removal.tree(OsPath.of(directory));
    for (Deployment d : order) {
      Path parent = directory.resolve(d.stateroot()).resolve(d.bootChecksum());
      Files.createDirectories(parent);
      Files.createSymbolicLink(
          parent.resolve(Integer.toString(d.bootSerial())),
          Path.of("../../../deploy", d.stateroot(), "deploy", d.id()));
    }
    if (!order.isEmpty()) {
      InheritedLabel.give(directory);
    }
    return name;
  }

  /** Replaces a symbolic link in one step. */
  private static void replaceLink(Path link, Path target) throws IOException {
    Path temporary = link.resolveSibling(link.getFileName() + ".tmp");
    Files.deleteIfExists(temporary);
    Files.createSymbolicLink(temporary, target);
    InheritedLabel.give(temporary);
    Files.move(temporary, link, StandardCopyOption.ATOMIC_MOVE);
  }

  // ---- the whole menu ----

  private void writeMenu(SysrootState state, List<Deployment> order, @Nullable BootTrial begun)
      throws IOException {
    int version = 1 - state.bootVersion();
    Path boot = root.resolve("boot");
    Path loader = loader(root, version);
    Removal.tree(OsPath.of(loader));
    Files.createDirectories(loader.resolve("entries"));
    OtherMenus.carry(loader(root, state.bootVersion()), loader);
    boolean prefix = repository.config().getBoolean("sysroot", "bootprefix", false);
    boolean many = order.stream().map(Deployment::stateroot).distinct().count() > 1;
    List<BootEntry> entries = new ArrayList<>();
    for (int i = 0; i < order.size(); i++) {
      KernelLayout layout = KernelLayout.of(root.resolve(order.get(i).directory()));
      installKernel(order.get(i), layout);
      BootEntry entry = entry(order, i, layout, version, prefix, many);
      entries.add(entry);
      int number = order.size() - i;
      AtomicFile.write(
          loader.resolve("entries/ostree-" + number + ".conf"), RawText.encode(entry.toString()));
    }
    Optional<BootTrial> trial = trialFor(order, begun);
    if (trial.isPresent()) {
      trial.get().write(root, loader);
    }
    String links = writeLinks(state, version, order);
    replaceLink(root.resolve("ostree/boot." + version), Path.of(links));
    makeBootLink(boot);
    Path temporary = boot.resolve("loader.tmp");
    Files.deleteIfExists(temporary);
    Files.createSymbolicLink(temporary, Path.of("loader." + version));
    for (Path made : List.of(loader, boot.resolve(KERNELS), boot.resolve("boot"), temporary)) {
      if (Files.exists(made, LinkOption.NOFOLLOW_LINKS)) {
        InheritedLabel.give(made);
      }
    }
    Optional<EspWriter> esp = EspWriter.of(root);
    char set = esp.isPresent() ? esp.get().prepare(entries, trial) : 0;
    durability.syncRoot();
    durability.syncBoot();
    // The commit point: before this rename the old menu boots, after it the new one.
    Files.move(temporary, boot.resolve("loader"), StandardCopyOption.ATOMIC_MOVE);
    after.attempt(NOT_SYNCED, durability::syncBoot);
    if (esp.isPresent()) {
      after.attempt(NOT_MIRRORED, () -> esp.get().choose(set));
    }
  }

  /**
   * {@code /boot/boot} leads to {@code /boot}: entries work with and without a partition of its
   * own.
   */
  public static void makeBootLink(Path boot) throws IOException {
    try {
      Files.createSymbolicLink(boot.resolve("boot"), Path.of("."));
    } catch (FileAlreadyExistsException e) {
      // It is there since the first deployment.
    }
  }

  private BootEntry entry(
      List<Deployment> order,
      int index,
      KernelLayout layout,
      int version,
      boolean prefix,
      boolean many)
      throws IOException {
    Deployment d = order.get(index);
    String directory =
        (prefix ? "/boot/" : "/") + "ostree/" + d.stateroot() + "-" + d.bootChecksum() + "/";
    String bootLink =
        "/ostree/boot."
            + version
            + "/"
            + d.stateroot()
            + "/"
            + d.bootChecksum()
            + "/"
            + d.bootSerial();
    KernelArguments options = d.kargs().withoutKey("ostree");
    options.requireWritable("the kernel arguments of " + d.id());
    String initramfs = layout.initramfsName();
    if (initramfs == null) {
      options =
          options
              .withoutKey("init")
              .append(List.of("init=" + bootLink + "/usr/lib/ostree/ostree-prepare-root"));
    }
    BootEntry entry =
        (d.entry() == null ? new BootEntry(Map.of()) : d.entry())
            .with("title", title(d, index, many))
            .with("version", Integer.toString(order.size() - index))
            .with("options", options.append(List.of("ostree=" + bootLink)).toString())
            .with("linux", directory + layout.kernelName());
    if (initramfs != null) {
      List<String> initrds = new ArrayList<>(List.of(directory + initramfs));
      initrds.addAll(moreInitramfs(entry));
      entry = entry.withAll("initrd", initrds);
    }
    if (layout.deviceTree() != null) {
      entry = entry.with("devicetree", directory + layout.deviceTree());
    } else if (layout.deviceTrees()) {
      entry = entry.with("fdtdir", directory + "dtb");
    }
    return entry;
  }

  /** The text of the menu: the system's name and version, and where the entry stands. */
  private String title(Deployment d, int index, boolean many) throws IOException {
    Path directory = root.resolve(d.directory());
    String name;
    try {
      name = OsRelease.prettyName(directory);
    } catch (Problem e) {
      // Looked at when it was deployed; damage of an old one must not keep a new one from booting.
      name = d.stateroot();
    }
    String version =
        repository.readableCommit(d.checksum()).flatMap(c -> c.string("version")).orElse("");
    StringBuilder title = new StringBuilder(name);
    if (!version.isEmpty() && !name.contains(version)) {
      title.append(' ').append(version);
    }
    if (title.length() > LONGEST_TITLE) {
      title.setLength(LONGEST_TITLE);
      title.append("...");
    }
    title.append(" (ostree");
    if (many) {
      title.append(':').append(d.stateroot());
    }
    return Printable.text(title.append(':').append(index).append(')').toString());
  }

  // ---- kernels ----

  /** Copies kernel and initramfs to {@code /boot}, where they are not yet. */
  private void installKernel(Deployment d, KernelLayout layout) throws IOException {
    Path directory = kernelDirectory(root, d);
    Path deployment = root.resolve(d.directory());
    sweep(directory);
    for (KernelLayout.BootFile file : layout.files()) {
      Path target = directory.resolve(file.name());
      if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
        install(deployment.resolve(file.source()), file, target);
      }
    }
  }

  /** Removes copies that a power cut stopped: they may take the room that the next ones need. */
  static void sweep(Path directory) throws IOException {
    if (Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      try (Stream<Path> all = Files.walk(directory)) {
        for (Path each : (Iterable<Path>) all.filter(Files::isDirectory)::iterator) {
          AtomicFile.sweep(each);
        }
      }
    }
  }

  /** The menu of a boot version. */
  static Path loader(Path root, int version) {
    return root.resolve("boot/loader." + version);
  }

  /** The folder of a deployment's kernel; deployments with the same one share it. */
  public static Path kernelDirectory(Path root, Deployment d) {
    return kernelIn(root.resolve("boot"), d);
  }

  /** The same in a file system that boot loaders read. */
  static Path kernelIn(Path store, Deployment d) {
    return store.resolve(KERNELS).resolve(d.stateroot() + "-" + d.bootChecksum());
  }

  /**
   * Puts a file of a kernel into {@code /boot}, in the place of what is there: a hard link on one
   * file system, a copy across two.
   *
   * @param target another inode than the source, or nothing
   */
  static void install(Path source, KernelLayout.BootFile file, Path target) throws IOException {
    Files.createDirectories(Objects.requireNonNull(target.getParent()));
    Path link = AtomicFile.temporaryOf(target);
    try {
      Posix.link(OsPath.of(source), OsPath.of(link));
      AtomicFile.rename(link, target);
      return;
    } catch (UnixException e) {
      if (e.errno() != UnixException.EXDEV && e.errno() != UnixException.EMLINK) {
        throw e;
      }
    }
    Stat stat = Posix.lstat(OsPath.of(source));
    try (AtomicFile copy = AtomicFile.create(target, "rw-------");
        InputStream in = file.content().open()) {
      in.transferTo(copy.out());
      OsPath temporary = OsPath.of(copy.temporary());
      Posix.lchown(temporary, stat.uid(), stat.gid());
      Posix.chmod(temporary, stat.permissions());
      copy.commit();
    }
  }
}
