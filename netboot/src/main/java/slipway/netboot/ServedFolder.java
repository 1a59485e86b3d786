package slipway.netboot;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import slipway.base.Problem;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;
import slipway.linux.posix.UnixException;

/**
 * The folder that is served: regular files beneath it, by names that do not begin with a dot, which
 * those that are still being written have. The very folder that was opened, whatever its name
 * stands for later.
 */
final class ServedFolder implements AutoCloseable {
  private final int folder;

  private ServedFolder(int folder) {
    this.folder = folder;
  }

  /**
   * An open file.
   *
   * @param size bytes when it was opened
   * @param tag changes when the file does
   */
  record Served(FileChannel channel, long size, String tag) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  /**
   * @throws Problem of kind NOT_FOUND when there is no such folder
   */
  static ServedFolder open(Path folder) throws IOException {
    try {
      return new ServedFolder(
          Posix.open(OsPath.of(folder.toAbsolutePath()), Posix.O_PATH | Posix.O_DIRECTORY, 0));
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT || e.errno() == UnixException.ENOTDIR) {
        throw Problem.notFound("there is no folder " + folder + " to serve");
      }
      throw e;
    }
  }

  /**
   * Opens a file.
   *
   * @param path with slashes; one in front says nothing
   * @return nothing for all that is not served
   */
  Optional<Served> open(String path) throws IOException {
    Optional<OsPath> inside = inside(path);
    if (inside.isEmpty()) {
      return Optional.empty();
    }
    Optional<FdInput> found;
    try {
      found = RootedFile.openat(folder, inside.get(), RootedFile.Links.BENEATH, "the file");
    } catch (Problem e) {
      // A folder, a device, a link that leads out: strangers are not told which.
      return Optional.empty();
    }
    if (found.isEmpty()) {
      return Optional.empty();
    }
    try (FdInput file = found.get()) {
      FileChannel channel =
          FileChannel.open(Path.of("/proc/self/fd/" + file.fd()), StandardOpenOption.READ);
      var stat = file.stat();
      return Optional.of(
          new Served(
              channel,
              stat.size(),
              "\"%x-%x-%x\"".formatted(stat.inode(), stat.size(), stat.mtimeSeconds())));
    }
  }

  private static Optional<OsPath> inside(String path) {
    List<String> names = new ArrayList<>();
    for (String name : path.split("/")) {
      if (name.isEmpty()) {
        continue;
      }
      if (name.startsWith(".") || name.indexOf('\0') >= 0) {
        return Optional.empty();
      }
      names.add(name);
    }
    return names.isEmpty() ? Optional.empty() : Optional.of(OsPath.of(String.join("/", names)));
  }

  @Override
  public void close() throws IOException {
    Posix.close(folder);
  }
}
