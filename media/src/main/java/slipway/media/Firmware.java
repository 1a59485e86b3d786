package slipway.media;

/** What starts a machine's boot loader. */
public enum Firmware {
  /** The PC BIOS, as SeaBIOS. */
  BIOS,
  /** UEFI without Secure Boot, as OVMF or AAVMF; variables live as long as the machine's state. */
  UEFI
}
