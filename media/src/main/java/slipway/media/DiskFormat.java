package slipway.media;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import slipway.base.Printable;
import slipway.base.Problem;

/**
 * How a disk image is laid out. It is never guessed from what a guest can write: one that put the
 * header of another format onto its disk would choose which files of this machine QEMU opens.
 */
public enum DiskFormat {
  RAW,
  QCOW2;

  /** Field offsets and flags of a qcow2 header (QEMU, docs/interop/qcow2). */
  private static final int MAGIC = 0x514649fb;

  private static final int BACKING_OFFSET = 8;
  private static final int BACKING_SIZE = 16;
  private static final int SIZE = 24;
  private static final int INCOMPATIBLE = 72;
  private static final int HEADER = 104;
  private static final long EXTERNAL_DATA = 4;
  private static final int NAME_LIMIT = 1023;

  /** QEMU's word. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * What a file's name says.
   *
   * @throws Problem of kind USAGE when that is nothing
   */
  public static DiskFormat of(Path disk) {
    String name = String.valueOf(disk.getFileName()).toLowerCase(Locale.ROOT);
    if (name.endsWith(".qcow2")) {
      return QCOW2;
    }
    if (name.endsWith(".raw") || name.endsWith(".img")) {
      return RAW;
    }
    throw Problem.usage(
        "the name "
            + Printable.text(disk.toString())
            + " does not tell the format of the disk; give --format raw or --format qcow2");
  }

  /**
   * Refuses what is no file, or one that this user may not read.
   *
   * @throws Problem that names the file and says which of it
   */
  public static void requireReadable(Path disk) {
    String shown = Printable.text(disk.toString());
    if (Files.notExists(disk)) {
      throw Problem.notFound("there is no disk image " + shown);
    }
    if (Files.isDirectory(disk)) {
      throw Problem.usage(shown + " is a folder; name the disk image in it");
    }
    if (!Files.isReadable(disk)) {
      throw Problem.denied(
          "permission denied: the disk image " + shown + "; disks are for their owner, try sudo");
    }
    if (!Files.isRegularFile(disk)) {
      throw Problem.input(shown + " is no disk image but a device or the like");
    }
  }

  /**
   * Refuses what cannot be read as this format, and an image that is not whole in its one file.
   *
   * @throws Problem that names the file
   */
  void check(Path disk) throws IOException {
    String shown = Printable.text(disk.toString());
    requireReadable(disk);
    if (this == RAW) {
      return;
    }
    byte[] bytes = Arrays.copyOf(begin(disk, HEADER), HEADER);
    ByteBuffer header = ByteBuffer.wrap(bytes);
    if (header.getInt(0) != MAGIC) {
      throw Problem.input(shown + " is no qcow2 image; give --format raw if it is a raw one");
    }
    long backing = header.getLong(BACKING_OFFSET);
    if (backing != 0) {
      throw Problem.input(
          shown
              + " is laid over another file"
              + backingName(disk, backing, header.getInt(BACKING_SIZE))
              + ", which a guest could have chosen; if you made it so, join them with"
              + " qemu-img convert -O qcow2 and run the result");
    }
    boolean external = header.getInt(4) >= 3 && (header.getLong(INCOMPATIBLE) & EXTERNAL_DATA) != 0;
    if (external) {
      throw Problem.input(
          shown
              + " keeps its data in another file, which a guest could have chosen; if you made it"
              + " so, join them with qemu-img convert -O qcow2 and run the result");
    }
  }

  /** Bytes that a guest sees. */
  long size(Path disk) throws IOException {
    return this == RAW
        ? Files.size(disk)
        : ByteBuffer.wrap(Arrays.copyOf(begin(disk, HEADER), HEADER)).getLong(SIZE);
  }

  private static byte[] begin(Path disk, int bytes) throws IOException {
    try (InputStream in = Files.newInputStream(disk)) {
      return in.readNBytes(bytes);
    }
  }

  private static String backingName(Path disk, long offset, int size) throws IOException {
    if (offset < 0 || size <= 0 || size > NAME_LIMIT) {
      return "";
    }
    try (InputStream in = Files.newInputStream(disk)) {
      in.skipNBytes(offset);
      String name = new String(in.readNBytes(size), StandardCharsets.UTF_8);
      return " (" + Printable.text(name) + ")";
    } catch (java.io.EOFException e) {
      return "";
    }
  }
}
