package slipway.iso;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import slipway.linux.process.Command;

/** ISOs that start as those of distributions do, with GRUB from this machine's packages. */
final class InstallerIso {
  private static final String ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";

  private static final String[] MODULES =
      "iso9660 normal linux search search_label part_gpt part_msdos configfile cat serial terminal"
          .split(" ");

  private InstallerIso() {}

  /** As lorax makes Fedora's and RHEL's: the EFI image is a partition behind the files. */
  static Path likeFedoras(Path folder, String label) throws IOException {
    Path tree = Files.createDirectories(folder.resolve("fedora"));
    String menu =
        """
        serial --unit=0 --speed=115200
        terminal_output serial
        set timeout=5
        search --no-floppy --set=root -l '%1$s'
        cat $prefix/grub.cfg
        cat /machine.ks
        menuentry 'Install' --class fedora {
        \tlinux /images/pxeboot/vmlinuz inst.stage2=hd:LABEL=%1$s inst.ks=cdrom:/old.ks quiet
        \tinitrd /images/pxeboot/initrd.img
        }
        """
            .formatted(label);
    write(tree, "EFI/BOOT/grub.cfg", menu.replace("\tlinux ", "\tlinuxefi "));
    write(tree, "boot/grub2/grub.cfg", menu);
    random(tree, "images/pxeboot/vmlinuz");
    random(tree, "images/pxeboot/initrd.img");
    bios(tree.resolve("images/eltorito.img"), "/boot/grub2");
    Path esp = efiImage(folder, tree);
    make(folder.resolve("fedora.iso"), label)
        .with("-iso-level", "3", "--grub2-mbr", "/usr/lib/grub/i386-pc/boot_hybrid.img")
        .with("-partition_offset", "16", "-appended_part_as_gpt")
        .with("-append_partition", "2", ESP, esp.toString())
        .with("-iso_mbr_part_type", "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7")
        .with("-c", "boot.cat", "--boot-catalog-hide", "-b", "images/eltorito.img")
        .with("-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info")
        .with("-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::")
        .with("-no-emul-boot", tree.toString())
        .run();
    return folder.resolve("fedora.iso");
  }

  /**
   * As Debian's: blanks in the label, and the EFI image is a file, which only leads to the menu.
   */
  static Path likeDebians(Path folder, String label) throws IOException {
    Path tree = Files.createDirectories(folder.resolve("debian"));
    write(
        tree,
        "boot/grub/grub.cfg",
        "menuentry 'Install' {\n    linux    /install.amd/vmlinuz vga=788 --- quiet \n"
            + "    initrd   /install.amd/initrd.gz\n}\n");
    write(tree, "isolinux/isolinux.cfg", "path \ninclude txt.cfg\ndefault vesamenu.c32\n");
    write(
        tree,
        "isolinux/txt.cfg",
        "label install\n\tmenu label ^Install\n\tkernel /install.amd/vmlinuz\n"
            + "\tappend vga=788 initrd=/install.amd/initrd.gz --- quiet \n");
    random(tree, "install.amd/vmlinuz");
    random(tree, "install.amd/initrd.gz");
    bios(tree.resolve("boot/grub/eltorito.img"), "/boot/grub");
    Path esp = folder.resolve("efi.img");
    fat(esp);
    Files.move(esp, tree.resolve("boot/grub/efi.img"));
    make(folder.resolve("debian.iso"), label)
        .with("-b", "boot/grub/eltorito.img", "-no-emul-boot", "-boot-load-size", "4")
        .with("-boot-info-table", "-eltorito-alt-boot", "-e", "boot/grub/efi.img")
        .with("-no-emul-boot", "-isohybrid-gpt-basdat", tree.toString())
        .run();
    return folder.resolve("debian.iso");
  }

  private static Command make(Path iso, String label) {
    return Command.of("xorriso", "-no_rc", "-as", "mkisofs", "-quiet", "-o", iso.toString())
        .with("-V", label, "-R", "-J");
  }

  private static void bios(Path file, String prefix) {
    Command.of("grub-mkimage", "-O", "i386-pc-eltorito", "-o", file.toString(), "-p", prefix)
        .with("biosdisk")
        .with(MODULES)
        .run();
  }

  private static Path efiImage(Path folder, Path tree) throws IOException {
    Path loader = tree.resolve("EFI/BOOT/BOOTX64.EFI");
    Command.of("grub-mkimage", "-O", "x86_64-efi", "-o", loader.toString(), "-p", "/EFI/BOOT")
        .with("fat")
        .with(MODULES)
        .run();
    Path esp = folder.resolve("esp.img");
    fat(esp);
    for (String name : new String[] {"BOOTX64.EFI", "grub.cfg"}) {
      mtools("mcopy", esp, tree.resolve("EFI/BOOT/" + name).toString(), "::/EFI/BOOT/");
    }
    return esp;
  }

  private static void fat(Path esp) throws IOException {
    Files.write(esp, new byte[4 << 20]);
    mtools("mformat", esp, "-v", "ANACONDA", "::");
    mtools("mmd", esp, "::/EFI", "::/EFI/BOOT");
  }

  static String mtools(String program, Path image, String... arguments) {
    return Command.of(program, "-i", image.toString()).with(arguments).output();
  }

  private static void write(Path tree, String path, String text) throws IOException {
    Files.createDirectories(tree.resolve(path).getParent());
    Files.writeString(tree.resolve(path), text);
  }

  private static void random(Path tree, String path) throws IOException {
    byte[] bytes = new byte[300_000];
    new Random(path.hashCode()).nextBytes(bytes);
    Files.createDirectories(tree.resolve(path).getParent());
    Files.write(tree.resolve(path), bytes);
  }
}
