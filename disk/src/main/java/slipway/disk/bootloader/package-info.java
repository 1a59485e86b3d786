/**
 * What starts a machine, made of the image's files as data: GRUB for BIOS and UEFI ({@link
 * slipway.disk.bootloader.Grub}), or systemd-boot ({@link slipway.disk.bootloader.SystemdBoot}).
 *
 * <pre>
 *  image: /usr/lib/grub/PLATFORM/*.mod, *.lst, *.img
 *         │ read as data, no link followed
 *         ▼
 *  GrubMkimage ─▶ this machine's grub-mkimage, shut in (ToolRoom) ─▶ one file that starts
 *         with it goes an early configuration: find /boot by its id, read grub/grub.cfg there
 *
 *  BIOS (i386-pc), amd64 alone
 *    disk          0 … 439     boot.img; the GPT behind it stays
 *                  0x5c        in it: sector where core.img begins, 8 bytes
 *                  0x66        in it: two NOPs in the place of the check of the drive
 *    partition     0           core.img
 *    bios          0x1f4       in it: next sector (8), number of sectors (2), segment 0x820 (2)
 *
 *    With an older table (MBR) the rest goes between it and the first partition.
 *
 *  UEFI (x86_64-efi, arm64-efi)
 *    EFI system partition      EFI/BOOT/BOOTX64.EFI or BOOTAA64.EFI (EfiFolder when it is mounted)
 *
 *  bootupd: /usr/lib/bootupd/updates, grub2-static ─▶ what bootupd would install (Bootupd)
 *
 *  systemd-boot: /usr/lib/systemd/boot/efi/systemd-bootx64.efi ─▶ EFI/systemd, EFI/BOOT; its menu
 *         is slipway.sysroot.state.EspMenu
 *
 *  /boot/grub/grub.cfg         written once: serial console, find /boot, counting, blscfg
 *  /boot/loader/grubenv        what is counted; only while a new deployment has tries left
 *  /boot/loader/entries/       what blscfg reads; it changes with each deployment, GRUB never does
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.disk.bootloader;
