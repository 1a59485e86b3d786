package slipway.archive.tar;

import java.util.List;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;

/**
 * What an inode carries beside its content.
 *
 * @param mode type and permission bits, as st_mode
 * @param mtimeSeconds modification time, seconds since the epoch
 * @param mtimeNanos and its nanoseconds
 * @param xattrs extended attributes, sorted by name, no name twice
 */
public record Metadata(
    int mode, int uid, int gid, long mtimeSeconds, int mtimeNanos, List<Xattr> xattrs) {
  public Metadata {
    // Most inodes have none or one, and an import makes some ten thousand of these.
    xattrs =
        xattrs.size() < 2
            ? List.copyOf(xattrs)
            : xattrs.stream().sorted(java.util.Comparator.comparing(Xattr::name)).toList();
  }

  /** A directory of root's with these permission bits, time 0, no attributes. */
  public static Metadata directory(int permissions) {
    return new Metadata(Stat.S_IFDIR | permissions, 0, 0, 0, 0, List.of());
  }

  /** A regular file of root's with these permission bits, time 0, no attributes. */
  public static Metadata file(int permissions) {
    return new Metadata(Stat.S_IFREG | permissions, 0, 0, 0, 0, List.of());
  }

  /** A symbolic link of root's, time 0. */
  public static Metadata symlink() {
    return new Metadata(Stat.S_IFLNK | 0777, 0, 0, 0, 0, List.of());
  }

  /** Permission bits with setuid, setgid and sticky. */
  public int permissions() {
    return mode & 07777;
  }

  /** The file type bits, one of Stat.S_IF*. */
  public int type() {
    return mode & Stat.S_IFMT;
  }

  public Metadata withXattrs(List<Xattr> other) {
    return new Metadata(mode, uid, gid, mtimeSeconds, mtimeNanos, other);
  }

  public Metadata withMtime(long seconds, int nanos) {
    return new Metadata(mode, uid, gid, seconds, nanos, xattrs);
  }

  /** The same with the permission bits replaced. */
  public Metadata withPermissions(int permissions) {
    return new Metadata(type() | (permissions & 07777), uid, gid, mtimeSeconds, mtimeNanos, xattrs);
  }

  public Metadata withOwner(int user, int group) {
    return new Metadata(mode, user, group, mtimeSeconds, mtimeNanos, xattrs);
  }

  /** The value of an attribute by its full name, such as {@code security.capability}. */
  public java.util.Optional<byte[]> xattr(String name) {
    return xattrs.stream().filter(x -> x.name().is(name)).findFirst().map(Xattr::value);
  }

  /** An extended attribute; equal when name and bytes are. */
  public record Xattr(OsPath name, byte[] value) {
    @Override
    public boolean equals(Object o) {
      return o instanceof Xattr x && x.name.equals(name) && java.util.Arrays.equals(x.value, value);
    }

    @Override
    public int hashCode() {
      return 31 * name.hashCode() + java.util.Arrays.hashCode(value);
    }
  }
}
