package slipway.ostree.container;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** A tree of everything that can be in an image. */
final class RandomTree {
  private final Random random;
  private final List<Node> linkable = new ArrayList<>();
  private final Map<Node, Composefs.Data> data = new IdentityHashMap<>();
  private final boolean oneTime;
  private final boolean withWhiteouts;
  private int nodes;

  RandomTree(int seed) {
    random = new Random(seed);
    oneTime = seed % 3 == 0;
    withWhiteouts = seed % 2 == 0;
  }

  Composefs.Data data(OsPath path, Node.File file) {
    return java.util.Objects.requireNonNull(data.get(file));
  }

  FileTree tree() {
    return new FileTree(directory(0));
  }

  private Node.Directory directory(int depth) {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    int count = random.nextInt(12) == 0 ? random.nextInt(900) : random.nextInt(14);
    if (nodes > 4000) {
      count = 0;
    }
    for (int i = 0; i < count; i++) {
      nodes++;
      children.put(name(), child(depth));
    }
    if (depth == 0 && random.nextBoolean()) {
      children.put(OsPath.of("7f"), directory(3));
    }
    return new Node.Directory(metadata(Stat.S_IFDIR), children);
  }

  private OsPath name() {
    int length = random.nextInt(10) == 0 ? 1 + random.nextInt(255) : 1 + random.nextInt(20);
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      do {
        bytes[i] = (byte) (random.nextInt(6) == 0 ? random.nextInt(256) : 'a' + random.nextInt(26));
      } while (bytes[i] == 0 || bytes[i] == '/' || (bytes[i] == '.' && length < 3));
    }
    return OsPath.ofBytes(bytes);
  }

  private Node child(int depth) {
    int kind = random.nextInt(20);
    if (kind < 4 && depth < 5) {
      return directory(depth + 1);
    }
    if (kind == 4 && !linkable.isEmpty()) {
      return linkable.get(random.nextInt(linkable.size()));
    }
    Node node =
        switch (kind) {
          case 5, 6, 7 -> {
            int length = random.nextInt(5) == 0 ? 1 + random.nextInt(4095) : 1 + random.nextInt(60);
            yield new Node.Symlink(metadata(Stat.S_IFLNK), OsPath.of("t".repeat(length)));
          }
          case 8 -> special();
          default -> file();
        };
    if (!(node instanceof Node.Special s && s.rdev() == 0)) {
      linkable.add(node);
    }
    return node;
  }

  private Node special() {
    int type =
        new int[] {Stat.S_IFCHR, Stat.S_IFBLK, Stat.S_IFIFO, Stat.S_IFSOCK}[random.nextInt(4)];
    boolean device = type == Stat.S_IFCHR || type == Stat.S_IFBLK;
    long rdev = device ? Posix.makedev(1 + random.nextInt(255), random.nextInt(1000)) : 0;
    if (type == Stat.S_IFCHR && withWhiteouts) {
      rdev = 0;
    }
    return new Node.Special(metadata(type), rdev);
  }

  private Node.File file() {
    long size =
        switch (random.nextInt(6)) {
          case 0 -> 0;
          case 1 -> 4090 + random.nextInt(12);
          case 2 -> 1L << random.nextInt(40);
          case 3 -> (1L << random.nextInt(40)) + 1;
          default -> 1 + random.nextInt(100_000);
        };
    boolean inline = size > 0 && random.nextInt(4) == 0;
    if (inline) {
      size = 1 + random.nextInt(random.nextInt(4) == 0 ? 5000 : 64);
    }
    Node.File file = new Node.File(metadata(Stat.S_IFREG), ComposefsTest.sized(size));
    if (inline) {
      byte[] bytes = new byte[(int) size];
      random.nextBytes(bytes);
      data.put(file, new Composefs.Data.Inline(bytes));
    } else {
      byte[] digest = new byte[32];
      random.nextBytes(digest);
      data.put(
          file,
          new Composefs.Data.Backed(
              random.nextInt(8) == 0 ? null : ComposefsTest.objectPath("" + random.nextInt(1000)),
              random.nextInt(3) == 0 ? null : digest));
    }
    return file;
  }

  private Metadata metadata(int type) {
    int permissions = type == Stat.S_IFLNK ? 0777 : random.nextInt(010000);
    int uid = random.nextInt(10) == 0 ? random.nextInt() : random.nextInt(2000);
    int gid = random.nextInt(10) == 0 ? 65534 + random.nextInt(4) : random.nextInt(2000);
    long seconds = oneTime ? 0 : 1_000_000 + random.nextInt(5);
    int nanos = oneTime ? 0 : random.nextInt(3);
    return new Metadata(type | permissions, uid, gid, seconds, nanos, xattrs());
  }

  private List<Metadata.Xattr> xattrs() {
    Map<String, byte[]> xattrs = new TreeMap<>();
    String[] names = {
      "user.a",
      "user.b",
      "security.selinux",
      "security.capability",
      "trusted.t",
      "trusted.overlay.opaque",
      "trusted.overlay.redirect",
      "system.posix_acl_access",
      "system.posix_acl_default",
      "odd.name",
      "lustre.lov",
      "system.nfs4_acl",
      "system.posix_acl_accessory",
      "user." + "n".repeat(200)
    };
    for (int count = random.nextInt(3) * random.nextInt(4); count > 0; count--) {
      String name = names[random.nextInt(names.length)];
      // composefs-info 1.0.8 overlooks an entry of a header alone that is an inode's last.
      int least = name.startsWith("system.posix_acl") ? 1 : 0;
      byte[] value =
          new byte[least + (random.nextInt(6) == 0 ? random.nextInt(3000) : random.nextInt(3))];
      random.nextBytes(value);
      xattrs.put(name, value);
    }
    if (random.nextInt(40) == 0) {
      for (int i = 0; i < 150; i++) {
        xattrs.put("user.many" + i, new byte[] {1});
      }
    }
    return xattrs.entrySet().stream()
        .map(e -> new Metadata.Xattr(OsPath.of(e.getKey()), e.getValue()))
        .toList();
  }
}
