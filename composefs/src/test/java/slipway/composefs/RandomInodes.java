package slipway.composefs;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;

/** Random trees of all that an image can hold, ready to be laid out. */
final class RandomInodes {
  private static final OsPath DOT = OsPath.of(".");
  private static final OsPath DOT_DOT = OsPath.of("..");
  private static final String[] XATTRS = {
    "user.a",
    "user." + "n".repeat(240),
    "security.selinux",
    "security.capability",
    "trusted.t",
    "system.posix_acl_access",
    "system.posix_acl_default",
    "lustre.lov",
    "odd.name",
    OverlayXattrs.ESCAPED_WHITEOUT,
    OverlayXattrs.OPAQUE
  };

  private final Random random;
  private final boolean oneTime;
  private final List<ErofsInode> linkable = new ArrayList<>();
  private int left;

  private RandomInodes(long seed, int size) {
    random = new Random(seed);
    oneTime = seed % 3 == 0;
    left = size;
  }

  /** A root directory with at most so many inodes below it, give or take a directory's. */
  static ErofsInode tree(long seed, int size) {
    RandomInodes inodes = new RandomInodes(seed, size);
    ErofsInode root = inodes.directory(0);
    addDots(root, root);
    return root;
  }

  private static void addDots(ErofsInode directory, ErofsInode parent) {
    for (ErofsInode child : directory.children.values()) {
      if (child.isDirectory()) {
        addDots(child, directory);
      }
    }
    directory.children.put(DOT, directory);
    directory.children.put(DOT_DOT, parent);
  }

  private ErofsInode directory(int depth) {
    ErofsInode inode = inode(ErofsInode.Kind.DIRECTORY, Stat.S_IFDIR);
    inode.nlink = 2;
    // Some directories take several blocks.
    int count = random.nextInt(8) == 0 ? random.nextInt(900) : random.nextInt(14);
    for (int i = 0; i < count && left > 0; i++) {
      left--;
      OsPath name = name();
      if (!inode.children.containsKey(name)) {
        ErofsInode child = child(depth);
        if (child.firstParent == null) {
          child.firstParent = inode;
          child.firstName = name;
        }
        inode.nlink += child.isDirectory() ? 1 : 0;
        child.nlink += child.isDirectory() ? 0 : 1;
        inode.children.put(name, child);
      }
    }
    return inode;
  }

  private OsPath name() {
    byte[] bytes = new byte[1 + random.nextInt(random.nextInt(8) == 0 ? 255 : 20)];
    for (int i = 0; i < bytes.length; i++) {
      do {
        bytes[i] = (byte) (random.nextInt(6) == 0 ? random.nextInt(256) : 'a' + random.nextInt(26));
      } while (bytes[i] == 0 || bytes[i] == '/' || bytes[i] == '.');
    }
    return OsPath.ofBytes(bytes);
  }

  private ErofsInode child(int depth) {
    int kind = random.nextInt(20);
    if (kind < 4 && depth < 6) {
      return directory(depth + 1);
    }
    if (kind == 4 && !linkable.isEmpty()) {
      return linkable.get(random.nextInt(linkable.size()));
    }
    ErofsInode inode =
        switch (kind) {
          case 5, 6, 7 -> symlink();
          case 8 -> device(random.nextBoolean() ? Stat.S_IFCHR : Stat.S_IFBLK);
          case 9 ->
              inode(ErofsInode.Kind.BARE, random.nextBoolean() ? Stat.S_IFIFO : Stat.S_IFSOCK);
          case 10, 11, 12 -> inlined();
          case 13 -> inode(ErofsInode.Kind.BARE, Stat.S_IFREG);
          default -> backed();
        };
    linkable.add(inode);
    return inode;
  }

  private ErofsInode symlink() {
    ErofsInode inode = inode(ErofsInode.Kind.SYMLINK, Stat.S_IFLNK);
    int length = 1 + random.nextInt(random.nextInt(4) == 0 ? 4095 : 60);
    inode.data = "t".repeat(length).getBytes(StandardCharsets.US_ASCII);
    return inode;
  }

  private ErofsInode device(int type) {
    ErofsInode inode = inode(ErofsInode.Kind.BARE, type);
    // A third are the device 0:0, a whiteout when it is one of characters.
    inode.rdev =
        random.nextInt(3) == 0 ? 0 : Posix.makedev(random.nextInt(4096), random.nextInt(1 << 20));
    return inode;
  }

  private ErofsInode inlined() {
    ErofsInode inode = inode(ErofsInode.Kind.INLINED, Stat.S_IFREG);
    inode.data = new byte[1 + random.nextInt(random.nextInt(4) == 0 ? 20_000 : 64)];
    random.nextBytes(inode.data);
    return inode;
  }

  private ErofsInode backed() {
    ErofsInode inode = inode(ErofsInode.Kind.CHUNKED, Stat.S_IFREG);
    inode.size =
        random.nextBoolean() ? 1 + random.nextInt(100_000) : (1L << random.nextInt(52)) + 1;
    byte[] digest = new byte[32];
    random.nextBytes(digest);
    inode.xattr(
        OverlayXattrs.METACOPY, OverlayXattrs.metacopy(random.nextInt(3) == 0 ? null : digest));
    if (random.nextInt(8) != 0) {
      inode.xattr(
          OverlayXattrs.REDIRECT,
          ("/aa/" + random.nextInt(1000) + ".file").getBytes(StandardCharsets.US_ASCII));
    }
    return inode;
  }

  private ErofsInode inode(ErofsInode.Kind kind, int type) {
    int permissions = type == Stat.S_IFLNK ? 0777 : random.nextInt(010000);
    int uid = random.nextInt(10) == 0 ? random.nextInt() : random.nextInt(2000);
    int gid = random.nextInt(10) == 0 ? 65534 + random.nextInt(4) : random.nextInt(2000);
    long seconds = oneTime ? 0 : random.nextInt(5) - 2L;
    int nanos = oneTime ? 0 : random.nextInt(3);
    ErofsInode inode =
        new ErofsInode(kind, new Metadata(type | permissions, uid, gid, seconds, nanos, List.of()));
    for (int count = random.nextInt(3) * random.nextInt(4); count > 0; count--) {
      byte[] value = new byte[random.nextInt(6) == 0 ? random.nextInt(3000) : random.nextInt(3)];
      random.nextBytes(value);
      inode.xattr(XATTRS[random.nextInt(XATTRS.length)], value);
    }
    // More than an inode can share.
    for (int i = random.nextInt(40) == 0 ? 150 : 0; i > 0; i--) {
      inode.xattr("user.many" + i, new byte[] {1});
    }
    return inode;
  }
}
