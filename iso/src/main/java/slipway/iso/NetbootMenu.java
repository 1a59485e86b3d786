package slipway.iso;

import java.util.List;

/**
 * What machines that start from the network may do: the menus of GRUB and of iPXE, and what people
 * read. Files are looked for beside the menu, wherever it came from.
 *
 * @param name of the system, see {@link IsoBuilder#plain}
 * @param mode how much the installer asks
 * @param arguments for the kernel beside our own; empty for none
 */
record NetbootMenu(String name, IsoRequest.Mode mode, String arguments) {
  /** All files; menus, which name the others, come last. */
  static final List<String> FILES =
      List.of(
          "vmlinuz",
          "initrd.img",
          "rootfs.img",
          "install.img",
          "grub.pxe",
          "grubx64.efi",
          "README",
          "grub.cfg",
          "boot.ipxe");

  private static final String LIVE =
      "slipway.live=initramfs systemd.gpt_auto=0 systemd.firstboot=no quiet";
  private static final String SERIAL = " console=tty0 console=ttyS0,115200";

  /** Somebody who is not there chooses nothing. */
  private boolean installs() {
    return mode == IsoRequest.Mode.UNATTENDED;
  }

  private String run() {
    return LIVE + more();
  }

  private String install() {
    return LIVE
        + " systemd.unit=slipway-install.service slipway.installer="
        + mode.label()
        + more();
  }

  private String more() {
    return arguments.isEmpty() ? "" : " " + arguments;
  }

  String grub() {
    return """
        set timeout=10
        set default=%d
        serial --unit=0 --speed=115200
        terminal_input serial console
        terminal_output serial console
        """
            .formatted(installs() ? 2 : 0)
        + entry("Run %s without a disk", run(), "")
        + entry("Run %s without a disk (serial console)", run() + SERIAL, "")
        + entry("Install %s", install(), "install.img")
        + entry("Install %s (serial console)", install() + SERIAL, "install.img");
  }

  private String entry(String title, String arguments, String medium) {
    String more = medium.isEmpty() ? "" : " newc:%1$s:$cmdpath/%1$s".formatted(medium);
    return """
        menuentry '%s' {
        \tlinux $cmdpath/vmlinuz %s
        \tinitrd $cmdpath/initrd.img newc:rootfs.img:$cmdpath/rootfs.img%s
        }
        """
        .formatted(title.formatted(name), arguments, more);
  }

  /** Names are of the folder that the script came from; on BIOS {@code initrd=} says nothing. */
  String ipxe() {
    return """
        #!ipxe
        :menu
        menu %1$s
        item run Run without a disk
        item run-serial Run without a disk (serial console)
        item install Install
        item install-serial Install (serial console)
        choose --default %2$s --timeout 10000 what || goto menu
        goto ${what}

        :run
        kernel vmlinuz initrd=initrd.magic %3$s || goto failed
        goto run-files
        :run-serial
        kernel vmlinuz initrd=initrd.magic %3$s%5$s || goto failed
        :run-files
        initrd initrd.img || goto failed
        initrd rootfs.img /rootfs.img || goto failed
        boot || goto failed

        :install
        kernel vmlinuz initrd=initrd.magic %4$s || goto failed
        goto install-files
        :install-serial
        kernel vmlinuz initrd=initrd.magic %4$s%5$s || goto failed
        :install-files
        initrd initrd.img || goto failed
        initrd rootfs.img /rootfs.img || goto failed
        initrd install.img /install.img || goto failed
        boot || goto failed

        :failed
        echo Starting from the network failed.
        imgfree
        prompt --timeout 30000 Press a key for the menu. ||
        goto menu
        """
        .formatted(name, installs() ? "install" : "run", run(), install(), SERIAL);
  }

  String readme(String image) {
    return """
        %s, started from the network

        Made of the image %s.

        Serve this folder by HTTP and TFTP:

            slipway netboot serve --dhcp proxy FOLDER

        or by other servers. Machines are told by DHCP which file comes first:

            BIOS, PXE       grub.pxe
            UEFI, PXE       grubx64.efi
            UEFI, HTTP      http://SERVER/grubx64.efi
            iPXE            http://SERVER/boot.ipxe

        The menu runs the system without a disk, from memory, or installs it. Both take
        memory: what rootfs.img has three times and 1 GiB, to install also what
        install.img has three times. All that is changed without a disk is lost at the end.

        Kernel arguments are in grub.cfg and boot.ipxe. An installation with a kickstart
        file takes inst.ks=http://SERVER/FILE beside them.

        vmlinuz       the image's kernel
        initrd.img    the image's initramfs, and what mounts rootfs.img
        rootfs.img    the image's files (squashfs), which come behind initrd.img
        install.img   the image as it is installed (squashfs), only to install
        """
        .formatted(name, image);
  }
}
