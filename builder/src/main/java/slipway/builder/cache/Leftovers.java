package slipway.builder.cache;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import slipway.base.Printable;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.UnixException;

/**
 * Removes what is no longer needed. What cannot be removed (a file that was made immutable, a disk
 * that fails) is moved to {@code aside} and told, so that it neither fails a build that is done nor
 * blocks later ones.
 *
 * @param root the build directory
 * @param progress is told
 */
record Leftovers(Path root, Progress progress) {
  private static final String ASIDE = "aside";

  /** The folder of what could not be removed, which need not exist. */
  Path aside() {
    return root.resolve(ASIDE);
  }

  /** Removes a directory of the build directory, or sets it aside. */
  void remove(Path directory) {
    try {
      Posix.removeTree(OsPath.of(directory));
    } catch (UnixException e) {
      setAside(directory, e);
    }
  }

  private void setAside(Path directory, UnixException why) {
    String reason = Printable.text(String.valueOf(why.getMessage()));
    try {
      Path place = Files.createTempDirectory(Files.createDirectories(aside()), "left-");
      Files.move(directory, place.resolve(directory.getFileName()), StandardCopyOption.ATOMIC_MOVE);
      progress.note(
          "what an earlier step left could not be removed ("
              + reason
              + "); it lies in "
              + place
              + " now, and slipway system prune tries again");
    } catch (IOException e) {
      progress.note(directory + " could not be removed: " + reason);
    }
  }
}
