package slipway.disk.config;

import java.util.Locale;
import slipway.base.Problem;

/** The file system of the root partition. */
public enum RootFileSystem {
  EXT4,
  XFS,
  BTRFS;

  /** As users write it: {@code ext4}, {@code xfs}, {@code btrfs}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * @throws Problem of kind USAGE
   */
  public static RootFileSystem parse(String text) {
    for (RootFileSystem fs : values()) {
      if (fs.label().equals(text)) {
        return fs;
      }
    }
    throw Problem.usage("unknown root file system \"" + text + "\"; there are ext4, xfs and btrfs");
  }
}
