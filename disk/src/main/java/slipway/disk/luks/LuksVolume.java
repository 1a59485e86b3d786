package slipway.disk.luks;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.UUID;
import slipway.base.Cleanup;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;

/**
 * A part of a disk image that is encrypted by LUKS2 and opened by a passphrase. What is in it is
 * written first, as if it were not encrypted, behind the room of the header; {@link #seal} then
 * encrypts it where it lies.
 *
 * @param start bytes from the beginning of the disk
 * @param size bytes, with the header; a multiple of 4096
 * @param id of the volume
 */
public record LuksVolume(long start, long size, UUID id) {
  /** Bytes before the payload. */
  public static final long HEADER = 16L << 20;

  private static final int PIECE = 1 << 20;

  /** KiB that opening it takes; cryptsetup would take a GiB, which small machines do not have. */
  private static final int MEMORY = 256 << 10;

  public LuksVolume {
    if (size % XtsSectors.SECTOR != 0 || size <= HEADER) {
      throw new IllegalArgumentException("a LUKS volume of " + size + " bytes");
    }
  }

  /** Where the payload begins, in bytes from the beginning of the disk. */
  public long payload() {
    return start + HEADER;
  }

  /** Bytes of the payload. */
  public long payloadSize() {
    return size - HEADER;
  }

  /**
   * Encrypts the payload and writes the header, whose room holds zeros.
   *
   * @param disk a regular file
   * @param passphrase that opens it, of at least one character
   * @param whole whether holes are encrypted as the zeros that they read as; needed for what counts
   *     on them
   * @param work a folder of this process' own, for a key that is gone when this returns
   * @throws slipway.base.Problem when cryptsetup fails, with its words
   */
  public void seal(Path disk, String passphrase, boolean whole, Path work, Progress progress)
      throws IOException {
    byte[] key = new byte[XtsSectors.KEY_BYTES];
    new SecureRandom().nextBytes(key);
    try {
      encrypt(disk, new XtsSectors(key), whole, progress);
      Path header = header(key, passphrase, work);
      try {
        copyHeader(header, disk);
      } finally {
        Files.delete(header);
      }
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  private void encrypt(Path disk, XtsSectors sectors, boolean whole, Progress progress)
      throws IOException {
    long end = start + size;
    byte[] piece = new byte[PIECE];
    int fd = Posix.open(OsPath.of(disk), Posix.O_RDWR | Posix.O_CLOEXEC, 0);
    try (Progress.Task task = progress.start("encrypting", payloadSize())) {
      for (long at = payload(); at < end; ) {
        Cleanup.checkStopped();
        long from = whole ? at : written(fd, at, end);
        int length = (int) Math.min(PIECE, end - from);
        if (length > 0) {
          Posix.seek(fd, from);
          read(fd, piece, length);
          sectors.encrypt(piece, length, from - payload());
          Posix.seek(fd, from);
          Posix.write(fd, piece, 0, length);
        }
        task.advance(from + length - at);
        at = from + length;
      }
    } finally {
      Posix.close(fd);
    }
  }

  /** The first sector at a place or behind it that was written; the end when there is none. */
  private long written(int fd, long at, long end) throws IOException {
    long data = Posix.seekData(fd, at);
    if (data < 0 || data >= end) {
      return end;
    }
    return data - (data - start) % XtsSectors.SECTOR;
  }

  private static void read(int fd, byte[] target, int length) throws IOException {
    for (int done = 0; done < length; ) {
      int n = Posix.read(fd, target, done, length - done);
      if (n <= 0) {
        throw new IOException("the disk became shorter while it was encrypted");
      }
      done += n;
    }
  }

  /** Makes a volume of that size which holds nothing but the header. */
  private Path header(byte[] key, String passphrase, Path work) throws IOException {
    Path header = work.resolve("luks-header");
    Path keyFile = work.resolve("luks-key");
    try {
      secret(header, new byte[0]);
      secret(keyFile, key);
      try (RandomAccessFile empty = new RandomAccessFile(header.toFile(), "rw")) {
        empty.setLength(size);
      }
      Command.of("cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2")
          .with("--uuid", id.toString(), "--cipher", "aes-xts-plain64")
          .with("--key-size", Integer.toString(key.length * Byte.SIZE))
          .with("--sector-size", Integer.toString(XtsSectors.SECTOR))
          .with("--offset", Long.toString(HEADER / 512))
          .with("--pbkdf", "argon2id", "--pbkdf-memory", Integer.toString(MEMORY))
          .with("--volume-key-file", keyFile.toString(), "--key-file", "-", header.toString())
          .stdin(passphrase)
          .run();
      return header;
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(header);
      throw e;
    } finally {
      Files.deleteIfExists(keyFile);
    }
  }

  private static void secret(Path file, byte[] content) throws IOException {
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.write(file, content);
  }

  /** All but the pieces that are zero, as they are on the disk. */
  private void copyHeader(Path header, Path disk) throws IOException {
    ByteBuffer piece = ByteBuffer.allocate(XtsSectors.SECTOR);
    ByteBuffer zeros = ByteBuffer.allocate(XtsSectors.SECTOR);
    try (FileChannel from = FileChannel.open(header, StandardOpenOption.READ);
        FileChannel to = FileChannel.open(disk, StandardOpenOption.WRITE)) {
      for (long at = 0; at < HEADER; at += XtsSectors.SECTOR) {
        piece.clear();
        while (piece.hasRemaining() && from.read(piece, at + piece.position()) > 0) {
          // Reads on.
        }
        if (!piece.flip().equals(zeros)) {
          while (piece.hasRemaining()) {
            to.write(piece, start + at + piece.position());
          }
        }
      }
    }
  }
}
