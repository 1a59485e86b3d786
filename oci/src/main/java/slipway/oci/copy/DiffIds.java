package slipway.oci.copy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.function.Predicate;
import slipway.base.Problem;
import slipway.oci.model.Digest;

/**
 * What the blobs of a store decompress to: a small file each, {@code diff-ids/sha256/HEX} named
 * after the blob, that holds the digest of its uncompressed bytes (image-spec, config.md, "Layer
 * DiffID") and their number. It is found out while a blob comes in and spares reading it again.
 * Written without a sync: a file that a power cut damaged counts as missing.
 */
public final class DiffIds {
  private final Path directory;

  public DiffIds(Path directory) {
    this.directory = directory;
  }

  private Path file(Digest blob) {
    return directory.resolve(blob.algorithm().label()).resolve(blob.hex());
  }

  /** What was noted for a blob. */
  public Optional<PlainLayer.Sum> find(Digest blob) throws IOException {
    try {
      return Optional.of(parse(Files.readString(file(blob), StandardCharsets.ISO_8859_1)));
    } catch (NoSuchFileException | NumberFormatException | Problem e) {
      return Optional.empty(); // Unknown, or cut by a power failure: it is found out again.
    }
  }

  /** Notes what somebody found out by reading all of the blob. */
  public void put(Digest blob, PlainLayer.Sum plain) throws IOException {
    Path file = file(blob);
    Files.createDirectories(java.util.Objects.requireNonNull(file.getParent()));
    Path temporary = Files.createTempFile(file.getParent(), ".", ".tmp");
    try {
      Files.writeString(temporary, note(plain));
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary); // It is there still if something failed.
    }
  }

  /** Forgets blobs that are gone, and what dead writers left. For whoever has the store alone. */
  public void sweep(Predicate<Digest> kept) throws IOException {
    for (Digest.Algorithm a : Digest.Algorithm.values()) {
      Path own = directory.resolve(a.label());
      if (Files.isDirectory(own)) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(own)) {
          for (Path file : files) {
            Optional<Digest> blob = a.file(file.getFileName().toString());
            if (blob.isEmpty() || !kept.test(blob.get())) {
              Files.delete(file);
            }
          }
        }
      }
    }
  }

  private static PlainLayer.Sum parse(String note) {
    int space = note.indexOf(' ');
    if (space < 0) {
      throw Problem.corrupt("an older note"); // Without a size: it is found out again.
    }
    return new PlainLayer.Sum(
        Digest.parse(note.substring(space + 1)), Long.parseLong(note.substring(0, space)));
  }

  /** The digest last: half a note is none. */
  private static String note(PlainLayer.Sum plain) {
    return plain.size() + " " + plain.diffId();
  }

  /**
   * Reads all of a layer and gives what it decompresses to.
   *
   * @param blob as {@link PlainLayer} has it
   * @param name for messages: {@code layer 0123…}
   * @throws Problem of kind CORRUPT for damaged data or over {@link slipway.base.Limit#LAYER_BYTES}
   */
  public static PlainLayer.Sum hash(InputStream blob, Digest.Algorithm algorithm, String name)
      throws IOException {
    try (PlainLayer plain = new PlainLayer(blob, algorithm, name)) {
      return plain.finish();
    }
  }
}
