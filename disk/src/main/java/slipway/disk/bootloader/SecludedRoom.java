package slipway.disk.bootloader;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.UnixException;
import slipway.linux.process.Command;
import slipway.linux.process.Seclusion;

/**
 * Runs a trusted tool of this machine on files of strangers, for a user: as the user, but with this
 * machine's /usr to read and one folder to write to, without network and sockets, with nothing to
 * signal and no way to more rights. It cannot start other programs next to itself and ends with its
 * time, with its memory, and with us.
 */
record SecludedRoom(Path work) implements ToolRoom {
  private static final List<Path> PROGRAMS =
      List.of(
          Path.of("/usr"),
          Path.of("/lib"),
          Path.of("/lib64"),
          Path.of("/bin"),
          Path.of("/sbin"),
          Path.of("/etc/ld.so.cache"));

  static SecludedRoom in(Path folder) throws IOException {
    return new SecludedRoom(Files.createDirectory(folder.resolve("work")));
  }

  @Override
  public Command.Result tryRun(List<String> argv, Duration limit) throws IOException {
    Command command =
        Command.of("/usr/bin/env", "-i", "LC_ALL=C.UTF-8", "/usr/bin/setpriv")
            .with("--pdeathsig", "KILL", "--")
            .with(ToolRoom.bounds(limit).toArray(String[]::new))
            .with(argv.toArray(String[]::new))
            .directory(work)
            .timeout(limit);
    return Seclusion.call(PROGRAMS, work, () -> command.tryRun());
  }

  /** So that the folder is empty for the next tool. */
  @Override
  public void close() throws UnixException {
    Posix.removeTree(OsPath.of(work));
  }
}
