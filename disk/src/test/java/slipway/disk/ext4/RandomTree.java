package slipway.disk.ext4;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.Metadata.Xattr;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** A tree with everything that ext4 keeps, by a seed. */
final class RandomTree {
  /** The kernel shows no other. */
  private static final byte[] CAPABILITY =
      HexFormat.of().parseHex("0100000200200000000000000000000000000000");

  private final Random random;
  private final List<Node> leaves = new ArrayList<>();
  private int left;

  private RandomTree(long seed, int size) {
    this.random = new Random(seed);
    this.left = size;
  }

  static FileTree of(long seed, int size) {
    RandomTree tree = new RandomTree(seed, size);
    TreeMap<OsPath, Node> children = new TreeMap<>(tree.children(0));
    while (tree.left > 0) {
      children.put(tree.name(), tree.node(0));
    }
    return new FileTree(new Node.Directory(tree.metadata(Stat.S_IFDIR), children));
  }

  private NavigableMap<OsPath, Node> children(int depth) {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    for (int i = random.nextInt(depth == 0 ? 40 : 12); i > 0 && left > 0; i--) {
      children.put(name(), node(depth));
    }
    return children;
  }

  /** The prefix keeps names apart from lost+found. */
  private OsPath name() {
    int length = random.nextInt(20) == 0 ? 254 : 1 + random.nextInt(30);
    byte[] bytes = new byte[1 + length];
    for (int i = 0; i < bytes.length; i++) {
      int b = 1 + random.nextInt(255);
      bytes[i] = (byte) (b == '/' ? '_' : b);
    }
    bytes[0] = 'n';
    return OsPath.ofBytes(bytes);
  }

  private Node node(int depth) {
    left--;
    if (!leaves.isEmpty() && random.nextInt(12) == 0) {
      return leaves.get(random.nextInt(leaves.size()));
    }
    if (depth < 12 && random.nextInt(4) == 0) {
      return new Node.Directory(metadata(Stat.S_IFDIR), children(depth + 1));
    }
    Node leaf = leaf();
    leaves.add(leaf);
    return leaf;
  }

  private Node leaf() {
    return switch (random.nextInt(12)) {
      case 0 -> new Node.Symlink(metadata(Stat.S_IFLNK), target());
      case 1 -> special(random.nextBoolean() ? Stat.S_IFCHR : Stat.S_IFBLK);
      case 2 -> new Node.Special(metadata(random.nextBoolean() ? Stat.S_IFIFO : Stat.S_IFSOCK), 0);
      default -> new Node.File(metadata(Stat.S_IFREG), content());
    };
  }

  private OsPath target() {
    int[] lengths = {1, 58, 59, 60, 61, 300, 4095};
    return OsPath.of("t".repeat(lengths[random.nextInt(lengths.length)]));
  }

  private Node special(int type) {
    boolean small = random.nextBoolean();
    int major = random.nextInt(small ? 256 : 4096);
    int minor = random.nextInt(small ? 256 : 1 << 20);
    return new Node.Special(metadata(type), Posix.makedev(major, minor));
  }

  private Content content() {
    int[] sizes = {0, 1, 4095, 4096, 4097, 20_000, 100_000, 1_000_000};
    byte[] bytes = new byte[sizes[random.nextInt(sizes.length)]];
    boolean sparse = random.nextInt(4) == 0;
    for (int at = 0; at < bytes.length; at += 4096) {
      if (!sparse || random.nextBoolean()) {
        byte[] block = new byte[Math.min(4096, bytes.length - at)];
        random.nextBytes(block);
        System.arraycopy(block, 0, bytes, at, block.length);
      }
    }
    return Content.of(bytes);
  }

  private Metadata metadata(int type) {
    int[] owners = {0, 1000, 65_535, 65_536, 0x7fff_fffe, -2};
    long[] times = {0, -1, -2_000_000_000L, 1_700_000_000L, 4_000_000_000L, 10_000_000_000L};
    return new Metadata(
        type | (type == Stat.S_IFLNK ? 0777 : random.nextInt(010000)),
        owners[random.nextInt(owners.length)],
        owners[random.nextInt(owners.length)],
        times[random.nextInt(times.length)],
        random.nextInt(1_000_000_000),
        xattrs(type));
  }

  private List<Xattr> xattrs(int type) {
    List<Xattr> all = new ArrayList<>();
    boolean user = type == Stat.S_IFREG || type == Stat.S_IFDIR;
    if (random.nextBoolean()) {
      all.add(xattr("security.selinux", "system_u:object_r:usr_t:s0\0".length()));
    }
    if (random.nextInt(10) == 0) {
      all.add(new Xattr(OsPath.of("security.capability"), CAPABILITY));
      all.add(xattr("trusted.empty", 0));
    }
    if (user && random.nextInt(10) == 0) {
      all.add(xattr("user." + "x".repeat(250), 1));
      all.add(xattr("user.b", random.nextInt(3000)));
      all.add(xattr("user.a", 17));
    }
    if (user && all.isEmpty() && random.nextInt(10) == 0) {
      // Just what a block has room for, beside nothing in the inode.
      all.add(xattr("user.most", 4096 - 32 - 4 - 16 - 4));
    }
    return all;
  }

  private Xattr xattr(String name, int size) {
    byte[] value = new byte[size];
    random.nextBytes(value);
    return new Xattr(OsPath.of(name), value);
  }
}
