package slipway.disk.bootloader;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import slipway.tree.FileTree;

/**
 * GRUB for an ISO, of the image's own files: what starts it from a CD by BIOS, from a disk by BIOS,
 * and by UEFI. All of them look for a file that this ISO alone has and read the menu beside it, so
 * the volume may get another name.
 *
 * @param image whose GRUB is taken
 * @param mark the file's path on the ISO, with a slash in front
 * @param folder an empty folder to work in
 */
public record IsoGrub(FileTree image, String mark, Path folder) {
  private static final String BIOS = "i386-pc";
  private static final String UEFI = "x86_64-efi";

  /** Where the menu lies. */
  public static final String MENU = "/boot/grub/grub.cfg";

  private static final List<String> MODULES =
      List.of(
          "iso9660",
          "part_gpt",
          "part_msdos",
          "fat",
          "search",
          "search_fs_file",
          "configfile",
          "normal",
          "linux",
          "serial",
          "terminal",
          "echo",
          "test",
          "ls",
          "cat",
          "reboot",
          "halt",
          "gzio");

  /** What BIOS loads from a CD (El Torito). */
  public byte[] cdrom() throws IOException {
    return make(BIOS, "i386-pc-eltorito", List.of("biosdisk"));
  }

  /** The code in front of the partition table, which leads to {@link #cdrom} on a disk. */
  public byte[] firstSector() throws IOException {
    return Objects.requireNonNull(files(BIOS).get("boot_hybrid.img"));
  }

  /** EFI/BOOT/BOOTX64.EFI. */
  public byte[] efi() throws IOException {
    return make(UEFI, UEFI, List.of("efi_gop"));
  }

  private Map<String, byte[]> files(String platform) throws IOException {
    List<String> needed =
        platform.equals(BIOS)
            ? List.of("kernel.img", "moddep.lst", "cdboot.img", "boot_hybrid.img")
            : List.of("kernel.img", "moddep.lst");
    return new GrubFiles(image, "an installer").of(platform, needed);
  }

  private byte[] make(String files, String platform, List<String> more) throws IOException {
    List<String> modules = new ArrayList<>(MODULES);
    modules.addAll(more);
    String early =
        """
        search --no-floppy --file --set=root %s
        set prefix=($root)/boot/grub
        configfile ($root)%s
        """
            .formatted(mark, MENU);
    return new GrubMkimage(folder).make(platform, "/boot/grub", early, modules, files(files));
  }
}
