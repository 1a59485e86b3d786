package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.AtomicFile;
import slipway.disk.FilesystemInstall.Replace;
import slipway.linux.mount.MountTable;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Removal;

/**
 * An installation onto file systems of others, from its first file to its last: a mark, an empty
 * folder {@code ostree/.slipway-unfinished-*}, tells what of the root is its own. A kill leaves the
 * mark, and the next installation removes what it names, and nothing else.
 *
 * <p>What a repository that was there before says is not believed: objects are found by their
 * names, and refs say which layers they are. It is set aside, in a folder of its own, and a new one
 * made.
 *
 * @param root where the root file system is mounted
 * @param extent what is of this installation
 * @param aside the number of the repository that it set aside; 0 for none
 */
record UnfinishedInstall(Path root, Extent extent, int aside) {
  /** Below the root: the repositories that were there before, by number. */
  static final String OLD_REPOSITORIES = "ostree/repo.old";

  private static final String REPOSITORY = "ostree/repo";
  private static final Pattern MARK =
      Pattern.compile("\\.slipway-unfinished-(root|ostree|repo)-([0-9]{1,9})");

  /** What an installation makes in a /boot that held nothing. */
  private static final List<String> IN_BOOT =
      List.of(
          "boot",
          "loader",
          "loader.0",
          "loader.1",
          "loader.tmp",
          "ostree",
          "grub",
          "grub2",
          GrubOnDisk.STAGED,
          "bootupd-state.json");

  /** What of a root an installation made. */
  enum Extent {
    /** All: it held nothing. */
    ROOT,
    /** The folder {@code ostree}: there was none. */
    OSTREE,
    /** The repository in that. */
    REPO
  }

  /** The one that was stopped on a root. */
  static Optional<UnfinishedInstall> on(Path root) throws IOException {
    Path ostree = root.resolve("ostree");
    if (Files.isDirectory(ostree, LinkOption.NOFOLLOW_LINKS)) {
      for (OsPath name : Posix.list(OsPath.of(ostree))) {
        Matcher m = MARK.matcher(name.toString());
        if (m.matches()) {
          Extent extent = Extent.valueOf(m.group(1).toUpperCase(Locale.ROOT));
          return Optional.of(new UnfinishedInstall(root, extent, Integer.parseInt(m.group(2))));
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Leaves its mark, and sets a repository aside that is there.
   *
   * @param isEmpty whether the root holds nothing but what is mounted in it
   */
  static UnfinishedInstall begin(Path root, boolean isEmpty) throws IOException {
    Path ostree = root.resolve("ostree");
    boolean isMount = MountTable.at(OsPath.of(ostree)).isPresent();
    Extent extent =
        isEmpty && !isMount ? Extent.ROOT : Files.exists(ostree) ? Extent.REPO : Extent.OSTREE;
    boolean aside = holdsAnything(root.resolve(REPOSITORY));
    UnfinishedInstall begun = new UnfinishedInstall(root, extent, aside ? freeNumber(root) : 0);
    // A folder, because it appears with its name at once.
    Files.createDirectories(begun.mark());
    AtomicFile.syncDirectory(ostree);
    AtomicFile.syncDirectory(root);
    if (aside) {
      Path old = begun.oldRepository();
      Files.createDirectories(old.resolveSibling(""));
      Files.move(root.resolve(REPOSITORY), old, StandardCopyOption.ATOMIC_MOVE);
    }
    return begun;
  }

  private static boolean holdsAnything(Path folder) throws IOException {
    return Files.exists(folder) && !Posix.list(OsPath.of(folder)).isEmpty();
  }

  private static int freeNumber(Path root) {
    int number = 1;
    while (Files.exists(
        root.resolve(OLD_REPOSITORIES).resolve(Integer.toString(number)),
        LinkOption.NOFOLLOW_LINKS)) {
      number++;
    }
    return number;
  }

  private Path mark() {
    String name = extent.name().toLowerCase(Locale.ROOT);
    return root.resolve("ostree/.slipway-unfinished-" + name + "-" + aside);
  }

  /** Where the repository lies that it set aside. */
  Path oldRepository() {
    return root.resolve(OLD_REPOSITORIES).resolve(Integer.toString(aside));
  }

  /**
   * What is its own, as far as the next installation may take it away.
   *
   * @param next what that one does with all else: only on a root that has to be empty nobody can
   *     have put another system into /boot since
   */
  List<Path> own(Replace next) {
    if (extent == Extent.REPO) {
      return List.of();
    }
    List<Path> own = new ArrayList<>(List.of(root.resolve("ostree")));
    if (extent == Extent.ROOT && next == Replace.NOTHING) {
      IN_BOOT.forEach(name -> own.add(root.resolve("boot").resolve(name)));
      own.add(root.resolve(Aleph.FILE));
    }
    return own;
  }

  /**
   * Takes away what it made, the mark last, and puts back what it set aside.
   *
   * @param next as in {@link #own}
   */
  void undo(Replace next) throws IOException {
    Path ostree = root.resolve("ostree");
    for (Path own : own(next)) {
      if (!own.equals(ostree)) {
        Removal.tree(OsPath.of(own));
      }
    }
    if (extent == Extent.REPO) {
      undoRepository();
    } else {
      for (OsPath name : Posix.list(OsPath.of(ostree))) {
        if (!ostree.resolve(name.toPath()).equals(mark())) {
          Removal.tree(OsPath.of(ostree).resolve(name));
        }
      }
    }
    end();
    if (extent != Extent.REPO) {
      Files.delete(ostree);
    }
  }

  private void undoRepository() throws IOException {
    Path repository = root.resolve(REPOSITORY);
    if (aside == 0) {
      Removal.tree(OsPath.of(repository));
    } else if (Files.exists(oldRepository(), LinkOption.NOFOLLOW_LINKS)) {
      Removal.tree(OsPath.of(repository));
      Files.move(oldRepository(), repository, StandardCopyOption.ATOMIC_MOVE);
      Path all = root.resolve(OLD_REPOSITORIES);
      if (Posix.list(OsPath.of(all)).isEmpty()) {
        Files.delete(all);
      }
    }
  }

  /** Takes the mark away: all is there. */
  void end() throws IOException {
    Posix.syncfs(OsPath.of(root));
    Files.deleteIfExists(mark());
    Posix.syncfs(OsPath.of(root));
  }
}
