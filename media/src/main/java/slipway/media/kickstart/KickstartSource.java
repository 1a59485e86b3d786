package slipway.media.kickstart;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;

/**
 * Reads a kickstart file and the files that it includes: regular ones beneath its folder only, and
 * no more of all of them than {@link Limit#SMALL_FILE_BYTES}.
 */
final class KickstartSource {
  /** Where included files may lie; null when none may. */
  private final @Nullable Path folder;

  private long left = Limit.SMALL_FILE_BYTES.value();

  /**
   * The text of a file.
   *
   * @param path beneath the folder; empty for the first file
   */
  record Text(String name, String path, String text) {}

  KickstartSource(@Nullable Path folder) {
    this.folder = folder;
  }

  /** Reads the file that a user named. */
  static Text main(Path file) throws IOException {
    String shown = Printable.text(file.toString());
    if (Files.notExists(file)) {
      throw Problem.notFound(shown + " does not exist");
    }
    if (!Files.isRegularFile(file)) {
      throw Problem.usage(
          shown + " is not a regular file; give - to have standard input read instead");
    }
    try (InputStream in = Files.newInputStream(file)) {
      return main(file.toString(), in);
    }
  }

  /** As {@link #main(Path)}; what it includes lies beneath a folder that is not its own. */
  static Text main(Path file, Path folder) throws IOException {
    Text text = main(file);
    Path path = folder.toAbsolutePath().normalize().relativize(file.toAbsolutePath().normalize());
    return new Text(text.name(), path.toString(), text.text());
  }

  static Text main(String name, InputStream in) throws IOException {
    return new Text(name, "", decode(Limit.SMALL_FILE_BYTES.read(in, Printable.text(name)), name));
  }

  /** Counts what was read. */
  void took(Text text) {
    left -= text.text().length();
  }

  /**
   * Reads an included file.
   *
   * @param target as the file says it
   * @param from the path of the file that includes it, beneath the folder
   * @return nothing when there is no such file beneath the folder
   * @throws Problem when it is no regular file, leads out, is too large or is not UTF-8
   */
  Optional<Text> include(String target, String from) throws IOException {
    if (folder == null || target.indexOf('\0') >= 0) {
      return Optional.empty();
    }
    String path;
    try {
      path = beneath(target, from);
    } catch (InvalidPathException e) {
      // The locale has no such character, so there is no such file.
      return Optional.empty();
    }
    if (path == null) {
      return Optional.empty();
    }
    String name = Printable.text(target);
    Optional<byte[]> bytes =
        RootedFile.read(OsPath.of(folder), OsPath.of(path), RootedFile.Links.BENEATH, name);
    if (bytes.isEmpty()) {
      return Optional.empty();
    }
    left -= bytes.get().length;
    if (left < 0) {
      throw Limit.SMALL_FILE_BYTES.exceeded("the file with all that it includes");
    }
    String shown = folder.resolve(path).toString();
    return Optional.of(new Text(shown, path, decode(bytes.get(), target)));
  }

  /** The path beneath the folder, or null when it lies elsewhere. */
  private @Nullable String beneath(String target, String from) {
    Path root = Path.of("/");
    String inside = target;
    if (target.startsWith("/")) {
      Path absolute = Path.of(target).normalize();
      Path real = folder == null ? root : folder.toAbsolutePath().normalize();
      if (!absolute.startsWith(real) || absolute.equals(real)) {
        return null;
      }
      return real.relativize(absolute).toString();
    }
    int slash = from.lastIndexOf('/');
    if (slash >= 0) {
      inside = from.substring(0, slash + 1) + target;
    }
    Path normal = Path.of(inside).normalize();
    return normal.startsWith("..") || normal.toString().isEmpty() ? null : normal.toString();
  }

  /** Text of bytes that must be UTF-8. */
  private static String decode(byte[] bytes, String name) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(in)
          .toString();
    } catch (CharacterCodingException e) {
      int line = 1;
      for (int i = 0; i < in.position(); i++) {
        line += bytes[i] == '\n' ? 1 : 0;
      }
      throw new Problem(
          Problem.Kind.INPUT,
          Printable.text(name)
              + ":"
              + line
              + ": a byte that is not UTF-8; write the file in that encoding",
          e);
    }
  }
}
