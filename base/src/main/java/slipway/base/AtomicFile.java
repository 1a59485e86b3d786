package slipway.base;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file that appears whole or not at all: written beside its final name, synced, renamed, and the
 * directory synced. The rename in {@link #commit()} is the commit point; {@link #close()} before it
 * removes the temporary file. The one failure behind it is told apart: {@link NotSynced}.
 *
 * <p>A kill or a power cut leaves the temporary file. It goes when the file is written again more
 * than a day later, or by one of the {@code sweep} methods.
 */
public final class AtomicFile implements AutoCloseable {
  /** What {@link #create} makes: a dot, the name of the file, a random number in hex. */
  private static final Pattern TEMPORARY = Pattern.compile("\\.(.+)\\.[0-9a-f]{1,16}\\.tmp");

  /** Nobody writes a file for so long without a change of its time. */
  private static final Duration OLD = Duration.ofDays(1);

  private static final Instant FAR_FUTURE = Instant.MAX;

  private final Path target;
  private final Path temporary;
  private final FileChannel channel;
  private final OutputStream out;
  private final Cleanup cleanup;

  /**
   * The file is in its place and everybody sees it, but a power cut may bring back what was there
   * before. Who takes failures for "nothing happened" must not take this one so.
   */
  public static final class NotSynced extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * @param file that was put in its place
     */
    public NotSynced(Path file, IOException cause) {
      super(
          file
              + " is written, but its directory could not be synced, so that a power cut may undo"
              + " it: "
              + cause.getMessage(),
          cause);
    }
  }

  /** Makes names in an open directory durable. */
  @FunctionalInterface
  interface Sync {
    void sync(FileChannel directory) throws IOException;
  }

  private AtomicFile(Path target, Path temporary, FileChannel channel) {
    this.target = target;
    this.temporary = temporary;
    this.channel = channel;
    this.out = new BufferedOutputStream(new Content(), 64 * 1024);
    this.cleanup = Cleanup.register("the file " + temporary, () -> Files.deleteIfExists(temporary));
  }

  /**
   * Opens a temporary file next to {@code target}, mode 0644, creating missing parent directories.
   */
  public static AtomicFile create(Path target) throws IOException {
    return create(target, "rw-r--r--");
  }

  /**
   * Opens a temporary file next to {@code target} with the given permissions, so that a secret is
   * never readable by others, not even for a moment.
   *
   * @param permissions as in {@code rw-------}
   */
  public static AtomicFile create(Path target, String permissions) throws IOException {
    Path absolute = target.toAbsolutePath();
    Path temporary = temporaryOf(absolute);
    Files.createDirectories(Objects.requireNonNull(temporary.getParent()));
    sweepOldOf(absolute);
    FileChannel channel =
        FileChannel.open(
            temporary,
            java.util.Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString(permissions));
      return new AtomicFile(absolute, temporary, channel);
    } catch (IOException | RuntimeException e) {
      channel.close();
      Files.deleteIfExists(temporary);
      throw e;
    }
  }

  /**
   * An unused name beside a file, for what is made by other means and then put in its place by
   * {@link #rename}. What a crash leaves there goes as a temporary file of this class does.
   */
  public static Path temporaryOf(Path target) {
    Path absolute = target.toAbsolutePath();
    String random = Long.toHexString(ThreadLocalRandom.current().nextLong());
    return absolute.resolveSibling("." + absolute.getFileName() + "." + random + ".tmp");
  }

  /** Whether a file's name is one of a temporary file of this class. */
  public static boolean isTemporary(Path file) {
    return TEMPORARY.matcher(String.valueOf(file.getFileName())).matches();
  }

  /**
   * Removes the temporary files of dead writers in a folder that holds files of ours alone, and
   * that nobody else writes to at this moment, as under a lock. A missing folder has none.
   */
  public static void sweep(Path folder) throws IOException {
    sweep(folder, name -> true, FAR_FUTURE);
  }

  /** As {@link #sweep}, only those of one file, so that the folder may be everybody's. */
  public static void sweepOf(Path target) throws IOException {
    Path absolute = target.toAbsolutePath();
    String own = String.valueOf(absolute.getFileName());
    sweep(Objects.requireNonNull(absolute.getParent()), own::equals, FAR_FUTURE);
  }

  /** As {@link #sweep}, only those that are older than a day, so that others may write too. */
  public static void sweepOld(Path folder) throws IOException {
    sweep(folder, name -> true, Instant.now().minus(OLD));
  }

  /** That they stay harms nothing that is written now. */
  private static void sweepOldOf(Path target) {
    try {
      String own = String.valueOf(target.getFileName());
      Path folder = Objects.requireNonNull(target.getParent());
      sweep(folder, own::equals, Instant.now().minus(OLD));
    } catch (IOException | DirectoryIteratorException e) {
      // Such as of a folder that may be written and not be read.
    }
  }

  private static void sweep(Path folder, Predicate<String> of, Instant before) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (DirectoryStream<Path> list = Files.newDirectoryStream(folder, ".*.tmp")) {
      for (Path file : list) {
        Matcher name = TEMPORARY.matcher(file.getFileName().toString());
        if (name.matches() && of.test(name.group(1)) && isOlder(file, before)) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  private static boolean isOlder(Path file, Instant before) throws IOException {
    try {
      BasicFileAttributes found =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return found.isRegularFile() && found.lastModifiedTime().toInstant().isBefore(before);
    } catch (NoSuchFileException e) {
      return false; // Its own writer has put it in its place.
    }
  }

  /** Writes a small file whole and durably. */
  public static void write(Path target, byte[] content) throws IOException {
    try (AtomicFile file = create(target)) {
      file.out().write(content);
      file.commit();
    }
  }

  /** Writes a small UTF-8 text file whole and durably. */
  public static void write(Path target, String content) throws IOException {
    write(target, content.getBytes(StandardCharsets.UTF_8));
  }

  /** Writes to a descriptor fail without the name of the file. */
  private IOException named(IOException e) {
    String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    IOException named = new FileSystemException(target.toString(), null, reason);
    named.initCause(e);
    return named;
  }

  private final class Content extends OutputStream {
    private final OutputStream file = Channels.newOutputStream(channel);

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        file.write(bytes, offset, length);
      } catch (IOException e) {
        throw named(e);
      }
    }
  }

  /** The buffered stream to write to; closing it is not needed. */
  public OutputStream out() {
    return out;
  }

  /** The temporary file's path, for tools that write by name. */
  public Path temporary() {
    return temporary;
  }

  /**
   * Flushes, syncs and renames into place: the commit point.
   *
   * @throws NotSynced when the file is in its place and may not be durable; with any other failure
   *     nothing has changed
   */
  public void commit() throws IOException {
    commit(directory -> directory.force(true));
  }

  /** As above, with the sync of the directory. */
  void commit(Sync sync) throws IOException {
    out.flush();
    try {
      channel.force(true);
      channel.close();
    } catch (IOException e) {
      throw named(e);
    }
    rename(temporary, target, cleanup::keep, sync);
  }

  /**
   * Renames a file that is whole and synced to its place, in place of what is there, and syncs the
   * directory.
   *
   * @throws NotSynced as {@link #commit()}
   */
  public static void rename(Path from, Path to) throws IOException {
    rename(from, to.toAbsolutePath(), () -> {}, directory -> directory.force(true));
  }

  private static void rename(Path from, Path to, Runnable renamed, Sync sync) throws IOException {
    // Opened before, so that a lack of descriptors is not found out behind the rename.
    FileChannel directory =
        FileChannel.open(Objects.requireNonNull(to.getParent()), StandardOpenOption.READ);
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException | RuntimeException e) {
      directory.close();
      throw e;
    }
    renamed.run();
    try (directory) {
      sync.sync(directory);
    } catch (IOException e) {
      throw new NotSynced(to, e);
    }
  }

  /** Syncs a directory, so that names made in it survive a power cut. */
  public static void syncDirectory(Path directory) throws IOException {
    try (FileChannel d = FileChannel.open(directory, StandardOpenOption.READ)) {
      d.force(true);
    }
  }

  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      cleanup.close();
    }
  }
}
