package slipway.ostree.repo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import slipway.base.Problem;

/**
 * Reads configs and metadata objects, whose names are plain ASCII, by the JDK alone: a command that
 * reads nothing else does not pay for the first system call of ours.
 */
final class SmallFile {
  private SmallFile() {}

  /**
   * Reads a whole file; does not follow a symbolic link.
   *
   * @throws Problem of kind CORRUPT when it is longer than {@code limit}
   */
  static byte[] read(Path file, int limit) throws IOException {
    try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
      byte[] bytes = in.readNBytes(limit);
      if (bytes.length == limit && in.read() >= 0) {
        throw Problem.corrupt(file + " is longer than the " + limit + " bytes allowed");
      }
      return bytes;
    }
  }
}
