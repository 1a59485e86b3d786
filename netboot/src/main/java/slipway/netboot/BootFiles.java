package slipway.netboot;

import java.util.Optional;

/**
 * Which file a machine starts with, as {@code slipway disk build --type pxe} calls them.
 *
 * @param http where they are served by HTTP, with a slash at the end
 */
record BootFiles(String http) {
  /** GRUB for BIOS. */
  static final String BIOS = "grub.pxe";

  /** GRUB for UEFI. */
  static final String UEFI = "grubx64.efi";

  /** iPXE's script. */
  static final String IPXE = "boot.ipxe";

  /** How a machine that starts from the network is told what to load. */
  enum Way {
    /** A file by TFTP, of the server that tells. */
    TFTP,
    /** An address. */
    HTTP,
    /** An address, in firmware that knows HTTP (UEFI 2.5). */
    HTTP_CLIENT
  }

  /** What it loads. */
  record First(Way way, String file) {}

  /**
   * The first file for a machine.
   *
   * @param architecture by the numbers of RFC 4578 and IANA
   * @param ipxe whether iPXE asks, which came before
   * @return nothing for machines that the files are not for
   */
  Optional<First> first(int architecture, boolean ipxe) {
    if (architecture != 0 && architecture != 7 && architecture != 9 && architecture != 16) {
      return Optional.empty();
    }
    if (ipxe) {
      return Optional.of(new First(Way.HTTP, http + IPXE));
    }
    return Optional.of(
        switch (architecture) {
          case 0 -> new First(Way.TFTP, BIOS);
          case 16 -> new First(Way.HTTP_CLIENT, http + UEFI);
          default -> new First(Way.TFTP, UEFI);
        });
  }
}
