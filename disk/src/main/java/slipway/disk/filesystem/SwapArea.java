package slipway.disk.filesystem;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.UUID;
import slipway.disk.plan.DiskPlan;

/**
 * Room for swapping, as mkswap(8) makes it for pages of 4096 bytes (Linux, include/linux/swap.h):
 * one page that says so, of which the first 1024 bytes are left to boot loaders.
 */
public final class SwapArea {
  private static final int PAGE = 4096;
  private static final int HEADER = 1024;
  private static final int VERSION = 1;
  private static final byte[] MAGIC = "SWAPSPACE2".getBytes(StandardCharsets.US_ASCII);

  private SwapArea() {}

  /**
   * Writes it into a partition.
   *
   * @param label at most 15 bytes
   */
  public static void write(Path disk, DiskPlan.Part part, String label) throws IOException {
    ByteBuffer page = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
    page.position(HEADER);
    page.putInt(VERSION);
    // The kernel counts pages in 32 bits; more of a partition is not used.
    page.putInt((int) Math.min(part.size() / PAGE - 1, 0xffff_ffffL));
    page.putInt(0); // bad pages
    page.order(ByteOrder.BIG_ENDIAN);
    UUID id = part.filesystem();
    page.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
    page.put(label.getBytes(StandardCharsets.UTF_8));
    page.position(PAGE - MAGIC.length).put(MAGIC);
    try (RandomAccessFile out = new RandomAccessFile(disk.toFile(), "rw")) {
      out.seek(part.start());
      out.write(page.array());
    }
  }
}
