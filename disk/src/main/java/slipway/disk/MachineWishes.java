package slipway.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.CommandValue;
import slipway.base.Problem;
import slipway.disk.bootloader.GrubMkimage;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.InstallConfig;
import slipway.sysroot.NewSysroot;
import slipway.system.kargs.KernelArguments;
import slipway.tree.FileTree;

/**
 * What who installs wants of the machine, beside its image and its disk.
 *
 * @param stateroot name of the stateroot; null for what the image says, else {@code default}
 * @param bootLoader what starts it; null for what the image says, else GRUB
 * @param added kernel arguments at the end
 * @param deleted kernel arguments, or keys of them, that are taken away from the usual ones and the
 *     image's
 * @param customizations accounts and files that the machine gets
 * @param run a folder whose {@code bootc/install} counts beside the image's; null for none
 * @param signed whether updates must be signed as the machine's policy demands, also when the image
 *     does not say so
 * @param companions what has to be there before the image may boot
 */
public record MachineWishes(
    @Nullable String stateroot,
    @Nullable BootLoader bootLoader,
    List<String> added,
    List<String> deleted,
    DiskConfig customizations,
    @Nullable Path run,
    boolean signed,
    Companions companions) {
  /** What has to lie on a machine's disk beside the operating system before that may boot. */
  @FunctionalInterface
  public interface Companions {
    /** There is nothing. */
    Companions NONE = (root, files) -> {};

    /**
     * Looks, before anything is erased, whether it can be had.
     *
     * @param files of the image
     * @throws Problem that names what cannot
     */
    default void require(FileTree files) throws IOException {}

    /**
     * Brings it. Nothing of a system that is replaced has gone yet, but for what {@link
     * FilesystemInstall.Replace#WIPE} removes.
     *
     * @param root where the root file system is mounted; only its folder {@code ostree} is written
     *     to
     * @param files of the image
     */
    void bring(Path root, FileTree files) throws IOException;

    /**
     * Does the last to a whole disk's deployment, before its files get their labels and go to
     * partitions of their own. Mounts that it makes are in a namespace of the installation.
     *
     * @param root where the root file system is mounted, with all beneath it
     * @param tree the deployment's root
     * @param var its /var
     */
    default void finish(Path root, Path tree, Path var) throws IOException {}
  }

  public MachineWishes {
    added = List.copyOf(added);
    deleted = List.copyOf(deleted);
  }

  /** Nothing but these. */
  static MachineWishes of(@Nullable BootLoader bootLoader, DiskConfig customizations) {
    return new MachineWishes(
        null,
        bootLoader,
        customizations.kernelArguments(),
        List.of(),
        customizations,
        null,
        false,
        Companions.NONE);
  }

  /**
   * Refuses what cannot be done, before anything is.
   *
   * @throws Problem of kind USAGE
   */
  public void check() {
    String name = stateroot;
    if (name != null) {
      CommandValue.require("--stateroot", () -> NewSysroot.requireStateroot(name));
    }
    CommandValue.require("--karg", () -> new KernelArguments(added).requireWritable("--karg"));
    if (added.stream().anyMatch(a -> KernelArguments.keyOf(a).equals("ostree"))) {
      throw Problem.usage("--karg: ostree= is the boot menu's own and leads to the deployment");
    }
  }

  /** What starts it unless the image says otherwise. */
  BootLoader likelyBootLoader() {
    return bootLoader == null ? BootLoader.GRUB : bootLoader;
  }

  /**
   * Refuses to begin what cannot be ended here, when GRUB may be what starts the machine.
   *
   * @throws Problem of kind ENVIRONMENT
   */
  void requireGrubTool() {
    if (likelyBootLoader() == BootLoader.GRUB) {
      GrubMkimage.program();
    }
  }

  String stateroot(InstallConfig image) {
    String said = stateroot == null ? image.stateroot() : stateroot;
    return said == null ? "default" : said;
  }

  BootLoader bootLoader(InstallConfig image) {
    BootLoader said = image.bootLoader();
    return bootLoader != null || said == null ? likelyBootLoader() : said;
  }
}
