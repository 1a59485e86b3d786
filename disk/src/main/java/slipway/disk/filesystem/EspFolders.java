package slipway.disk.filesystem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import slipway.base.Printable;
import slipway.disk.bootloader.EfiFolder;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Removal;
import slipway.linux.process.Command;

/**
 * The folders of loaders on an EFI system partition that is not mounted, by mtools, because not
 * every kernel reads FAT.
 *
 * @param disk that it is on
 * @param start bytes from the beginning of the disk
 * @param work a folder for copies of what is looked into, one loader's at a time
 */
public record EspFolders(Path disk, long start, Path work) {
  private static final String TOP = "::/EFI/";

  /**
   * Removes the folders that {@link EfiFolder#removeLoadersOf} would remove where it is mounted.
   *
   * @param notes is told of what cannot be looked at or removed, and stays
   * @return the folders' names
   */
  public List<String> removeLoadersOf(Collection<String> ids, Consumer<String> notes)
      throws IOException {
    List<String> removed = new ArrayList<>();
    for (String vendor : list(TOP)) {
      if (!vendor.endsWith("/")) {
        continue;
      }
      String name = vendor.substring(0, vendor.length() - 1);
      try {
        if (isOf(name, ids)) {
          mtools("mdeltree", TOP + name).run();
          removed.add(name);
        }
      } catch (IOException | RuntimeException e) {
        notes.accept(
            "the loader EFI/"
                + Printable.text(name)
                + " on the EFI system partition could not be looked at and stays: "
                + e.getMessage());
      }
    }
    return removed;
  }

  private boolean isOf(String name, Collection<String> ids) throws IOException {
    Path copy = work.resolve("esp");
    Path vendor = Files.createDirectories(copy.resolve("EFI").resolve(name));
    try {
      for (String file : list(TOP + name + "/")) {
        if (!file.endsWith("/")) {
          mtools("mcopy", "-n", TOP + name + "/" + file, vendor + "/").run();
        }
      }
      return !new EfiFolder(copy).removeLoadersOf(ids).isEmpty();
    } finally {
      Removal.tree(OsPath.of(copy));
    }
  }

  /** The names in a folder, those of folders with a slash at their end. */
  private List<String> list(String folder) {
    Command.Result result = mtools("mdir", "-b", folder).tryRun();
    if (result.status() != 0) {
      return List.of();
    }
    return result
        .text()
        .lines()
        .filter(line -> line.startsWith(folder) && line.length() > folder.length())
        .map(line -> line.substring(folder.length()))
        .filter(name -> name.indexOf('/') < 0 || name.indexOf('/') == name.length() - 1)
        .filter(name -> !name.startsWith("."))
        .toList();
  }

  private Command mtools(String program, String... arguments) {
    return Command.of(program, "-i", disk + "@@" + start).with(arguments);
  }
}
