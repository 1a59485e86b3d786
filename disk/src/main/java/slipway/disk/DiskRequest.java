package slipway.disk;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;
import slipway.ostree.container.LayerCache;

/**
 * What disk to make.
 *
 * @param source where the image's layers are read from
 * @param manifest the image
 * @param config its config
 * @param target the name that the machine follows for its updates
 * @param types container formats, at least one
 * @param rootfs file system of the root partition; null for what the image says, else ext4
 * @param bootLoader what starts the machine; null for what the image says, else GRUB
 * @param customizations what the machine gets beside the image
 * @param size bytes of the whole disk; 0 for the default
 * @param access who may read the results
 * @param output folder; the files go to {@link DiskType#path} in it, beside a manifest
 * @param usualArguments whether the kernel gets the arguments that disks usually have
 * @param seed what the ids of the table, the partitions and the file systems are made of; null for
 *     others each time
 * @param time when all that is younger was made, as SOURCE_DATE_EPOCH has it; null for times as
 *     they are. With a seed and a time the same image gives the same bytes
 * @param cache of layers that other disks had; null for none
 * @param foreign whether the image may be for another architecture than this machine's: nothing of
 *     it is run
 */
@RecordBuilder
public record DiskRequest(
    ImageSource source,
    Manifest.Image manifest,
    ImageConfig config,
    Reference target,
    List<DiskType> types,
    @Nullable RootFileSystem rootfs,
    @Nullable BootLoader bootLoader,
    DiskConfig customizations,
    long size,
    FileAccess access,
    Path output,
    boolean usualArguments,
    @Nullable Long seed,
    @Nullable Instant time,
    @Nullable LayerCache cache,
    boolean foreign)
    implements DiskRequestBuilder.With {
  public DiskRequest {
    types = List.copyOf(types);
  }

  /** With the usual kernel arguments, and ids of its own. */
  public DiskRequest(
      ImageSource source,
      Manifest.Image manifest,
      ImageConfig config,
      Reference target,
      List<DiskType> types,
      @Nullable RootFileSystem rootfs,
      @Nullable BootLoader bootLoader,
      DiskConfig customizations,
      long size,
      FileAccess access,
      Path output) {
    this(
        source,
        manifest,
        config,
        target,
        types,
        rootfs,
        bootLoader,
        customizations,
        size,
        access,
        output,
        true,
        null,
        null,
        null,
        false);
  }

  /** The same disk with kernel arguments of the image and the user alone, or with settled ids. */
  public DiskRequest with(boolean usualArguments, @Nullable Long seed) {
    return withUsualArguments(usualArguments).withSeed(seed);
  }

  /** Where ids come from. */
  Supplier<UUID> ids() {
    if (seed == null) {
      return UUID::randomUUID;
    }
    SplittableRandom random = new SplittableRandom(seed);
    // Version 4, variant 1 (RFC 9562, section 5.4).
    return () ->
        new UUID(
            (random.nextLong() & ~0xf000L) | 0x4000, (random.nextLong() >>> 2) | Long.MIN_VALUE);
  }

  /**
   * The image.
   *
   * @throws slipway.base.Problem of kind INPUT when no disk is to be made of it
   */
  BootableImage bootable() {
    BootableImage image = image();
    if (foreign) {
      image.requireBootable();
    } else {
      image.check();
    }
    return image;
  }

  BootableImage image() {
    return new BootableImage(null, source, manifest, config, target, cache);
  }
}
