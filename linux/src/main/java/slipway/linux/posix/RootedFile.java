package slipway.linux.posix;

import java.io.IOException;
import java.util.Optional;
import slipway.base.Limit;
import slipway.base.Problem;

/**
 * Reads regular files of a directory that strangers filled: an image, a layer, a build context. No
 * link leads out of it (openat2), and nothing else than a regular file is opened: a device or a
 * pipe would have effects of its own or never end.
 */
public final class RootedFile {
  private static final OsPath PROC_FD = OsPath.of("/proc/self/fd");

  private RootedFile() {}

  /** What links may do. */
  public enum Links {
    /** As in a chroot: an absolute link, and dot-dot at the top, begin at the root again. */
    IN_ROOT(Posix.RESOLVE_IN_ROOT),
    /** Those that stay inside are followed, those that lead out are a {@link Problem}. */
    BENEATH(Posix.RESOLVE_BENEATH);

    private final long resolve;

    Links(long resolve) {
      this.resolve = resolve;
    }
  }

  /**
   * Opens a file.
   *
   * @param root the directory; links in its own path are followed
   * @param inside relative; one that begins with a slash is taken without it
   * @param where what to call the file in a message, such as {@code the image's /etc/passwd}
   * @return nothing when there is no such name
   * @throws Problem (CORRUPT) when it is no regular file, or leads out of the root
   */
  public static Optional<FdInput> open(OsPath root, OsPath inside, Links links, String where)
      throws IOException {
    int directory = Posix.open(root, Posix.O_PATH | Posix.O_DIRECTORY, 0);
    try {
      return openat(directory, inside, links, where);
    } finally {
      Posix.close(directory);
    }
  }

  /** As {@link #open} with an open directory. */
  public static Optional<FdInput> openat(int root, OsPath inside, Links links, String where)
      throws IOException {
    OsPath relative = OsPath.of(".");
    for (OsPath name : inside.components()) {
      relative = relative.resolve(name);
    }
    int found;
    try {
      found = Posix.openat2(root, relative, Posix.O_PATH, 0, links.resolve);
    } catch (UnixException e) {
      return switch (e.errno()) {
        case UnixException.ENOENT, UnixException.ENOTDIR -> Optional.empty();
        case UnixException.EXDEV ->
            throw Problem.corrupt(where + " is a link that leads out; put the file itself there");
        case UnixException.ELOOP ->
            throw Problem.corrupt(where + " leads through too many symbolic links");
        case UnixException.ENAMETOOLONG ->
            throw Problem.corrupt(where + " leads through a name that is too long");
        default -> throw e;
      };
    }
    try {
      Stat stat = Posix.fstat(found);
      if (!stat.isRegular()) {
        throw Problem.corrupt(where + " is " + kind(stat) + ", not a regular file");
      }
      // The very inode that was looked at, whatever its name stands for by now.
      OsPath same = PROC_FD.resolve(Integer.toString(found));
      return Optional.of(new FdInput(Posix.open(same, Posix.O_RDONLY, 0)));
    } finally {
      Posix.close(found);
    }
  }

  /**
   * Reads a small file whole.
   *
   * @return nothing when there is no such name
   * @throws Problem (CORRUPT) as {@link #open}, and when it is larger than {@link
   *     Limit#SMALL_FILE_BYTES}
   */
  public static Optional<byte[]> read(OsPath root, OsPath inside, Links links, String where)
      throws IOException {
    Optional<FdInput> file = open(root, inside, links, where);
    if (file.isEmpty()) {
      return Optional.empty();
    }
    try (FdInput in = file.get()) {
      return Optional.of(Limit.SMALL_FILE_BYTES.read(in, where));
    }
  }

  private static String kind(Stat stat) {
    return switch (stat.mode() & Stat.S_IFMT) {
      case Stat.S_IFDIR -> "a directory";
      case Stat.S_IFCHR, Stat.S_IFBLK -> "a device";
      case Stat.S_IFIFO -> "a pipe";
      case Stat.S_IFSOCK -> "a socket";
      default -> "a link";
    };
  }
}
