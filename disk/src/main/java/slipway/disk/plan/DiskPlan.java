package slipway.disk.plan;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.disk.config.BootLoader;

/**
 * How a disk is divided: a GPT (UEFI specification 2.10, section 5.3) with a BIOS boot partition,
 * an EFI system partition, {@code /boot} and the root, each on a whole MiB; the last MiB stays free
 * for the table's copy. For systemd-boot an EFI system partition that holds kernels, and the root.
 * Types are those of the Discoverable Partitions Specification.
 *
 * @param size bytes of the whole disk
 * @param diskId of the table
 * @param bios null where BIOS does not start the machine
 * @param boot null where /boot is a folder of the root
 */
public record DiskPlan(
    long size, UUID diskId, @Nullable Part bios, Part esp, @Nullable Part boot, Part root) {
  public static final int SECTOR = 512;
  private static final long MIB = 1L << 20;

  /** As bootc-image-builder: sparse, so it costs nothing. */
  static final long DEFAULT_SIZE = 10L << 30;

  private static final long BIOS_SIZE = MIB;
  // GRUB's image has some 300 kB; shim, a second loader and firmware updates find room.
  private static final long ESP_SIZE = 128 * MIB;
  private static final long KERNELS_SIZE = 1024 * MIB;
  private static final long ROOT_MINIMUM = 1024 * MIB;

  public static final String BIOS_TYPE = "21686148-6449-6E6F-744E-656564454649";
  public static final String ESP_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
  private static final String BOOT_TYPE = "BC13C2FF-59E6-4262-A352-B275FD6F7172";

  /**
   * A partition.
   *
   * @param start bytes from the beginning of the disk
   * @param size bytes
   * @param id of the partition
   * @param filesystem id of the file system in it
   */
  public record Part(String name, String type, long start, long size, UUID id, UUID filesystem) {}

  /**
   * What file systems need at least, in bytes.
   *
   * @param boot of what holds the kernels: /boot, or the EFI system partition where systemd-boot
   *     reads them; 0 for the usual size
   */
  public record Least(long root, long boot) {}

  /** With a usual /boot. */
  static DiskPlan of(
      long wanted, long rootMinimum, String architecture, BootLoader loader, Supplier<UUID> ids) {
    return of(wanted, new Least(rootMinimum, 0), architecture, loader, ids);
  }

  /**
   * @param wanted bytes of the disk; 0 for the default
   * @param least that its file systems need
   * @param architecture in OCI's names
   * @param loader that starts the machine
   * @throws Problem when the disk is too small
   */
  public static DiskPlan of(
      long wanted, Least least, String architecture, BootLoader loader, Supplier<UUID> ids) {
    long minimum = sizeFor(least, loader);
    if (wanted != 0 && wanted < minimum) {
      throw Problem.input(
          "a disk of "
              + wanted / MIB
              + " MiB is too small for this image; give --size "
              + minimum / MIB
              + "M or more");
    }
    long size = wanted == 0 ? Math.max(DEFAULT_SIZE, minimum) : wanted / MIB * MIB;
    return divided(size, new Least(0, least.boot), architecture, loader, ids);
  }

  /**
   * Of a disk that is there.
   *
   * @param name of it, for messages
   * @param size bytes of the disk, whole MiB
   * @param rootSize bytes of the root's partition; 0 for all that is left
   * @param loader that starts the machine
   * @throws Problem when the disk, or that partition, is too small
   */
  public static DiskPlan ofDevice(
      String name,
      long size,
      long rootMinimum,
      long rootSize,
      String architecture,
      BootLoader loader,
      Supplier<UUID> ids) {
    long minimum = sizeFor(new Least(rootMinimum, 0), loader);
    if (size < minimum) {
      throw Problem.input(
          "%s has %d MiB and is too small for this image, which takes %d MiB or more"
              .formatted(name, size / MIB, minimum / MIB));
    }
    long root = rootSize / MIB * MIB;
    if (rootSize != 0 && sizeFor(new Least(root, 0), loader) > size) {
      throw Problem.input(
          "--root-size %dM: %s has room for a root of %d MiB"
              .formatted(
                  rootSize / MIB,
                  name,
                  (size - sizeFor(new Least(0, 0), loader) + ROOT_MINIMUM) / MIB));
    }
    if (rootSize != 0 && root < Math.max(ROOT_MINIMUM, rootMinimum)) {
      throw Problem.input(
          "--root-size %dM is too small for this image; give %dM or more"
              .formatted(rootSize / MIB, roundUp(Math.max(ROOT_MINIMUM, rootMinimum)) / MIB));
    }
    return divided(size, new Least(root, 0), architecture, loader, ids);
  }

  /**
   * @param sizes of the root, 0 for all that is left, and of /boot
   */
  private static DiskPlan divided(
      long size, Least sizes, String architecture, BootLoader loader, Supplier<UUID> ids) {
    long kernels = kernels(sizes);
    long rootSize = sizes.root;
    long start = MIB;
    Part bios = null;
    Part esp;
    Part boot = null;
    if (loader == BootLoader.SYSTEMD) {
      esp = part("EFI-SYSTEM", ESP_TYPE, start, kernels, ids);
      start += kernels;
    } else {
      bios = part("bios", BIOS_TYPE, start, BIOS_SIZE, ids);
      esp = part("EFI-SYSTEM", ESP_TYPE, start += BIOS_SIZE, ESP_SIZE, ids);
      boot = part("boot", BOOT_TYPE, start += ESP_SIZE, kernels, ids);
      start += kernels;
    }
    long left = size - MIB - start;
    Part root = part("root", rootType(architecture), start, rootSize == 0 ? left : rootSize, ids);
    return new DiskPlan(size, ids.get(), bios, esp, boot, root);
  }

  /**
   * The least size of a disk, whatever starts the machine.
   *
   * @param root bytes that the root needs
   */
  public static long sizeFor(long root) {
    return sizeFor(new Least(root, 0), BootLoader.GRUB);
  }

  private static long sizeFor(Least least, BootLoader loader) {
    long parts = kernels(least) + (loader == BootLoader.SYSTEMD ? 0 : BIOS_SIZE + ESP_SIZE);
    long fixed = MIB + parts + MIB;
    return roundUp(fixed + Math.max(ROOT_MINIMUM, least.root));
  }

  /** Bytes of the partition that holds kernels. */
  private static long kernels(Least least) {
    return roundUp(Math.max(KERNELS_SIZE, least.boot));
  }

  private static Part part(String name, String type, long start, long size, Supplier<UUID> ids) {
    return new Part(name, type, start, size, ids.get(), ids.get());
  }

  private static String rootType(String architecture) {
    return switch (architecture) {
      case "amd64" -> "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709";
      case "arm64" -> "B921B045-1DF0-41C3-AF44-4C6F280D3FAE";
      default ->
          throw Problem.input(
              "disks are made for amd64 and arm64, this image is for " + architecture);
    };
  }

  private static long roundUp(long bytes) {
    return (bytes + MIB - 1) / MIB * MIB;
  }

  /** All of them, in their order on the disk. */
  public List<Part> parts() {
    return Stream.of(bios, esp, boot, root).filter(Objects::nonNull).toList();
  }

  /** The input of sfdisk(8). */
  public String script() {
    StringBuilder script = new StringBuilder();
    script.append("label: gpt\nlabel-id: ").append(diskId).append("\nunit: sectors\n");
    for (Part p : parts()) {
      script.append(
          String.format(
              Locale.ROOT,
              "start=%d, size=%d, type=%s, uuid=%s, name=%s%n",
              p.start() / SECTOR,
              p.size() / SECTOR,
              p.type(),
              p.id(),
              p.name()));
    }
    return script.toString();
  }
}
