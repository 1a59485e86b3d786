package slipway.archive.tar;

import java.util.ArrayList;
import java.util.List;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;

/**
 * One member of a tar with all of its extended headers applied.
 *
 * @param name as written, perhaps with a leading {@code ./} or a trailing slash
 * @param kind what it is
 * @param metadata mode with type bits, owner, time, attributes; of a hard link those that the
 *     archive repeats
 * @param size bytes of content with the holes of a sparse file filled; 0 for all but files
 * @param linkName where a symbolic link points, or which member a hard link repeats; else empty
 * @param rdev device number as makedev(3) packs it; 0 for all but devices
 */
public record TarEntry(
    OsPath name, Kind kind, Metadata metadata, long size, OsPath linkName, long rdev) {
  /** What a member is. */
  public enum Kind {
    FILE,
    DIRECTORY,
    SYMLINK,
    HARDLINK,
    CHARACTER,
    BLOCK,
    FIFO
  }

  /** Longest path that is taken, as PATH_MAX; it bounds the depth too. */
  static final int MAX_PATH = 4096;

  /** Longest name of one component, as NAME_MAX. */
  static final int MAX_NAME = 255;

  private static final OsPath DOT = OsPath.of(".");
  private static final OsPath DOT_DOT = OsPath.of("..");

  /**
   * The components of the name from the root, without dots and empty ones; none for the root.
   *
   * @throws Problem of kind CORRUPT for a name that leaves the root or is too long
   */
  public List<OsPath> path() {
    return normalise(name);
  }

  public static List<OsPath> normalise(OsPath name) {
    if (name.length() > MAX_PATH) {
      throw Problem.corrupt(
          "the archive holds a name of " + name.length() + " bytes; at most 4096 are possible");
    }
    List<OsPath> all = name.components();
    List<OsPath> kept = new ArrayList<>(all.size());
    for (OsPath part : all) {
      if (part.equals(DOT_DOT)) {
        throw Problem.corrupt("the archive's member \"" + name + "\" leaves the root by \"..\"");
      }
      if (part.length() > MAX_NAME) {
        throw Problem.corrupt(
            "the archive holds a file name of " + part.length() + " bytes; 255 are possible");
      }
      if (!part.equals(DOT)) {
        kept.add(part);
      }
    }
    return kept;
  }
}
