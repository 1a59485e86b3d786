package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.EspMenu;
import slipway.sysroot.state.SysrootState;
import slipway.system.boot.KernelLayout;
import slipway.tree.FileTree;

/**
 * Whether {@code /boot}, and the EFI system partition where systemd-boot starts the machine, can
 * hold what a change puts there, found out before anything is written.
 *
 * @param needed bytes of kernels that are not there yet
 * @param firstStep deployments that must be the whole menu for a moment, so that old kernels can go
 *     first; null when there is room for old and new
 */
public record BootSpace(long needed, @Nullable List<Deployment> firstStep) {
  private static final long BLOCK = 4096;
  private static final long MEBIBYTE = 1024 * 1024;

  /** Beside kernels; a menu is far smaller. */
  private static final long MARGIN = MEBIBYTE;

  /** Of an entry, beside its kernel arguments: its keys, a title and three paths. */
  private static final long ENTRY = 1024;

  /** Of a menu in {@code /boot}, beside entries: two folders and what notes a trial. */
  private static final int MENU_BLOCKS = 3;

  /**
   * Looks at {@code /boot}.
   *
   * @param order the menu to come
   * @param created the one of them that is not on disk yet, or null
   * @param tree and its tree
   * @throws Problem of kind ENVIRONMENT when there is no room even without the old kernels
   */
  public static BootSpace check(
      Path root,
      SysrootState state,
      List<Deployment> order,
      @Nullable Deployment created,
      @Nullable FileTree tree)
      throws IOException {
    Menu menu = new Menu(root, state, order, created, tree);
    BootSpace space = menu.inBoot();
    Optional<EspMenu> partition = EspMenu.of(root);
    if (partition.isEmpty()) {
      return space;
    }
    partition.get().require();
    BootSpace there = menu.onPartition(new EspWriter(partition.get(), root.resolve("boot")));
    return new BootSpace(
        Math.max(space.needed(), there.needed()),
        space.firstStep() == null ? there.firstStep() : space.firstStep());
  }

  /** A menu to come, as the parameters of {@link #check}. */
  private record Menu(
      Path root,
      SysrootState state,
      List<Deployment> order,
      @Nullable Deployment created,
      @Nullable FileTree tree) {
    BootSpace inBoot() throws IOException {
      if (onRootFileSystem(root)) {
        return new BootSpace(0, null);
      }
      Path boot = root.resolve("boot");
      List<Path> rubbish =
          new ArrayList<>(
              SysrootSweep.unusedIn(
                  boot.resolve(BootWriter.KERNELS), SysrootSweep.kernelsOf(root, state.all())));
      rubbish.add(BootWriter.loader(root, 1 - state.bootVersion()));
      return in(boot, MENU_BLOCKS, rubbish);
    }

    BootSpace onPartition(EspWriter esp) throws IOException {
      List<Path> rubbish =
          new ArrayList<>(esp.unusedKernels(SysrootSweep.kernelsOf(root, state.all())));
      rubbish.addAll(esp.unusedEntries());
      return in(esp.folder(), 0, rubbish);
    }

    /** The folders of its kernels in a file system that boot loaders read. */
    private Set<Path> wanted(Path store) {
      Set<Path> wanted = new HashSet<>();
      order.forEach(d -> wanted.add(BootWriter.kernelIn(store, d)));
      return wanted;
    }

    /** Bytes of kernels that are not there yet. */
    private long needed(Path store) throws IOException {
      long needed = 0;
      Set<Path> seen = new HashSet<>();
      for (Deployment d : order) {
        if (seen.add(BootWriter.kernelIn(store, d))) {
          needed += missing(root, BootWriter.kernelIn(store, d), d, d == created ? tree : null);
        }
      }
      return needed;
    }

    /** Bytes of a menu, which is there beside the one in force for a moment. */
    private static long entries(List<Deployment> menu, int moreBlocks, long block) {
      long sum = moreBlocks * block;
      for (Deployment d : menu) {
        sum += blocks(ENTRY + RawText.encode(d.kargs().toString()).length, block);
      }
      return sum;
    }

    /**
     * @param moreBlocks of a menu, beside its entries
     * @param rubbish files and folders that go in any case
     */
    private BootSpace in(Path store, int moreBlocks, List<Path> rubbish) throws IOException {
      long needed = needed(store);
      Set<Path> wanted = wanted(store);
      FileStore fileStore = Files.getFileStore(store);
      long block = fileStore.getBlockSize();
      long free = free(fileStore);
      for (Path each : rubbish) {
        free += size(each, block, file -> true);
      }
      for (Path directory : wanted) {
        free += size(directory, block, AtomicFile::isTemporary);
      }
      if (needed == 0) {
        requireEntries(store, entries(order, moreBlocks, block), free);
        return new BootSpace(0, null);
      }
      return needed + MARGIN <= free
          ? new BootSpace(needed, null)
          : withoutOldKernels(store, moreBlocks, block, needed, free);
    }

    /** The old kernels go first, when a menu has been written without them. */
    private BootSpace withoutOldKernels(
        Path store, int moreBlocks, long block, long needed, long free) throws IOException {
      Set<Path> wanted = wanted(store);
      long old = 0;
      Set<Path> going = new HashSet<>();
      for (Deployment d : state.deployments()) {
        Path directory = BootWriter.kernelIn(store, d);
        if (!wanted.contains(directory) && going.add(directory)) {
          old += size(directory, block, file -> true);
        }
      }
      List<Deployment> kept =
          state.deployments().stream()
              .filter(d -> wanted.contains(BootWriter.kernelIn(store, d)))
              .toList();
      if (needed + MARGIN > free + old || kept.isEmpty()) {
        String name = "/" + root.relativize(store);
        throw Problem.environment(
            name
                + " has "
                + mebibytes(kept.isEmpty() ? free : free + old)
                + " MiB for a kernel and initramfs of "
                + mebibytes(needed + MARGIN + MEBIBYTE - 1)
                + " MiB: unpin or remove a deployment, or make "
                + name
                + " larger");
      }
      requireEntries(store, entries(kept, moreBlocks, block), free);
      return new BootSpace(needed, kept);
    }

    private void requireEntries(Path store, long needed, long free) {
      if (needed > free) {
        String name = "/" + root.relativize(store);
        throw Problem.environment(
            name
                + " is full: it has "
                + free / 1024
                + " KiB for a boot menu of "
                + (needed + 1023) / 1024
                + " KiB; remove files there that are not the system's, or make "
                + name
                + " larger");
      }
    }
  }

  /**
   * Bytes that root may write. Of what is kept for root ext4 keeps some even from it, for what must
   * not fail: a fiftieth of its size (Linux, fs/ext4/super.c, ext4_calculate_resv_clusters), which
   * is more than the total that is told here, by the tables and the journal.
   */
  private static long free(FileStore store) throws IOException {
    long kept = Math.min(store.getTotalSpace() / 40, 4096 * store.getBlockSize());
    return Math.max(store.getUsableSpace(), store.getUnallocatedSpace() - kept);
  }

  /**
   * Bytes of a deployment's kernel that are not in its folder. Copying may have been stopped by a
   * power cut, so that its folder is there and not all of its files.
   */
  private static long missing(Path root, Path directory, Deployment d, @Nullable FileTree tree)
      throws IOException {
    KernelLayout layout;
    try {
      layout = tree != null ? KernelLayout.of(tree) : KernelLayout.of(root.resolve(d.directory()));
    } catch (Problem e) {
      if (Files.isDirectory(directory)) {
        return 0; // Damage of an old deployment is told when its kernel is wanted.
      }
      throw e;
    }
    return layout.bytes(BLOCK, name -> !Files.exists(directory.resolve(name)));
  }

  private static long mebibytes(long bytes) {
    return bytes / MEBIBYTE;
  }

  /** There kernels are hard links and take no room. */
  private static boolean onRootFileSystem(Path root) throws IOException {
    return Files.getAttribute(root.resolve("boot"), "unix:dev")
        .equals(Files.getAttribute(root.resolve("ostree/repo"), "unix:dev"));
  }

  private static long size(Path path, long block, Predicate<Path> counts) throws IOException {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return 0;
    }
    try (var files = Files.walk(path)) {
      long sum = 0;
      for (Path file : (Iterable<Path>) files::iterator) {
        if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && counts.test(file)) {
          sum += blocks(Files.size(file), block);
        }
      }
      return sum;
    }
  }

  private static long blocks(long bytes, long block) {
    return (bytes + block - 1) / block * block;
  }
}
