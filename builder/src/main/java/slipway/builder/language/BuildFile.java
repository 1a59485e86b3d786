package slipway.builder.language;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;

/**
 * Reads the small files that tell a build what to do: the Containerfile and what it ignores. One of
 * the context is a stranger's, who may have put a link, a pipe or a device in its place; one that
 * the user named elsewhere may be all of that.
 */
public final class BuildFile {
  private BuildFile() {}

  /**
   * The text of a file.
   *
   * @param context the context, a directory
   * @return nothing when there is no such file
   * @throws Problem when it is in the context and no regular file or a link that leads out; when it
   *     is too large or not UTF-8
   */
  public static Optional<String> read(Path context, Path file) throws IOException {
    Optional<OsPath> inside = inside(context, file);
    Optional<byte[]> bytes =
        inside.isPresent()
            ? RootedFile.read(
                OsPath.of(context), inside.get(), RootedFile.Links.BENEATH, file.toString())
            : named(file);
    return bytes.map(b -> text(b, file));
  }

  /** The path from the context on, by its name or by what its directory really is. */
  private static Optional<OsPath> inside(Path context, Path file) throws IOException {
    Path root = context.toAbsolutePath().normalize();
    Path path = file.toAbsolutePath().normalize();
    Path directory = path.getParent();
    if (!path.startsWith(root) && directory != null && Files.isDirectory(directory)) {
      root = context.toRealPath();
      path = directory.toRealPath().resolve(path.getFileName());
    }
    return path.startsWith(root) && !path.equals(root)
        ? Optional.of(OsPath.of(root.relativize(path)))
        : Optional.empty();
  }

  private static Optional<byte[]> named(Path file) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    if (Files.isDirectory(file)) {
      throw Problem.input(file + " is a directory, not a file");
    }
    try (InputStream in = Files.newInputStream(file)) {
      return Optional.of(Limit.SMALL_FILE_BYTES.read(in, file.toString()));
    }
  }

  private static String text(byte[] bytes, Path file) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Problem(Problem.Kind.INPUT, file + " is not UTF-8 text", e);
    }
  }
}
