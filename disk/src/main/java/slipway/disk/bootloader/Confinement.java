package slipway.disk.bootloader;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.UnixException;
import slipway.linux.process.Command;

/**
 * Runs a trusted tool of this machine on files of strangers so that a fault in it gives them
 * nothing: as a user that nobody is, without a way to more rights, without network, with nothing
 * but itself to see and to signal, with this machine's /usr to read and one small folder in memory
 * to write to. It cannot start other programs and ends with its time, with its memory, and with us.
 *
 * <p>Only for threads that have mounts of their own ({@link slipway.linux.mount.MountNamespace}).
 */
final class Confinement implements ToolRoom {
  /**
   * From here on no user is known and no container has its users (systemd, "UIDS-GIDS"), up to
   * 2^31. The bound on processes counts all of one user's on this machine, so each has one of its
   * own.
   */
  private static final int UNUSED = 1_879_048_192;

  private static final int UNUSED_COUNT = 200_000_000;
  private static final long READ_ONLY =
      Mounts.MS_BIND | Mounts.MS_REMOUNT | Mounts.MS_RDONLY | Mounts.MS_NOSUID | Mounts.MS_NODEV;

  private static final AtomicInteger COUNT = new AtomicInteger();

  private final Path root;
  private final int user = user();
  private final List<Mount> mounts = new ArrayList<>();

  private Confinement(Path root) {
    this.root = root;
  }

  /** A user that nobody else is: processes have at most 22 bits, and each counts a few. */
  private static int user() {
    long mine = ProcessHandle.current().pid() * 31 + COUNT.getAndIncrement();
    return UNUSED + (int) (mine % UNUSED_COUNT);
  }

  /** Prepares a root in an empty folder. */
  static Confinement in(Path folder) throws IOException {
    Confinement made = new Confinement(folder);
    try {
      made.prepare();
      return made;
    } catch (IOException | RuntimeException e) {
      made.close();
      throw e;
    }
  }

  private void prepare() throws IOException {
    long flags = Mounts.MS_NOSUID | Mounts.MS_NODEV;
    mounts.add(Mount.of("tmpfs", root, "tmpfs", flags, "mode=0755,size=192m"));
    for (String name : List.of("usr", "lib", "lib64", "bin", "sbin")) {
      Path there = Path.of("/", name);
      Path here = root.resolve(name);
      if (Files.isSymbolicLink(there)) {
        Files.createSymbolicLink(here, Files.readSymbolicLink(there));
      } else if (Files.isDirectory(there)) {
        Files.createDirectory(here);
        mounts.add(Mount.bind(there, here, false));
        Mounts.mount(null, OsPath.of(here), null, READ_ONLY, null);
      }
    }
    Files.createDirectory(work());
    Posix.lchown(OsPath.of(work()), user, user);
    Posix.chmod(OsPath.of(work()), 0700);
  }

  @Override
  public Path work() {
    return root.resolve("work");
  }

  @Override
  public Command.Result tryRun(List<String> argv, Duration limit) {
    return Command.of("setpriv", "--pdeathsig", "KILL", "--")
        .with("unshare", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child=KILL")
        .with("--root=" + root, "--wd=/work", "--")
        // Anew: the kernel forgets who shall die with whom when a process changes its user. Were we
        // killed in the very moment between, the bound on processor time would end the tool.
        .with("/usr/bin/env", "-i", "LC_ALL=C.UTF-8", "/usr/bin/setpriv", "--pdeathsig", "KILL")
        .with("--reuid", Integer.toString(user), "--regid", Integer.toString(user))
        .with("--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--")
        .with(ToolRoom.bounds(limit).toArray(String[]::new))
        .with(argv.toArray(String[]::new))
        .timeout(limit)
        .tryRun();
  }

  @Override
  public void close() throws UnixException {
    for (Mount mount : mounts.reversed()) {
      mount.close();
    }
    mounts.clear();
  }
}
