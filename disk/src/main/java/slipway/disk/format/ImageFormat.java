package slipway.disk.format;

import java.io.IOException;
import java.nio.file.Path;

/** A format of disk images; the records that implement it hold its options. */
public sealed interface ImageFormat permits Qcow2, StreamVmdk, FixedVhd, GceArchive, Ova {
  /**
   * Writes the image.
   *
   * @param raw the disk, a file whose size is a multiple of 512
   * @param result an empty file, which is the caller's to sync, rename or remove
   */
  void write(Path raw, Path result) throws IOException;
}
