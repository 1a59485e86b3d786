package slipway.linux.posix;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import slipway.base.Problem;

/**
 * Names inside a root directory, resolved as if that were {@code /}: neither links nor dot-dot lead
 * out of it (openat2 with RESOLVE_IN_ROOT).
 */
public final class InRoot {
  private static final OsPath PROC_FD = OsPath.of("/proc/self/fd");

  /** Characters that are shown of a path that is too long. */
  private static final int SHOWN = 60;

  /** Bytes that the kernel takes for a name and for a path (limits.h). */
  private static final int MAX_NAME = 255;

  private static final int MAX_PATH = 4095;

  private InRoot() {}

  /** Removes empty and dot components, resolves dot-dot as at the root; no slash in front. */
  public static String clean(String path) {
    Deque<String> parts = new ArrayDeque<>();
    for (String part : path.split("/")) {
      if (part.equals("..")) {
        parts.pollLast();
      } else if (!part.isEmpty() && !part.equals(".")) {
        parts.addLast(part);
      }
    }
    return String.join("/", parts);
  }

  /**
   * The real path, outside, of a name inside; the last component is followed too.
   *
   * @param root an absolute path without links
   * @return nothing when it does not exist
   */
  public static Optional<OsPath> resolve(OsPath root, OsPath inside) throws IOException {
    int rootFd = Posix.open(root, Posix.O_PATH | Posix.O_DIRECTORY | Posix.O_CLOEXEC, 0);
    try {
      int flags = Posix.O_PATH | Posix.O_CLOEXEC;
      OsPath relative = inside.isEmpty() ? OsPath.of(".") : inside;
      int fd = Posix.openat2(rootFd, relative, flags, 0, Posix.RESOLVE_IN_ROOT);
      try {
        return Optional.of(Posix.readlink(PROC_FD.resolve(String.valueOf(fd))));
      } finally {
        Posix.close(fd);
      }
    } catch (UnixException e) {
      requireAbsence(e, inside);
      return Optional.empty();
    } finally {
      Posix.close(rootFd);
    }
  }

  /**
   * Tells why openat2 failed, unless that is because there is no such thing.
   *
   * @throws Problem for a path that no kernel follows
   * @throws UnixException for all else
   */
  static void requireAbsence(UnixException failure, OsPath inside) throws UnixException {
    switch (failure.errno()) {
      case UnixException.ENOENT, UnixException.ENOTDIR -> {}
      case UnixException.ELOOP ->
          throw Problem.input("\"" + inside + "\" leads through too many symbolic links");
      case UnixException.ENAMETOOLONG ->
          throw Problem.input(
              isTooLong(inside)
                  ? "the path \""
                      + shown(inside)
                      + "\" is too long: a name has at most 255 bytes, a path 4095"
                  : "\"" + shown(inside) + "\" leads through a name that is too long");
      default -> throw failure;
    }
  }

  /** Whether a path itself is what the kernel refuses; else it is the target of a link on it. */
  private static boolean isTooLong(OsPath inside) {
    return inside.length() > MAX_PATH
        || inside.components().stream().anyMatch(name -> name.length() > MAX_NAME);
  }

  private static String shown(OsPath inside) {
    String text = inside.toString();
    return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
  }

  public static Optional<OsPath> resolve(OsPath root, String inside) throws IOException {
    return resolve(root, OsPath.of(inside));
  }

  /** What a new directory gets. */
  public record Ownership(int uid, int gid) {
    public static final Ownership ROOT = new Ownership(0, 0);
  }

  /** Makes a directory and what is missing above it, as {@link OpenDirectory#mkdirs}. */
  public static void mkdirs(OsPath root, OsPath inside, Ownership owner) throws IOException {
    try (OpenDirectory directory = OpenDirectory.of(root);
        OpenDirectory made = directory.mkdirs(inside, owner)) {
      // It is there now.
    }
  }
}
