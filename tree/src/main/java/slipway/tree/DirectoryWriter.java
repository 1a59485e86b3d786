package slipway.tree;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.IdentityHashMap;
import java.util.Map;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

/**
 * Writes a tree into a directory: modes, owners, times to the nanosecond, extended attributes and
 * hard links as they are. All is made by single names in directories that this writer made and
 * holds open, so a hostile tree cannot lead out of the target. Needs root. Nothing is synced.
 */
final class DirectoryWriter {
  private final int root;
  private final InodeWriter inodes = new InodeWriter(false);
  private final Map<Node, OsPath> first = new IdentityHashMap<>();

  private DirectoryWriter(int root) {
    this.root = root;
  }

  /**
   * Writes all of a tree; the directory itself gets the metadata of the root.
   *
   * @param directory is made when missing, parents too; else must be empty
   * @throws Problem of kind INPUT when it is not empty
   */
  public static void write(FileTree tree, Path directory) throws IOException {
    InodeWriter.requireRoot("writing a file tree");
    int root = openEmpty(directory);
    try {
      new DirectoryWriter(root).fill(root, OsPath.of(""), tree.root());
    } finally {
      Posix.close(root);
    }
  }

  static int openEmpty(Path directory) throws IOException {
    Files.createDirectories(directory);
    OsPath path = OsPath.of(directory.toAbsolutePath());
    if (!Posix.list(path).isEmpty()) {
      throw Problem.input(directory + " is not empty; give an empty or a new directory");
    }
    return Posix.open(path, Posix.O_RDONLY | Posix.O_DIRECTORY, 0);
  }

  private void fill(int fd, OsPath path, Node.Directory directory) throws IOException {
    for (var child : directory.children().entrySet()) {
      OsPath name = child.getKey();
      OsPath where = path.resolve(name);
      if (child.getValue() instanceof Node.Directory d) {
        int made = InodeWriter.makeDirectory(fd, name);
        try {
          fill(made, where, d);
        } finally {
          Posix.close(made);
        }
      } else {
        leaf(fd, name, where, child.getValue());
      }
    }
    inodes.apply(fd, directory.metadata());
  }

  private void leaf(int fd, OsPath name, OsPath where, Node node) throws IOException {
    OsPath existing = first.putIfAbsent(node, where);
    if (existing != null) {
      Posix.linkat(root, existing, fd, name);
      return;
    }
    switch (node) {
      case Node.File f -> {
        try (InputStream in = f.content().open()) {
          inodes.file(fd, name, f.metadata(), f.content().size(), in);
        }
      }
      case Node.Symlink s -> inodes.symlink(fd, name, s);
      case Node.Special s -> inodes.special(fd, name, s);
      case Node.Directory d -> throw new AssertionError();
      case Node.Whiteout w -> throw new IllegalArgumentException("a tree holds no whiteouts");
      case Node.LinkBelow l -> throw new IllegalArgumentException("a tree holds no links below");
    }
  }
}
