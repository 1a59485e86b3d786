package slipway.ostree.repo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.linux.posix.Posix;
import slipway.ostree.object.Checksum;

/** The files below {@code refs}: a checksum and a line break in each. */
final class Refs {
  private static final Pattern NAME = Pattern.compile("[-._\\w]+(/[-._\\w]+)*");
  private static final int MAX_FILE = 4096;

  private final Path refs;

  Refs(Path repository) {
    refs = repository.resolve("refs");
  }

  /**
   * @throws Problem of kind INPUT for a name that ostree does not accept
   */
  static String validate(String name) {
    if (NAME.matcher(name).matches()) {
      boolean dots = false;
      for (String part : name.split("/", -1)) {
        dots |= part.equals(".") || part.equals("..");
      }
      if (!dots) {
        return name;
      }
    }
    throw Problem.input(
        "\"" + name + "\" is not a ref name; use letters, digits, and . _ - between slashes");
  }

  /** A local ref, or one of a remote as {@code remote:name}. */
  Optional<Checksum> resolve(String name) throws IOException {
    return read(file(name));
  }

  private Path file(String name) {
    int colon = name.indexOf(':');
    return colon < 0
        ? refs.resolve("heads").resolve(validate(name))
        : refs.resolve("remotes")
            .resolve(validate(name.substring(0, colon)))
            .resolve(validate(name.substring(colon + 1)));
  }

  /** Removes a ref, named as for {@link #resolve}; durable when it returns. */
  void remove(String name) throws IOException {
    Path file = file(name);
    if (Files.deleteIfExists(file)) {
      AtomicFile.syncDirectory(java.util.Objects.requireNonNull(file.getParent()));
    }
  }

  private static Optional<Checksum> read(Path file) throws IOException {
    try {
      if (!Files.isRegularFile(file)) {
        return Optional.empty();
      }
      if (Files.size(file) > MAX_FILE) {
        throw Problem.corrupt("the ref file " + file + " does not hold a checksum");
      }
      String text = Files.readString(file).strip();
      if (!Checksum.isChecksum(text)) {
        throw Problem.corrupt("the ref file " + file + " does not hold a checksum");
      }
      return Optional.of(new Checksum(text));
    } catch (NoSuchFileException | NotDirectoryException e) {
      return Optional.empty();
    }
  }

  /** Local refs whose name is {@code prefix} or lies below it. */
  SortedMap<String, Checksum> local(String prefix) throws IOException {
    SortedMap<String, Checksum> found = new TreeMap<>();
    collect(refs.resolve("heads"), "", found);
    if (!prefix.isEmpty()) {
      String below = prefix.endsWith("/") ? prefix : prefix + "/";
      found.keySet().removeIf(name -> !name.equals(prefix) && !name.startsWith(below));
    }
    return found;
  }

  /** When the file of a local ref was written, or touched; nothing for one that is not there. */
  Optional<Instant> time(String name) throws IOException {
    try {
      return Optional.of(Files.getLastModifiedTime(file(name)).toInstant());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /** Gives the file of a local ref the time that it is now. */
  void touch(String name) throws IOException {
    Posix.touch(slipway.linux.posix.OsPath.of(file(name)));
  }

  /** All refs: local ones, mirrors' and remotes'; for deciding what is alive. */
  SortedMap<String, Checksum> all() throws IOException {
    SortedMap<String, Checksum> found = new TreeMap<>();
    collect(refs, "", found);
    return found;
  }

  private static void collect(Path directory, String prefix, SortedMap<String, Checksum> found)
      throws IOException {
    if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> entries = Files.list(directory)) {
      for (Path entry : entries.toList()) {
        String name = prefix + entry.getFileName();
        if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
          collect(entry, name + "/", found);
        } else {
          read(entry).ifPresent(checksum -> found.put(name, checksum));
        }
      }
    }
  }

  /**
   * Sets or removes a local ref; durable when it returns. The rename is what readers see.
   *
   * @param temporary a file to write first, on the same file system but not below refs, where a
   *     leftover would count as a ref
   */
  void write(String name, @Nullable Checksum commit, Path temporary) throws IOException {
    Path file = refs.resolve("heads").resolve(validate(name));
    Path directory = java.util.Objects.requireNonNull(file.getParent());
    if (commit == null) {
      remove(name);
      return;
    }
    try {
      Files.createDirectories(directory);
    } catch (java.nio.file.FileAlreadyExistsException e) {
      throw new Problem(
          Problem.Kind.INPUT, "cannot set the ref " + name + ": " + e.getFile() + " is a ref", e);
    }
    if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS) && !removeEmpty(file)) {
      throw Problem.input("cannot set the ref " + name + ": there are refs below it");
    }
    FileSink.write(
        slipway.linux.posix.OsPath.of(temporary),
        0644,
        (commit.hex() + "\n").getBytes(UTF_8),
        true);
    AtomicFile.rename(temporary, file);
  }

  /** Removes a directory in which refs were; false when there are some. */
  private static boolean removeEmpty(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      for (Path entry : entries.toList()) {
        if (!Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS) || !removeEmpty(entry)) {
          return false;
        }
      }
    }
    Files.delete(directory);
    return true;
  }

  private static final java.nio.charset.Charset UTF_8 = java.nio.charset.StandardCharsets.UTF_8;
}
