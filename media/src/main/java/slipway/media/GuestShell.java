package slipway.media;

import java.nio.file.Path;
import java.util.List;
import slipway.linux.process.Command;

/** Logs in to a guest by ssh, whose host key nobody knows yet. */
final class GuestShell {
  private GuestShell() {}

  /**
   * The ssh command that runs another one in the guest.
   *
   * @param port of this machine that leads to the guest's ssh
   */
  static Command command(Path key, int port, String user, String command) {
    return connection(key, port, user).with(command);
  }

  /**
   * The ssh command for somebody at this terminal.
   *
   * @param words of a command; none for the guest's shell
   */
  static Command interactive(Path key, int port, String user, List<String> words) {
    return connection(key, port, user).with(words.toArray(String[]::new));
  }

  private static Command connection(Path key, int port, String user) {
    return Command.of(
        "ssh",
        "-i",
        key.toString(),
        "-o",
        "BatchMode=yes",
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        "-o",
        "LogLevel=ERROR",
        "-o",
        // A guest that is short of processors takes its time for the exchange of keys.
        "ConnectTimeout=120",
        "-o",
        "ServerAliveInterval=15",
        "-o",
        "ServerAliveCountMax=20",
        "-p",
        Integer.toString(port),
        user + "@127.0.0.1",
        "--");
  }
}
