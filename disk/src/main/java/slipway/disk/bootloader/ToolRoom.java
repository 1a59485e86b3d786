package slipway.disk.bootloader;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.UnixException;
import slipway.linux.process.Command;

/**
 * Where a trusted tool of this machine works on files of strangers, shut in: root has the mounts
 * and users for a {@link Confinement}, everybody else has {@link SecludedRoom}.
 */
sealed interface ToolRoom extends AutoCloseable permits Confinement, SecludedRoom {
  /** Makes one in an empty folder. */
  static ToolRoom in(Path folder) throws IOException {
    return Posix.geteuid() == 0 ? Confinement.in(folder) : SecludedRoom.in(folder);
  }

  /** The folder that the tool works in. What it leaves there is not to be trusted. */
  Path work();

  /** Gives the tool a file to read. */
  default void put(String name, byte[] content) throws IOException {
    Path file = work().resolve(name);
    Path folder = Objects.requireNonNull(file.getParent());
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      Files.createDirectory(folder);
      Posix.chmod(OsPath.of(folder), 0755);
    }
    Files.write(file, content);
    Posix.chmod(OsPath.of(file), 0644);
  }

  /**
   * Runs a program in the folder.
   *
   * @param argv the program by its whole path, below /usr
   * @param limit after which it is killed; the kernel's own bound on processor time is a second
   *     later, so that what is told is that it did not end in time
   */
  Command.Result tryRun(List<String> argv, Duration limit) throws IOException;

  /** The bounds on what the tool takes, in the words of prlimit(1). */
  static List<String> bounds(Duration limit) {
    return List.of(
        "/usr/bin/prlimit",
        "--as=1073741824",
        "--cpu=" + (limit.toSeconds() + 1),
        "--fsize=67108864",
        "--nofile=64",
        "--core=0",
        "--nproc=1",
        "--");
  }

  @Override
  void close() throws UnixException;
}
