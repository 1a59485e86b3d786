package slipway.disk.bootloader;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import slipway.tree.FileTree;

/**
 * GRUB for machines that start from the network, of the image's own files. It reads the menu that
 * lies beside it, by the protocol that it came by itself.
 *
 * @param image whose GRUB is taken
 * @param folder an empty folder to work in
 */
public record NetGrub(FileTree image, Path folder) {
  /** The menu's name. */
  public static final String MENU = "grub.cfg";

  private static final String BIOS = "i386-pc";
  private static final String UEFI = "x86_64-efi";

  /**
   * Before there are modules GRUB knows no conditions. What follows the menu is for firmware that
   * named no server, as where another machine than it gives addresses.
   */
  private static final String EARLY =
      """
      set prefix=$cmdpath
      configfile $cmdpath/%s
      echo "There is no menu where GRUB came from; was it told its server? If not, start iPXE."
      sleep 60
      reboot
      """
          .formatted(MENU);

  private static final List<String> MODULES =
      List.of(
          "net",
          "tftp",
          "http",
          "configfile",
          "normal",
          "linux",
          "serial",
          "terminal",
          "echo",
          "test",
          "sleep",
          "ls",
          "cat",
          "reboot",
          "halt",
          "gzio");

  /** What BIOS loads by PXE. */
  public byte[] bios() throws IOException {
    return make(BIOS, "i386-pc-pxe", List.of("pxe", "biosdisk"), "pxeboot.img");
  }

  /** What UEFI loads by PXE or HTTP. */
  public byte[] efi() throws IOException {
    return make(UEFI, UEFI, List.of("efinet", "efi_gop"));
  }

  private byte[] make(String files, String platform, List<String> more, String... needed)
      throws IOException {
    List<String> modules = new ArrayList<>(MODULES);
    modules.addAll(more);
    List<String> all = new ArrayList<>(List.of("kernel.img", "moddep.lst"));
    all.addAll(List.of(needed));
    return new GrubMkimage(folder)
        .make(
            platform,
            "/grub",
            EARLY,
            modules,
            new GrubFiles(image, "a network start").of(files, all));
  }
}
