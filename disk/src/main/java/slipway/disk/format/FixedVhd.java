package slipway.disk.format;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.UUID;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.SparseCopy;

/**
 * Microsoft's VHD of fixed size, as Azure takes it: whole MiB, and the size in the footer counts,
 * not that of the geometry.
 *
 * @param id of the disk
 */
public record FixedVhd(UUID id) implements ImageFormat {
  private static final long MIB = 1 << 20;
  private static final int FOOTER = 512;
  private static final int CHECKSUM = 64;
  private static final int FEATURES = 2; // a bit that is always set
  private static final int VERSION = 0x0001_0000;
  private static final int FIXED = 2;

  /**
   * 65535 cylinders of 16 heads of 255 sectors, which says that the size does not come from them:
   * no geometry has just the size of most disks.
   */
  private static final int LARGEST_GEOMETRY = 0xffff_10ff;

  /** By this name QEMU knows a disk whose geometry is not its size. */
  private static final byte[] CREATOR = "qem2".getBytes(US_ASCII);

  @Override
  public void write(Path raw, Path result) throws IOException {
    try (RawDisk disk = RawDisk.open(raw)) {
      int to = Posix.open(OsPath.of(result), Posix.O_WRONLY | Posix.O_CLOEXEC, 0);
      try {
        SparseCopy.copy(disk.descriptor(), to, new byte[1 << 20]);
        long size = Math.ceilDiv(disk.size(), MIB) * MIB;
        Posix.ftruncate(to, size);
        Posix.seek(to, size);
        Posix.write(to, footer(size), 0, FOOTER);
      } finally {
        Posix.close(to);
      }
    }
  }

  private byte[] footer(long size) {
    ByteBuffer footer = ByteBuffer.allocate(FOOTER);
    footer.put("conectix".getBytes(US_ASCII)).putInt(FEATURES).putInt(VERSION);
    footer.putLong(-1).putInt(0); // no table follows; no time
    footer.put(CREATOR).putInt(0x0005_0003).put("Wi2k".getBytes(US_ASCII));
    footer.putLong(size).putLong(size);
    footer.putInt(LARGEST_GEOMETRY);
    footer.putInt(FIXED).putInt(0);
    footer.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
    int sum = 0;
    for (byte b : footer.array()) {
      sum += b & 0xff;
    }
    return footer.putInt(CHECKSUM, ~sum).array();
  }
}
