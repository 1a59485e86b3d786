package slipway.disk;

import java.util.Locale;
import slipway.base.Problem;

/** The container format of a disk image, with the folder and file name of bootc-image-builder. */
public enum DiskType {
  RAW("image", "disk.raw"),
  QCOW2("qcow2", "disk.qcow2");

  private final String folder;
  private final String file;

  DiskType(String folder, String file) {
    this.folder = folder;
    this.file = file;
  }

  /** Where the result goes below the output folder, such as {@code qcow2/disk.qcow2}. */
  public String path() {
    return folder + "/" + file;
  }

  /**
   * @throws Problem of kind USAGE
   */
  public static DiskType parse(String text) {
    for (DiskType type : values()) {
      if (type.name().toLowerCase(Locale.ROOT).equals(text)) {
        return type;
      }
    }
    throw Problem.usage("unknown disk type \"" + text + "\"; there are raw and qcow2");
  }
}
