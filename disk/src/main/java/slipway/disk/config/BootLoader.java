package slipway.disk.config;

import java.util.Locale;
import slipway.base.Problem;

/** What starts the installed system. */
public enum BootLoader {
  GRUB,
  /** systemd-boot, on machines with UEFI. */
  SYSTEMD,
  /** Whoever installs sees to it. */
  NONE;

  /** As users write it: {@code grub}, {@code systemd}, {@code none}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * @throws Problem of kind USAGE
   */
  public static BootLoader parse(String text) {
    for (BootLoader loader : values()) {
      if (loader.label().equals(text)) {
        return loader;
      }
    }
    throw Problem.usage(
        "--bootloader \""
            + text
            + "\" is not there; give grub or systemd, or none to see to it yourself");
  }
}
