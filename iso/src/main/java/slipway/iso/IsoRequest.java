package slipway.iso;

import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.disk.FileAccess;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;

/**
 * What installer to make.
 *
 * @param type the word that asked for it, as in {@code anaconda-iso}
 * @param source where the image's layers are read from
 * @param manifest the image
 * @param config its config
 * @param target the name that the machine follows for its updates
 * @param rootfs of the machine; null for what the image says
 * @param bootLoader likewise
 * @param customizations what the machine gets beside the image
 * @param file that they were read from, which goes onto the ISO; null for none
 * @param kickstart a kickstart file that answers for the installer; null for none
 * @param companions what goes along beside the image
 * @param mode how much the installer asks
 * @param access who may read the ISO
 * @param output folder; the ISO goes to {@link #PATH} in it
 * @param epoch the latest time of files, in seconds since 1970, so that the same is made again
 */
public record IsoRequest(
    String type,
    ImageSource source,
    Manifest.Image manifest,
    ImageConfig config,
    Reference target,
    @Nullable RootFileSystem rootfs,
    @Nullable BootLoader bootLoader,
    DiskConfig customizations,
    @Nullable Path file,
    @Nullable String kickstart,
    Companions companions,
    Mode mode,
    FileAccess access,
    Path output,
    OptionalLong epoch) {
  /** As bootc-image-builder calls it. */
  public static final String PATH = "bootiso/install.iso";

  /** How much the installer asks. */
  public enum Mode {
    /** Which disk, and whether. */
    INTERACTIVE,
    /** Whether; and which disk where there are several. */
    CONFIRM,
    /** Nothing; where there are several disks it stops. */
    UNATTENDED;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * @throws Problem of kind USAGE
     */
    public static Mode parse(String text) {
      for (Mode mode : values()) {
        if (mode.label().equals(text)) {
          return mode;
        }
      }
      throw Problem.usage(
          "--installer-mode takes interactive, confirm or unattended, not \"" + text + "\"");
    }
  }
}
