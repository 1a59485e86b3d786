package slipway.disk.ext4;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import slipway.base.Problem;

/** The region that a file system is written to, and its blocks, given out one after another. */
final class Volume {
  private static final int BUFFER = 1 << 20;

  private final FileChannel file;
  private final long offset;
  private final Geometry geometry;

  /** Blocks before it are in use; those behind it are free unless an area has them. */
  private long next;

  /** The first area that ends behind {@link #next}. */
  private int area;

  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
  private long bufferStart;

  Volume(FileChannel file, long offset, Geometry geometry) {
    this.file = file;
    this.offset = offset;
    this.geometry = geometry;
  }

  /** A block that nobody has yet. */
  long take() {
    while (area < geometry.areas.size() && next >= geometry.areas.get(area).start()) {
      next = Math.max(next, geometry.areas.get(area).end());
      area++;
    }
    if (next >= geometry.blocks) {
      throw Problem.corrupt("a file grew while it was written to a file system; leave it alone");
    }
    return next++;
  }

  /** All blocks before it are in use. */
  long end() {
    return next;
  }

  /** Takes a block and fills it, in time. */
  long append(byte[] bytes, int from) throws IOException {
    long block = take();
    fill(block, bytes, from);
    return block;
  }

  /** Fills a block that was taken, in time. */
  void fill(long block, byte[] bytes, int from) throws IOException {
    boolean follows = block == bufferStart + buffer.position() / Format.BLOCK;
    if (!follows || !buffer.hasRemaining()) {
      flush();
      bufferStart = block;
    }
    buffer.put(bytes, from, Format.BLOCK);
  }

  void flush() throws IOException {
    buffer.flip();
    write(bufferStart * Format.BLOCK, buffer);
    buffer.clear();
  }

  /** Writes at a place that is known, at once. */
  void put(long block, byte[] bytes) throws IOException {
    write(block * Format.BLOCK, ByteBuffer.wrap(bytes));
  }

  void write(long at, ByteBuffer bytes) throws IOException {
    long position = offset + at;
    while (bytes.hasRemaining()) {
      position += file.write(bytes, position);
    }
  }
}
