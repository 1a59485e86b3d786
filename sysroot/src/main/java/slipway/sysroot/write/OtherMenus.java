package slipway.sysroot.write;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.TreeCopy;

/** What other tools keep beside our boot menu, and in place of it. */
public final class OtherMenus {
  private static final String ENTRIES = "entries";

  /** Belong to the trial of one menu. */
  private static final Set<String> OURS = Set.of("grubenv", "slipway-counts");

  /**
   * Where GRUB reads a menu that may be of ostree's own tools: most often a link into {@code
   * boot/loader}, where the menu stays when GRUB gets another one. With EFI it may lie in a
   * vendor's folder.
   */
  private static final List<String> GRUB = List.of("boot/grub2/grub.cfg", "boot/grub/grub.cfg");

  private static final String EFI = "boot/efi/EFI";

  /** The same of boot loaders that read no entries in any case. */
  private static final List<String> OTHERS =
      List.of("boot/syslinux/syslinux.cfg", "boot/loader/uEnv.txt", "boot/uEnv.txt");

  private static final int LONGEST_LIST = 4 << 20;

  private OtherMenus() {}

  /**
   * Takes over to a new menu what other tools put beside ours: entries of other systems, GRUB's
   * configuration that reads them.
   *
   * @param old the folder of the menu in force; it need not exist
   * @param fresh that of the new one
   */
  static void carry(Path old, Path fresh) throws IOException {
    if (!Files.isDirectory(old, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    for (OsPath name : Posix.list(OsPath.of(old))) {
      if (!OURS.contains(name.toString()) && !name.toString().equals(ENTRIES)) {
        copy(old, fresh, name);
      }
    }
    if (Files.isDirectory(old.resolve(ENTRIES), LinkOption.NOFOLLOW_LINKS)) {
      for (OsPath name : Posix.list(OsPath.of(old.resolve(ENTRIES)))) {
        if (!name.toString().startsWith("ostree-")) {
          copy(old.resolve(ENTRIES), fresh.resolve(ENTRIES), name);
        }
      }
    }
  }

  private static void copy(Path from, Path to, OsPath name) throws IOException {
    TreeCopy.copy(
        OsPath.of(from).resolve(name),
        OsPath.of(to).resolve(name),
        TreeCopy.FAITHFUL,
        dropped -> {});
  }

  /**
   * Refuses to change the menu of a machine whose boot loader reads a list of the deployments that
   * only ostree's own tools write: it would go on to look for what is gone.
   *
   * @throws Problem of kind ENVIRONMENT
   */
  public static void requireNone(Path root) throws IOException {
    List<Path> grub = new ArrayList<>(GRUB.stream().map(root::resolve).toList());
    if (Files.isDirectory(root.resolve(EFI))) {
      try (Stream<Path> vendors = Files.list(root.resolve(EFI))) {
        vendors.map(vendor -> vendor.resolve("grub.cfg")).sorted().forEach(grub::add);
      }
    }
    for (Path file : grub) {
      requireOther(
          root,
          file,
          "let the boot loader read /boot/loader/entries first, by grub2-switch-to-blscfg or"
              + " bootupctl migrate-static-grub-config");
    }
    for (String list : OTHERS) {
      requireOther(
          root,
          root.resolve(list),
          "deploy with ostree's own tools, or install a boot loader that reads"
              + " /boot/loader/entries");
    }
  }

  private static void requireOther(Path root, Path file, String advice) throws IOException {
    if (Files.isRegularFile(file) && namesDeployments(file)) {
      throw Problem.environment(
          "/"
              + Printable.text(root.relativize(file).toString())
              + " lists the deployments itself, as ostree's own tools write it, and what is"
              + " deployed here would not be found; "
              + advice);
    }
  }

  private static boolean namesDeployments(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return RawText.decode(in.readNBytes(LONGEST_LIST)).contains("ostree=/ostree/boot.");
    }
  }
}
