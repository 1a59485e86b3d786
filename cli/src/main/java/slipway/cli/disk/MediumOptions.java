package slipway.cli.disk;

import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import slipway.base.Problem;
import slipway.media.BootMedium;
import slipway.media.DiskFormat;
import slipway.media.Firmware;

/** Options of a machine that starts from something else than its disk, to install onto that. */
final class MediumOptions {
  /** 16 TiB, more than ext4 takes as Debian makes it. */
  private static final long MOST = 1L << 44;

  /** What firmware can look at. */
  private static final long LEAST = 1L << 20;

  @Option(
      names = "--cdrom",
      paramLabel = "ISO",
      description = "start from this CD where nothing starts from the disk, such as an empty one")
  @Nullable Path cdrom;

  @Option(
      names = "--usb",
      paramLabel = "FILE",
      description =
          "the same from a USB stick with these bytes; the guest's writes to it are thrown away")
  @Nullable Path usb;

  @Option(
      names = "--pxe",
      paramLabel = "FILE|URL",
      description =
          "the same from the network: a boot loader whose folder is served by TFTP, or an address"
              + " for iPXE, such as slipway netboot serve's; 10.0.2.2 is this computer")
  @Nullable String pxe;

  @Option(
      names = "--disk-size",
      paramLabel = "SIZE",
      description = "give the machine an empty disk of its own instead of DISK or IMAGE")
  @Nullable String diskSize;

  @Option(
      names = "--isolated",
      description = "let the machine reach nobody; forwarded ports lead to it all the same")
  boolean isolated;

  /**
   * What they say, or null when the machine starts from its disk.
   *
   * @throws Problem of kind USAGE when they do not fit together
   */
  @Nullable BootMedium medium(Firmware firmware) {
    if (Stream.of(cdrom, usb, pxe).filter(Objects::nonNull).count() > 1) {
      throw Problem.usage("--cdrom, --usb and --pxe exclude each other; give one of them");
    }
    if (cdrom != null) {
      return BootMedium.of(BootMedium.Kind.CDROM, cdrom);
    }
    if (usb != null) {
      if (firmware == Firmware.BIOS) {
        throw Problem.usage(
            "the emulated BIOS tries one disk alone and never comes to the stick of --usb; leave out"
                + " --firmware bios");
      }
      return BootMedium.of(BootMedium.Kind.USB, usb);
    }
    return pxe == null ? null : BootMedium.network(pxe);
  }

  /**
   * Bytes of the machine's own disk, or 0 when there is none.
   *
   * @param source the disk or the image that was named, or nothing
   * @param named whether the machine is kept
   */
  long ownDisk(String source, boolean named) {
    String size = diskSize;
    if (size == null) {
      return 0;
    }
    if (!source.isEmpty()) {
      throw Problem.usage("--disk-size is instead of DISK or IMAGE; leave one of them out");
    }
    if (!named) {
      throw Problem.usage(
          "--disk-size is for machines that have a name and keep their disk; add --name or"
              + " --detach");
    }
    long bytes = DiskCommand.Build.bytes(size, "--disk-size");
    if (bytes < LEAST || bytes > MOST) {
      throw Problem.usage("--disk-size " + size + " is not from 1 MiB to 16 TiB");
    }
    return bytes;
  }

  /** The empty disk that the machine gets; the file is the machine's to name. */
  MachineDisk emptyDisk() {
    String first =
        cdrom != null ? cdrom.toString() : usb != null ? usb.toString() : pxe != null ? pxe : "";
    String name = first.substring(first.lastIndexOf('/') + 1).replaceAll("\\..*", "");
    return new MachineDisk(
        Path.of("disk.qcow2"), DiskFormat.QCOW2, null, name.isEmpty() ? "machine" : name);
  }
}
