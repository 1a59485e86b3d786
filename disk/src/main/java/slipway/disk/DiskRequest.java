package slipway.disk;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;

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
 */
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
    Path output) {
  public DiskRequest {
    types = List.copyOf(types);
  }

  BootableImage image() {
    return new BootableImage(null, source, manifest, config, target);
  }
}
