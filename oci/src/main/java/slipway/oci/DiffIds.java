package slipway.oci;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.Optional;
import slipway.base.Limit;
import slipway.base.Problem;

/**
 * What the blobs of a store decompress to: a small file each, {@code diff-ids/sha256/HEX} named
 * after the blob, that holds the digest of its uncompressed bytes (image-spec, config.md, "Layer
 * DiffID") and their number. It is found out while a blob comes in and spares reading it again.
 * Written without a sync: a file that a power cut damaged counts as missing.
 */
final class DiffIds {
  private static final int BUFFER = 128 * 1024;

  private final Path directory;

  /**
   * A layer's uncompressed bytes.
   *
   * @param size how many there are
   */
  record Plain(Digest diffId, long size) {
    private static Plain parse(String note) {
      int space = note.indexOf(' ');
      if (space < 0) {
        throw Problem.corrupt("an older note"); // Without a size: it is found out again.
      }
      return new Plain(
          Digest.parse(note.substring(space + 1)), Long.parseLong(note.substring(0, space)));
    }

    /** The digest last: half a note is none. */
    private String note() {
      return size + " " + diffId;
    }
  }

  DiffIds(Path directory) {
    this.directory = directory;
  }

  private Path file(Digest blob) {
    return directory.resolve(blob.algorithm().label()).resolve(blob.hex());
  }

  /** What was noted for a blob. */
  Optional<Plain> find(Digest blob) throws IOException {
    try {
      return Optional.of(Plain.parse(Files.readString(file(blob), StandardCharsets.ISO_8859_1)));
    } catch (NoSuchFileException | NumberFormatException | Problem e) {
      return Optional.empty(); // Unknown, or cut by a power failure: it is found out again.
    }
  }

  /** Notes what somebody found out by reading all of the blob. */
  void put(Digest blob, Plain plain) throws IOException {
    Path file = file(blob);
    Files.createDirectories(java.util.Objects.requireNonNull(file.getParent()));
    Path temporary = Files.createTempFile(file.getParent(), ".", ".tmp");
    try {
      Files.writeString(temporary, plain.note());
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary); // It is there still if something failed.
    }
  }

  /** Forgets blobs that are gone, and what dead writers left. For whoever has the store alone. */
  void sweep(BlobDirectory blobs) throws IOException {
    for (Digest.Algorithm a : Digest.Algorithm.values()) {
      Path own = directory.resolve(a.label());
      if (Files.isDirectory(own)) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(own)) {
          for (Path file : files) {
            Optional<Digest> blob = a.file(file.getFileName().toString());
            if (blob.isEmpty() || !blobs.has(blob.get())) {
              Files.delete(file);
            }
          }
        }
      }
    }
  }

  /**
   * Reads all of a layer and gives what it decompresses to.
   *
   * @param blob its bytes as they are stored; read to the end even when they are damaged, so that a
   *     check of the digest below has its say first
   * @param name for messages: {@code layer 0123…}
   * @throws Problem of kind CORRUPT for damaged data or over {@link Limit#LAYER_BYTES}
   */
  static Plain hash(InputStream blob, Digest.Algorithm algorithm, String name) throws IOException {
    MessageDigest hash = algorithm.newMessageDigest();
    byte[] buffer = new byte[BUFFER];
    long total = 0;
    try (InputStream plain = Compression.decompressAny(new CallersOwn(blob))) {
      for (int n; (n = read(plain, buffer, blob, name)) >= 0; total += n) {
        Limit.LAYER_BYTES.check(total + n, name);
        hash.update(buffer, 0, n);
      }
    }
    drain(blob, buffer);
    return new Plain(Digest.of(algorithm, hash.digest()), total);
  }

  private static int read(InputStream plain, byte[] buffer, InputStream blob, String name)
      throws IOException {
    try {
      return plain.read(buffer);
    } catch (Problem e) {
      if (e.kind() != Problem.Kind.CORRUPT) {
        throw e; // The source failed.
      }
      drain(blob, buffer);
      throw new Problem(e.kind(), name + ": " + e.getMessage(), e);
    }
  }

  private static void drain(InputStream in, byte[] buffer) throws IOException {
    while (in.read(buffer) >= 0) {
      // Only its end matters.
    }
  }

  /** Stays open when the decompressor above it is closed, which frees the memory of that one. */
  private static final class CallersOwn extends FilterInputStream {
    CallersOwn(InputStream in) {
      super(in);
    }

    @Override
    public void close() {
      // Whoever opened it closes it.
    }
  }
}
