package slipway.disk;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.regex.Pattern;
import slipway.archive.compress.Compression;
import slipway.base.Cleanup;
import slipway.base.FullDisk;
import slipway.base.Problem;
import slipway.disk.plan.DiskPlan;
import slipway.linux.posix.Posix;
import slipway.linux.posix.UnixException;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;

/**
 * Room for a disk: on the file systems where it is made, and on its own. The file of a disk is
 * sparse and written through loop devices, which turn a full file system beneath them into errors
 * of input and output somewhere; so a failure looks here for its reason.
 *
 * @param source where the image's layers are read from
 * @param image to be put on the disk
 * @param output folder of the disk's file
 * @param grows whether a larger disk can be asked for
 */
record DiskSpace(ImageSource source, Manifest.Image image, Path output, boolean grows) {
  private static final long MIB = 1L << 20;

  /** Of a disk without content there are tables, journals and GRUB; each takes more than this. */
  private static final long LEAST = 8 * MIB;

  /** What those take about. */
  private static final long USUAL = 128 * MIB;

  /** With less than this left a file system is why something failed. */
  private static final long FULL = 32 * MIB;

  /** What the file systems of a disk say when its file can take no more. */
  private static final Pattern NOT_WRITTEN =
      Pattern.compile("Input/output error|Read-only file system|Structure needs cleaning");

  /**
   * Refuses at once what cannot end well.
   *
   * @throws Problem of kind FULL when not even the layers as they are stored would fit
   */
  void require() {
    long least = LEAST + image.layers().stream().mapToLong(Descriptor::size).sum();
    if (free(output) < least) {
      throw Problem.full(
          "the file system of %s has %d MiB left, and a disk of this image takes at least %d MiB; %s"
              .formatted(output, free(output) / MIB, up(least), remedy()));
    }
  }

  private String remedy() {
    return "free some space there, or name another "
        + (grows ? "folder by --output" : "file, on another one");
  }

  /** Bytes that nobody has taken; root may take what is kept from others. */
  private static long free(Path folder) {
    File file = folder.toFile();
    return Posix.geteuid() == 0 ? file.getFreeSpace() : file.getUsableSpace();
  }

  private static long up(long bytes) {
    return (bytes + MIB - 1) / MIB;
  }

  /**
   * Says of a failure that it was for want of room where the disk is made, if it was.
   *
   * @param scratch folder of small temporary files
   * @return the failure itself, or what is to be told instead
   */
  Exception explained(Exception failure, Path scratch) {
    if (Cleanup.isStopped() || isFull(failure) || !isOfWriting(failure)) {
      return failure;
    }
    if (free(output) < FULL) {
      return new Problem(
          Problem.Kind.FULL,
          "the file system of %s is full: a disk of this image takes about %d MiB while it is made; %s"
              .formatted(output, up(taken()), remedy()),
          failure);
    }
    if (free(scratch) < FULL) {
      return new Problem(
          Problem.Kind.FULL,
          "the file system of %s, where temporary files go, is full: they take about %d MiB; free some space there, or name another folder by TMPDIR"
              .formatted(scratch.getParent(), up(FULL)),
          failure);
    }
    return failure;
  }

  /** Throws what is to be told of a failure. */
  static RuntimeException thrown(Exception e) throws IOException {
    switch (e) {
      case IOException io -> throw io;
      case RuntimeException r -> throw r;
      default -> throw new IllegalStateException(e);
    }
  }

  /** Whether it is said already what is full. */
  private static boolean isFull(Exception failure) {
    return failure instanceof Problem p && p.kind() == Problem.Kind.FULL;
  }

  /** Whether something could not be written, in our own words or in those of a tool. */
  private static boolean isOfWriting(Exception failure) {
    for (Throwable at = failure; at != null; at = at.getCause()) {
      String text = String.valueOf(at.getMessage());
      if ((at instanceof IOException || at instanceof Problem)
          && (FullDisk.isSaidIn(text) || NOT_WRITTEN.matcher(text).find())) {
        return true;
      }
    }
    return false;
  }

  /**
   * Says of a failure that it was for want of room on the disk itself, if it was.
   *
   * @param root where the disk's root is mounted
   * @param least bytes that its plan wanted for the root
   * @return the failure itself, or what is to be told instead
   */
  Exception explained(Exception failure, DiskPlan plan, Path root, long least) {
    if (Cleanup.isStopped() || !isFull(failure, root)) {
      return failure;
    }
    // Twice, because an upgrade needs the old and the new image.
    long wanted = DiskPlan.sizeFor(Math.max(least, 2 * content() + USUAL));
    return new Problem(
        Problem.Kind.FULL,
        "the image does not fit on a disk of %d MiB, whose root has %d MiB; %s %dM or more"
            .formatted(
                plan.size() / MIB,
                plan.root().size() / MIB,
                grows ? "give --size" : "it takes a disk of",
                (wanted > plan.size() ? wanted : 2 * plan.size()) / MIB),
        failure);
  }

  /**
   * Says of the failure of a user's build, whose files are put together in a folder, that it was
   * for want of room there or on the disk itself, if it was.
   *
   * @return the failure itself, or what is to be told instead
   */
  Exception explainedFiles(Exception failure, DiskPlan plan, Path folder, long least) {
    boolean isHere = !isFull(failure) && isOfWriting(failure) && free(folder) < FULL;
    if (!isHere || Cleanup.isStopped()) {
      return explained(failure, plan, folder, least);
    }
    return new Problem(
        Problem.Kind.FULL,
        "the file system of %s, where the disk's files are put together, is full: they take about %d MiB; free some space there, or name another folder by TMPDIR"
            .formatted(folder.getParent(), up(content())),
        failure);
  }

  /** ENOSPC alone is said of extended attributes that are too large, too. */
  private static boolean isFull(Exception failure, Path root) {
    for (Throwable at = failure; at != null; at = at.getCause()) {
      if (at instanceof Problem p && p.kind() == Problem.Kind.FULL) {
        return true;
      }
      if (at instanceof UnixException u && u.errno() == UnixException.ENOSPC) {
        return root.toFile().getUsableSpace() < root.toFile().getTotalSpace() / 50;
      }
    }
    return false;
  }

  private long taken() {
    long stored = image.layers().stream().mapToLong(Descriptor::size).sum();
    return Math.max(content(), stored) + stored + USUAL;
  }

  /** Bytes of all layers, unpacked; those that cannot be read count as nothing. */
  private long content() {
    long total = 0;
    byte[] buffer = new byte[128 * 1024];
    for (Descriptor layer : image.layers()) {
      try (InputStream plain = Compression.decompressAny(source.blob(layer, 0))) {
        for (int n; (n = plain.read(buffer)) >= 0; ) {
          total += n;
          Cleanup.checkStopped();
        }
      } catch (IOException | Problem e) {
        // Only for a figure in a sentence about another failure.
      }
    }
    return total;
  }
}
