package slipway.disk.lvm;

import java.util.List;
import java.util.UUID;

/**
 * A volume group on one partition.
 *
 * @param physical id of the physical volume that the partition becomes
 * @param size bytes of the partition
 * @param volumes in their order, one directly behind the other
 */
public record VolumeGroup(String name, UUID id, UUID physical, long size, List<Volume> volumes) {
  /** Bytes that volumes are made of, as vgcreate(8) has it. */
  public static final long EXTENT = 4L << 20;

  /** Bytes of a partition before the first extent. */
  public static final long FIRST_EXTENT = 1L << 20;

  /** More are refused: their description would not leave room for the next one. */
  public static final int MOST_VOLUMES = 256;

  /**
   * A logical volume, all of one piece.
   *
   * @param size bytes, whole extents
   */
  public record Volume(String name, UUID id, long size) {}

  public VolumeGroup {
    volumes = List.copyOf(volumes);
  }

  /** Whole extents that hold so many bytes. */
  public static long roundUp(long bytes) {
    return (bytes + EXTENT - 1) / EXTENT * EXTENT;
  }

  /** Bytes that a partition of a size has for volumes. */
  public static long room(long size) {
    return (size - FIRST_EXTENT) / EXTENT * EXTENT;
  }
}
