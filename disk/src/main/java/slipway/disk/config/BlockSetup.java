package slipway.disk.config;

import java.util.Locale;
import slipway.base.Problem;

/** How the root lies on a disk. */
public enum BlockSetup {
  /** Its file system is what the partition holds. */
  DIRECT,
  /** It is encrypted by LUKS2, and the TPM of the machine has the key. */
  TPM2_LUKS;

  /** As users write it: {@code direct}, {@code tpm2-luks}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * @throws Problem of kind USAGE
   */
  public static BlockSetup parse(String text) {
    for (BlockSetup setup : values()) {
      if (setup.label().equals(text)) {
        return setup;
      }
    }
    throw Problem.usage("--block-setup \"" + text + "\" is not known; give direct or tpm2-luks");
  }
}
