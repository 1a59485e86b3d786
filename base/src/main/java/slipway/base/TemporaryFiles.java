package slipway.base;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Where temporary files go: into the folder that {@code TMPDIR} names, as those of other programs
 * do. The JVM does not look at that variable, so nothing may ask it for temporary files without
 * naming a folder.
 */
public final class TemporaryFiles {
  private static final String VARIABLE = "TMPDIR";

  private TemporaryFiles() {}

  /**
   * The folder for small files, else {@code /tmp}.
   *
   * @throws Problem of kind ENVIRONMENT when {@code TMPDIR} names no folder
   */
  public static Path folder() {
    return folder(System.getenv(), Path.of(System.getProperty("java.io.tmpdir")));
  }

  /**
   * The folder for files as large as images, else {@code /var/tmp}, because {@code /tmp} is often
   * in memory.
   *
   * @throws Problem of kind ENVIRONMENT when {@code TMPDIR} names no folder
   */
  public static Path largeFolder() {
    Path large = Path.of("/var/tmp");
    return Files.isWritable(large) ? folder(System.getenv(), large) : folder();
  }

  /** Both folders; none when {@code TMPDIR} names no folder, so that there are no such files. */
  static Set<Path> folders() {
    try {
      return new TreeSet<>(List.of(folder(), largeFolder()));
    } catch (Problem e) {
      return Set.of();
    }
  }

  static Path folder(Map<String, String> environment, Path usual) {
    String named = environment.getOrDefault(VARIABLE, "");
    if (named.isEmpty()) {
      return usual;
    }
    Path folder = Path.of(named).toAbsolutePath();
    if (!Files.isDirectory(folder)) {
      throw Problem.environment(
          VARIABLE + " names " + folder + ", which is not a folder; make it, or unset " + VARIABLE);
    }
    return folder;
  }
}
