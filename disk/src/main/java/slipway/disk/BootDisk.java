package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.disk.bootloader.Grub;
import slipway.disk.plan.DiskPlan;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.UnixException;
import slipway.linux.process.Command;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;

/**
 * A disk that somebody else divided, and where on it firmware looks for a boot loader.
 *
 * @param disk a device, or the file that one stands for
 * @param bios where the rest of GRUB for BIOS has room: the BIOS boot partition of a GPT, or with
 *     the older table what lies before the first partition; null for nowhere
 * @param esp the EFI system partition, or null
 */
record BootDisk(Path disk, Grub.@Nullable Place bios, @Nullable Esp esp) {
  private static final long MIB = 1L << 20;
  private static final String EFI_OF_MBR = "ef";

  /**
   * An EFI system partition.
   *
   * @param node its device; of a file's partition there is none
   * @param start bytes from the beginning of the disk
   * @param size bytes
   */
  record Esp(Path node, long start, long size) {
    /**
     * What fstab finds its file system by.
     *
     * @param disk that it is on
     * @throws Problem of kind INPUT when it has none
     */
    String id(Path disk) {
      Command.Result result =
          Command.of("blkid", "-p", "-o", "value", "-s", "UUID", "-O", Long.toString(start))
              .with(disk.toString())
              .tryRun();
      String id = result.text().strip();
      if (result.status() != 0 || !id.matches("[0-9A-Za-z-]+")) {
        throw Problem.input(
            "blkid finds no UUID of the EFI system partition of " + disk + "; make it anew");
      }
      return id;
    }

    /** Whether nobody has it mounted, or a mirror of it. */
    boolean isFree() throws IOException {
      try {
        if (Files.exists(node)) {
          Posix.close(Posix.open(OsPath.of(node), Posix.O_RDWR | Posix.O_EXCL, 0));
        }
        return true;
      } catch (UnixException e) {
        return false;
      }
    }

    /**
     * @throws Problem of kind INPUT when somebody has it mounted
     */
    void requireFree(Path wanted) throws IOException {
      if (!isFree()) {
        throw Problem.input(
            "the EFI system partition "
                + node
                + " is in use; mount it on "
                + wanted
                + ", or nowhere");
      }
    }
  }

  /** Reads the partition table of the disk; one without has no place for a boot loader. */
  static BootDisk of(Path disk) {
    JsonNode table = table(disk);
    long sector = table.path("sectorsize").asLong(DiskPlan.SECTOR);
    boolean isGpt = table.path("label").asString("").equals("gpt");
    Grub.Place bios = isGpt || table.isMissingNode() ? null : gap(table, sector);
    Esp esp = null;
    for (JsonNode part : table.path("partitions")) {
      String type = part.path("type").asString("");
      long start = part.path("start").asLong(0) * sector;
      long size = part.path("size").asLong(0) * sector;
      if (isGpt && type.equalsIgnoreCase(DiskPlan.BIOS_TYPE) && sector == DiskPlan.SECTOR) {
        bios = new Grub.Place(start, size);
      } else if (type.equalsIgnoreCase(isGpt ? DiskPlan.ESP_TYPE : EFI_OF_MBR) && esp == null) {
        esp = new Esp(Path.of(part.path("node").asString("")), start, size);
      }
    }
    return new BootDisk(disk, bios, esp);
  }

  private static JsonNode table(Path disk) {
    Command.Result result = Command.of("sfdisk", "--json", disk.toString()).tryRun();
    try {
      return new JsonMapper()
          .readTree(result.status() == 0 ? result.text() : "{}")
          .path("partitiontable");
    } catch (JacksonException e) {
      return MissingNode.getInstance();
    }
  }

  /** What is free between the table and the first partition, when that begins where all do now. */
  private static Grub.@Nullable Place gap(JsonNode table, long sector) {
    long first = Long.MAX_VALUE;
    for (JsonNode part : table.path("partitions")) {
      first = Math.min(first, part.path("start").asLong(0) * sector);
    }
    boolean isRoom = sector == DiskPlan.SECTOR && first >= MIB && first != Long.MAX_VALUE;
    return isRoom ? new Grub.Place(sector, first - sector) : null;
  }
}
