package slipway.cli.output;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import slipway.base.Problem;

/** Files that a user wants written: refused before the work, not after it. */
public final class OutputFile {
  private OutputFile() {}

  /**
   * The file to write: what a link leads to, for links such as {@code /dev/stdout} stay what they
   * are.
   *
   * @param option names it in sentences, such as {@code --output}
   * @throws Problem of kind USAGE when its folder is missing, or something else than a file is
   *     there
   */
  public static Path check(Path file, String option) throws IOException {
    if (Files.isDirectory(file)) {
      throw Problem.usage(option + " " + file + " is a folder; name a file");
    }
    if (!Files.exists(file)) {
      if (Files.isSymbolicLink(file)) {
        throw Problem.usage(option + " " + file + " is a link that leads nowhere");
      }
      requireParent(file, option);
      return file;
    }
    if (!Files.isRegularFile(file)) {
      throw Problem.usage(option + " " + file + " is not a regular file; name another");
    }
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? file : file.toRealPath();
  }

  /**
   * The folder to write; made later when it is missing.
   *
   * @throws Problem of kind USAGE when the folder around it is missing, or it is something else
   */
  public static Path checkFolder(Path folder, String option) {
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw Problem.usage(option + " " + folder + " is not a folder; name another");
    }
    requireParent(folder, option);
    return folder;
  }

  private static void requireParent(Path path, String option) {
    Path parent = path.toAbsolutePath().normalize().getParent();
    if (parent != null && !Files.isDirectory(parent)) {
      throw Problem.usage(
          option + " " + path + ": the folder " + parent + " does not exist; make it first");
    }
  }
}
