package slipway.disk.ext4;

import java.io.IOException;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.TreeMap;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.Totals;
import slipway.base.Problem;
import slipway.disk.ext4.Format.Extents;
import slipway.disk.ext4.Format.Inode;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * What is in a tree: the number and the links of every inode, and how many blocks all of them take
 * at most. Refuses what ext4 cannot keep.
 */
final class Census {
  /** Blocks that lost+found has at least, so that e2fsck need not look for any. */
  static final int LOST_AND_FOUND_BLOCKS = 4;

  private static final OsPath LOST_AND_FOUND = OsPath.of("lost+found");
  private static final String WHERE = "the tree for the file system";
  private static final int MAX_DEVICE_MAJOR = 0xfff;
  private static final int MAX_DEVICE_MINOR = 0xfffff;

  /** The tree's root, with lost+found. */
  final Node.Directory root;

  private final Totals totals = new Totals(WHERE);
  private final IdentityHashMap<Node, Integer> numbers = new IdentityHashMap<>();
  private int[] links = new int[1024];
  private int last = Inode.LOST_AND_FOUND;
  private long blocks;

  Census(FileTree tree, long seconds) throws IOException {
    this.root = withLostAndFound(tree.root(), seconds);
    number(root, Inode.ROOT);
    number(lostAndFound(), Inode.LOST_AND_FOUND);
    directory(root, OsPath.of(""), 0);
  }

  private static Node.Directory withLostAndFound(Node.Directory root, long seconds) {
    Node there = root.children().get(LOST_AND_FOUND);
    if (there instanceof Node.Directory) {
      return root;
    }
    if (there != null) {
      throw Problem.input(
          "\"lost+found\" is a directory in each ext4 file system, and something else in this tree;"
              + " remove it from the archive or image");
    }
    TreeMap<OsPath, Node> children = new TreeMap<>(root.children());
    Metadata metadata = Metadata.directory(0700).withMtime(seconds, 0);
    children.put(LOST_AND_FOUND, new Node.Directory(metadata, new TreeMap<>()));
    return new Node.Directory(root.metadata(), children);
  }

  Node lostAndFound() {
    return java.util.Objects.requireNonNull(root.children().get(LOST_AND_FOUND));
  }

  int number(Node node) {
    return java.util.Objects.requireNonNull(numbers.get(node));
  }

  int links(int inode) {
    return links[inode];
  }

  /** The last inode in use; all before it are. */
  int last() {
    return last;
  }

  /** Blocks of all inodes of the tree, if no file has holes. */
  long blocks() {
    return blocks;
  }

  private void number(Node node, int inode) {
    numbers.put(node, inode);
    if (inode >= links.length) {
      links = Arrays.copyOf(links, links.length * 2);
    }
  }

  private void directory(Node.Directory directory, OsPath path, int depth) throws IOException {
    totals.depth(depth);
    entry(directory, path);
    int self = number(directory);
    links[self] += 2;
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      OsPath at = path.resolve(child.getKey());
      requireName(child.getKey(), path);
      if (child.getValue() instanceof Node.Directory d) {
        links[self]++;
        if (d != lostAndFound()) {
          first(d, at);
        }
        directory(d, at, depth + 1);
      } else {
        leaf(child.getValue(), at);
      }
    }
    long before = blocks;
    DirectoryBlocks.make(directory, 0, 0, node -> 0, block -> blocks++);
    if (directory == lostAndFound()) {
      blocks = Math.max(blocks, before + LOST_AND_FOUND_BLOCKS);
    }
  }

  private void first(Node node, OsPath path) {
    if (numbers.containsKey(node)) {
      throw Problem.corrupt("the directory \"" + path + "\" is in the tree twice");
    }
    number(node, ++last);
  }

  private static void requireName(OsPath name, OsPath directory) {
    boolean bad = name.length() > Format.NAME_MAX || name.toString().indexOf('\0') >= 0;
    if (bad || !name.isName()) {
      throw Problem.corrupt(
          "the directory \"" + directory + "\" holds the impossible name \"" + name + "\"");
    }
  }

  private void leaf(Node node, OsPath path) throws IOException {
    if (!numbers.containsKey(node)) {
      first(node, path);
      entry(node, path);
      count(node, path);
    }
    if (++links[number(node)] > Format.LINK_MAX) {
      throw Problem.input(
          "\"" + path + "\" has more than " + Format.LINK_MAX + " hard links, the most of ext4");
    }
  }

  private void entry(Node node, OsPath path) {
    totals.entry(node.metadata(), path.length());
    if (Attributes.of(node.metadata(), path).block() != null) {
      blocks++;
    }
  }

  private void count(Node node, OsPath path) {
    switch (node) {
      case Node.File f -> blocks += content(f.content().size());
      case Node.Symlink s -> {
        requireTarget(s.target(), path);
        blocks += s.target().length() < Inode.BLOCKS_SIZE ? 0 : 1;
      }
      case Node.Special s -> requireDevice(s, path);
      default -> throw new IllegalArgumentException("no node of a merged tree: " + path);
    }
  }

  /** With holes it would be fewer: each spares a block, and costs a twelfth of 4096 bytes. */
  private static long content(long size) {
    long data = Format.blocks(size);
    long pieces = 4 * Math.ceilDiv(data, (long) Extents.LONGEST);
    return data + (data > Extents.LONGEST ? 3 + pieces / Extents.IN_BLOCK : 0);
  }

  private static void requireTarget(OsPath target, OsPath path) {
    if (target.isEmpty() || target.length() >= Format.BLOCK || target.toString().contains("\0")) {
      throw Problem.corrupt("the symbolic link \"" + path + "\" has an impossible target");
    }
  }

  private static void requireDevice(Node.Special special, OsPath path) {
    int major = Posix.major(special.rdev());
    int minor = Posix.minor(special.rdev());
    int type = special.metadata().type();
    boolean device = type == Stat.S_IFCHR || type == Stat.S_IFBLK;
    if (device && ((major & ~MAX_DEVICE_MAJOR) != 0 || (minor & ~MAX_DEVICE_MINOR) != 0)) {
      throw Problem.input(
          "\"" + path + "\" is the device " + major + ":" + minor + ", which Linux does not have");
    }
  }
}
