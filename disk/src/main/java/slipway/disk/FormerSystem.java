package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.mount.MountTable;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.sysroot.NewSysroot;

/** What is on a root already that an installation is to go to. */
final class FormerSystem {
  private FormerSystem() {}

  /**
   * Refuses a system of ostree that has run, whose deployments and /var would be taken for the new
   * one's; one that was installed and never started may be installed once more.
   *
   * @param stateroots their folder, which no link is in
   */
  static void requireUnused(Path stateroots) throws IOException {
    for (Path stateroot : folders(stateroots)) {
      for (Path deployment : folders(stateroot.resolve("deploy"))) {
        if (NewSysroot.hasStarted(stateroot, deployment)) {
          throw Problem.input(
              "a machine has run on "
                  + Printable.text(deployment.toString())
                  + ", which would be lost; change its image by bootc switch, or give"
                  + " --replace wipe to erase all");
        }
      }
    }
  }

  private static List<Path> folders(Path parent) throws IOException {
    if (!Files.isDirectory(parent, LinkOption.NOFOLLOW_LINKS)) {
      return List.of();
    }
    try (Stream<Path> children = Files.list(parent)) {
      return children.filter(c -> Files.isDirectory(c, LinkOption.NOFOLLOW_LINKS)).toList();
    }
  }

  /**
   * Refuses a folder that holds more than folders, and what is mounted in them.
   *
   * @param apart files and folders in it that do not count
   */
  static void requireEmpty(Path folder, List<Path> apart) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    for (OsPath name : Posix.list(OsPath.of(folder))) {
      Path child = folder.resolve(name.toPath());
      if (name.is("lost+found")
          || apart.contains(child)
          || MountTable.at(OsPath.of(child)).isPresent()) {
        continue;
      }
      if (!Files.isDirectory(child, LinkOption.NOFOLLOW_LINKS)) {
        throw Problem.input(
            folder
                + " is not empty, it holds "
                + Printable.text(name.toString())
                + "; give --replace wipe to erase all, or alongside to keep it under /sysroot");
      }
      requireEmpty(child, apart);
    }
  }
}
