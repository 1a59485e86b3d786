package slipway.disk;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.disk.format.FixedVhd;
import slipway.disk.format.GceArchive;
import slipway.disk.format.ImageFormat;
import slipway.disk.format.Ova;
import slipway.disk.format.Qcow2;
import slipway.disk.format.StreamVmdk;

/** The container format of a disk image, with the folder and file name of bootc-image-builder. */
public enum DiskType {
  RAW("image", "disk.raw"),
  QCOW2("qcow2", "disk.qcow2"),
  /** What Amazon imports: the raw disk. */
  AMI("image", "disk.raw"),
  VMDK("vmdk", "disk.vmdk"),
  /** Azure's. */
  VHD("vpc", "disk.vhd"),
  /** Google's. */
  GCE("gce", "image.tar.gz"),
  OVA("archive", "image.ova");

  /** Names of what {@code slipway.iso} makes. */
  private static final Set<String> INSTALLERS =
      Set.of("anaconda-iso", "iso", "bootc-installer", "bootc-generic-iso");

  /** What it makes for machines that start from the network. */
  private static final Set<String> NETBOOT = Set.of("pxe", "pxe-tar-xz");

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

  /** Whether the file is as long as the disk, with holes for what was never written. */
  boolean hasHoles() {
    return this == RAW || this == AMI || this == VHD;
  }

  /** Whether machines with such a disk may be told that its sectors are not of 512 bytes. */
  boolean hasAnySectors() {
    return this == RAW || this == QCOW2;
  }

  /** The word for it: {@code qcow2}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * How it is written; null for the raw disk itself.
   *
   * @param disk id of the disk, which those of its images are derived from
   */
  @Nullable ImageFormat format(UUID disk) {
    UUID id = idOf(disk);
    // Neither 0 nor -1; an appliance holds the very disk that is also given alone.
    int contentId = (int) (VMDK.idOf(disk).getMostSignificantBits() >>> 33) | 1;
    return switch (this) {
      case RAW, AMI -> null;
      case QCOW2 -> new Qcow2(true);
      case VMDK -> new StreamVmdk(contentId);
      case VHD -> new FixedVhd(id);
      case GCE -> new GceArchive();
      case OVA -> new Ova("image", contentId, id);
    };
  }

  private UUID idOf(UUID disk) {
    return UUID.nameUUIDFromBytes((label() + " " + disk).getBytes(US_ASCII));
  }

  /** Whether an installer is asked for, by any of its names, and nothing else. */
  public static boolean isInstaller(List<String> words) {
    return !words.isEmpty() && INSTALLERS.containsAll(words);
  }

  /** Whether files for machines that start from the network are asked for, and nothing else. */
  public static boolean isNetboot(List<String> words) {
    return !words.isEmpty() && NETBOOT.containsAll(words);
  }

  /**
   * What was asked for, each once.
   *
   * @throws Problem of kind USAGE
   */
  public static List<DiskType> parse(List<String> words) {
    List<String> others =
        words.stream().filter(w -> NETBOOT.contains(w) || INSTALLERS.contains(w)).toList();
    boolean both = !isInstaller(others) && !isNetboot(others);
    if (!others.isEmpty() && (both || others.size() < words.size())) {
      throw Problem.usage("cannot mix ISO/disk images in request");
    }
    if (!others.isEmpty()) {
      throw Problem.usage("--type " + others.getFirst() + " is no disk, and only a build makes it");
    }
    return words.stream().map(DiskType::parse).distinct().toList();
  }

  private static DiskType parse(String text) {
    for (DiskType type : values()) {
      if (type.label().equals(text)) {
        return type;
      }
    }
    throw Problem.usage(
        "unsupported image type \""
            + text
            + "\", valid types are "
            + Stream.of(
                    Arrays.stream(values()).map(DiskType::label),
                    INSTALLERS.stream(),
                    NETBOOT.stream())
                .flatMap(names -> names)
                .sorted()
                .collect(Collectors.joining(", ")));
  }
}
