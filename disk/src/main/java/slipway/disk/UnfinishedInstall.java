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
 * names, and refs say which layers they are. Nor is a store of bound images, where an image has the
 * name that somebody gave it, and links may lead anywhere. Both are set aside, in folders of their
 * own, and new ones made.
 *
 * @param root where the root file system is mounted
 * @param extent what is of this installation
 * @param repository the number of the repository that it set aside; 0 for none
 * @param bound the number of the folder of bound images that it set aside; 0 for none, {@value
 *     #UNTOUCHED} when that stayed where it was, which installations of earlier versions did
 */
record UnfinishedInstall(Path root, Extent extent, int repository, int bound) {
  private static final int UNTOUCHED = -1;
  private static final String REPOSITORY = "ostree/repo";
  private static final String BOUND = "ostree/bootc";
  private static final Pattern MARK =
      Pattern.compile("\\.slipway-unfinished-(root|ostree|repo)-([0-9]{1,9})(?:-([0-9]{1,9}))?");

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
    /** The repository in that, and the store of bound images. */
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
          int bound = m.group(3) == null ? UNTOUCHED : Integer.parseInt(m.group(3));
          return Optional.of(
              new UnfinishedInstall(root, extent, Integer.parseInt(m.group(2)), bound));
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Leaves its mark, and sets aside what is there and not believed.
   *
   * @param isEmpty whether the root holds nothing but what is mounted in it
   */
  static UnfinishedInstall begin(Path root, boolean isEmpty) throws IOException {
    Path ostree = root.resolve("ostree");
    boolean isMount = MountTable.at(OsPath.of(ostree)).isPresent();
    Extent extent =
        isEmpty && !isMount ? Extent.ROOT : Files.exists(ostree) ? Extent.REPO : Extent.OSTREE;
    UnfinishedInstall begun =
        new UnfinishedInstall(root, extent, freeNumber(root, REPOSITORY), freeNumber(root, BOUND));
    // A folder, because it appears with its name at once.
    Files.createDirectories(begun.mark());
    AtomicFile.syncDirectory(ostree);
    AtomicFile.syncDirectory(root);
    setAside(root, REPOSITORY, begun.repository);
    setAside(root, BOUND, begun.bound);
    return begun;
  }

  private static void setAside(Path root, String folder, int number) throws IOException {
    if (number > 0) {
      Path old = old(root, folder, number);
      Files.createDirectories(old.resolveSibling(""));
      Files.move(root.resolve(folder), old, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private static boolean holdsAnything(Path folder) throws IOException {
    return Files.exists(folder, LinkOption.NOFOLLOW_LINKS)
        && !(Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
            && Posix.list(OsPath.of(folder)).isEmpty());
  }

  /** The number that a folder is set aside under; 0 when it holds nothing. */
  private static int freeNumber(Path root, String folder) throws IOException {
    int number = 0;
    if (holdsAnything(root.resolve(folder))) {
      do {
        number++;
      } while (Files.exists(old(root, folder, number), LinkOption.NOFOLLOW_LINKS));
    }
    return number;
  }

  private static Path old(Path root, String folder, int number) {
    return root.resolve(folder + ".old").resolve(Integer.toString(number));
  }

  private Path mark() {
    String name = extent.name().toLowerCase(Locale.ROOT);
    String numbers = repository + (bound == UNTOUCHED ? "" : "-" + bound);
    return root.resolve("ostree/.slipway-unfinished-" + name + "-" + numbers);
  }

  /** What is told of what it set aside. */
  List<String> aside() {
    List<String> told = new ArrayList<>();
    if (repository > 0) {
      told.add(told("repository", "objects are what their names say", REPOSITORY, repository));
    }
    if (bound > 0) {
      told.add(told("store", "images are those that they are called", BOUND, bound));
    }
    return told;
  }

  private String told(String what, String doubted, String folder, int number) {
    return "the %s that was in %s is not used, because nobody knows whether its %s: it is in %s now; remove that when nobody needs it"
        .formatted(what, root.resolve(folder), doubted, old(root, folder, number));
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
      putBack(REPOSITORY, repository);
      putBack(BOUND, bound);
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

  private void putBack(String folder, int number) throws IOException {
    Path made = root.resolve(folder);
    if (number == 0) {
      Removal.tree(OsPath.of(made));
    } else if (number > 0 && Files.exists(old(root, folder, number), LinkOption.NOFOLLOW_LINKS)) {
      Path old = old(root, folder, number);
      Removal.tree(OsPath.of(made));
      Files.move(old, made, StandardCopyOption.ATOMIC_MOVE);
      Path all = old.resolveSibling("");
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
