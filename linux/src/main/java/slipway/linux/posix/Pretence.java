package slipway.linux.posix;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Lets a user fill a folder as only root can. While this is open, what {@link Posix}, {@link
 * Xattrs} and {@link Ioctls} are to give the files below it of owners, modes, extended attributes
 * and the immutable flag is kept here, by inode, and they answer from here; a device is an empty
 * file meanwhile. On the disk all belongs to the user, who can read and write it whatever its mode
 * says. What nobody said anything of is root's.
 *
 * <p>The folder is as a file system of its own: no link and no rename leads into it or out of it.
 * One below another takes its part away from that. Outside, nothing is any different. The files go
 * with the process, so nothing in the folder is synced.
 *
 * <p>What the JDK itself tells of files in the folder is what the disk has. It may create, fill and
 * remove them; modes that it sets count, too.
 */
public final class Pretence implements AutoCloseable {
  private static final OsPath PROC_FD = OsPath.of("/proc/self/fd");
  private static final String PROC_FD_PREFIX = "/proc/self/fd/";
  private static final int PERMISSIONS = 0777;

  /** The kernel's own numbers of devices are smaller. */
  private static final AtomicLong DEVICES = new AtomicLong(1L << 48);

  /** Those that are open, inner ones first. */
  private static volatile List<Pretence> all = List.of();

  private final Path folder;
  private final OsPath top;
  private final OsPath below;
  private final long device = DEVICES.getAndIncrement();
  private final ConcurrentHashMap<Inode, Told> told = new ConcurrentHashMap<>();

  /** Many files have the same attributes. */
  private final ConcurrentHashMap<List<PretendedXattr>, List<PretendedXattr>> known =
      new ConcurrentHashMap<>();

  /** An inode's number is given to another file when it is free; hardly at the same time. */
  private record Inode(long device, long number, long seconds, int nanos) {}

  /**
   * An inode as the kernel tells it.
   *
   * @param seconds when it was made, with {@code nanos}; 0 where the file system does not know
   */
  record Found(Stat stat, long seconds, int nanos) {
    private Inode inode() {
      return new Inode(stat.device(), stat.inode(), seconds, nanos);
    }
  }

  /**
   * What was said of an inode.
   *
   * @param mode with the type; -1 for what the disk has
   * @param kept the permissions on the disk that stand for it
   */
  private record Told(
      int uid,
      int gid,
      int mode,
      int kept,
      long rdev,
      boolean immutable,
      List<PretendedXattr> xattrs) {
    static final Told NOTHING = new Told(0, 0, -1, 0, 0, false, List.of());

    int mode(Stat real) {
      if (mode < 0) {
        return real.mode();
      }
      return real.permissions() == kept ? mode : (mode & Stat.S_IFMT) | real.permissions();
    }

    /** Whether the disk can say the same of the type and the mode. */
    boolean isOnDisk(Stat real) {
      return kept == (mode & 07777) && (mode & Stat.S_IFMT) == (real.mode() & Stat.S_IFMT);
    }

    Told withOwner(int user, int group) {
      return new Told(user, group, mode, kept, rdev, immutable, xattrs);
    }

    Told withMode(int shown, int onDisk) {
      return new Told(uid, gid, shown, onDisk, rdev, immutable, xattrs);
    }

    Told withDevice(int shown, int onDisk, long number) {
      return new Told(uid, gid, shown, onDisk, number, immutable, xattrs);
    }

    Told withImmutable(boolean flag) {
      return new Told(uid, gid, mode, kept, rdev, flag, xattrs);
    }

    Told withXattrs(List<PretendedXattr> all) {
      return new Told(uid, gid, mode, kept, rdev, immutable, all);
    }
  }

  private Pretence(Path folder) {
    this.folder = folder;
    this.top = OsPath.of(folder);
    this.below = top.concat(OsPath.of("/"));
  }

  /**
   * Begins it, in the whole process.
   *
   * @param folder that exists; of the user
   */
  public static Pretence below(Path folder) throws IOException {
    Pretence made = new Pretence(folder.toRealPath());
    synchronized (Pretence.class) {
      List<Pretence> more = new ArrayList<>(all);
      more.add(0, made);
      all = List.copyOf(more);
    }
    return made;
  }

  /** The folder by its real path, by which it has to be spoken of. */
  public Path folder() {
    return folder;
  }

  /** Whether files in a folder can be given to anybody: to root they all can. */
  public static boolean mayOwn(OsPath folder) {
    return Posix.geteuid() == 0 || over(Posix.AT_FDCWD, folder) != null;
  }

  @Override
  public void close() {
    synchronized (Pretence.class) {
      List<Pretence> fewer = new ArrayList<>(all);
      fewer.remove(this);
      all = List.copyOf(fewer);
    }
    told.clear();
    known.clear();
  }

  // ---- which one ----

  /** The one that a path lies in; nearly always there is none at all. */
  static @Nullable Pretence over(int dir, OsPath path) {
    List<Pretence> open = all;
    if (open.isEmpty()) {
      return null;
    }
    OsPath whole = whole(dir, path);
    return open.stream().filter(p -> p.holds(whole)).findFirst().orElse(null);
  }

  /** The one that an open file lies in. */
  static @Nullable Pretence over(int fd) {
    return all.isEmpty() ? null : over(fd, OsPath.of(""));
  }

  /** A name that was made just now: nothing is known yet of what it is for. */
  static void begin(int dir, OsPath path) throws UnixException {
    Pretence pretence = over(dir, path);
    if (pretence != null) {
      pretence.forget(StatCall.find(dir, path, false));
    }
  }

  /** Neither a link nor a rename leads into one or out of it. */
  static void requireOneFileSystem(String call, int fromDir, OsPath from, int toDir, OsPath to)
      throws UnixException {
    if (over(fromDir, from) != over(toDir, to)) {
      throw Native.error(call, to, UnixException.EXDEV);
    }
  }

  private boolean holds(OsPath path) {
    return path.startsWith(below) || path.equals(top);
  }

  private static OsPath whole(int dir, OsPath path) {
    if (!path.isAbsolute()) {
      return dir == Posix.AT_FDCWD ? path : location(Integer.toString(dir)).resolve(path);
    }
    if (!path.startsWith(PROC_FD_PREFIX)) {
      return path;
    }
    List<OsPath> parts = path.components();
    if (parts.size() < 4) {
      return path;
    }
    OsPath at = location(parts.get(3).toString());
    for (OsPath part : parts.subList(4, parts.size())) {
      at = at.resolve(part);
    }
    return at;
  }

  private static OsPath location(String fd) {
    try {
      return Posix.readlink(PROC_FD.resolve(fd));
    } catch (UnixException e) {
      return OsPath.of(""); // The call itself will tell.
    }
  }

  // ---- what calls say and ask; each is told what the kernel knows of the inode ----

  /** A new inode: nothing was said of it yet. */
  void forget(Found found) {
    told.remove(found.inode());
  }

  Stat shown(Found found) {
    Stat real = found.stat();
    Told said = of(found);
    return new Stat(
        said.mode(real),
        said.uid(),
        said.gid(),
        real.size(),
        real.mtimeSeconds(),
        real.mtimeNanos(),
        real.inode(),
        device,
        real.nlink(),
        said.mode() < 0 ? real.rdev() : said.rdev(),
        real.blocks());
  }

  /** As chown(2) by root: set-id bits and capabilities go. */
  void chown(Found found, int uid, int gid) {
    change(
        found,
        old -> {
          Told next = old.withOwner(uid == -1 ? old.uid() : uid, gid == -1 ? old.gid() : gid);
          int mode = old.mode(found.stat());
          if ((mode & Stat.S_IFMT) == Stat.S_IFDIR) {
            return next;
          }
          int cleared = mode & ~((mode & 0010) == 0 ? 04000 : 06000);
          return (cleared == mode ? next : next.withMode(cleared, found.stat().permissions()))
              .withXattrs(shared(PretendedXattr.without(old.xattrs(), PretendedXattr.CAPABILITY)));
        });
  }

  /**
   * As chmod(2).
   *
   * @return the permissions that the file is to have on the disk
   */
  int chmod(Found found, int mode) {
    Stat real = found.stat();
    int onDisk = (mode & PERMISSIONS) | (real.isDirectory() ? 0700 : 0600);
    change(
        found,
        old ->
            old.withMode((old.mode(real) & Stat.S_IFMT) | (mode & 07777), onDisk)
                .withXattrs(shared(PretendedXattr.afterChmod(old.xattrs(), mode))));
    return onDisk;
  }

  /**
   * A file whose mode the JDK has set so that its owner may not open it; root may.
   *
   * @return the permissions that it is to have on the disk, by which the user may
   */
  int opened(Found found) {
    Stat real = found.stat();
    int onDisk = (real.permissions() & PERMISSIONS) | (real.isDirectory() ? 0700 : 0600);
    change(found, old -> old.withMode(old.mode(real), onDisk));
    return onDisk;
  }

  /** As mknod(2), for a new file that stands for a device. */
  void mknod(Found found, int mode, long rdev) {
    int onDisk = found.stat().permissions();
    int masked = (mode | 0600) & 0777 & ~onDisk;
    change(found, old -> old.withDevice(mode & ~masked, onDisk, rdev));
  }

  void setImmutable(Found found, boolean flag) {
    change(found, old -> old.withImmutable(flag));
  }

  /** Whether a file has the immutable flag of chattr(1). */
  public boolean isImmutable(OsPath path) throws UnixException {
    return of(StatCall.find(Posix.AT_FDCWD, path, false)).immutable();
  }

  byte @Nullable [] getxattr(Found found, OsPath name) {
    for (PretendedXattr each : of(found).xattrs()) {
      if (each.name().equals(name)) {
        return each.value().clone();
      }
    }
    return null;
  }

  List<OsPath> listxattr(Found found) {
    return of(found).xattrs().stream().map(PretendedXattr::name).toList();
  }

  /**
   * As setxattr(2) of the kernel with ext4.
   *
   * @return 0, or what errno is
   */
  int setxattr(Found found, OsPath name, byte[] value) {
    int type = of(found).mode(found.stat()) & Stat.S_IFMT;
    int refused = PretendedXattr.refused(name, value, type);
    if (refused == 0) {
      change(
          found,
          old -> {
            Told next = old.withXattrs(shared(PretendedXattr.with(old.xattrs(), name, value)));
            int mode = PretendedXattr.modeOf(name, value, old.mode(found.stat()));
            return mode == old.mode(found.stat())
                ? next
                : next.withMode(mode, found.stat().permissions());
          });
    }
    return refused;
  }

  /**
   * As removexattr(2).
   *
   * @return 0, or what errno is
   */
  int removexattr(Found found, OsPath name) {
    int type = of(found).mode(found.stat()) & Stat.S_IFMT;
    int kept = PretendedXattr.kept(name, type, getxattr(found, name) != null);
    if (kept == 0) {
      change(found, old -> old.withXattrs(shared(PretendedXattr.without(old.xattrs(), name))));
    }
    return kept;
  }

  private Told of(Found found) {
    return told.getOrDefault(found.inode(), Told.NOTHING);
  }

  private void change(Found found, UnaryOperator<Told> how) {
    told.compute(
        found.inode(),
        (inode, old) -> {
          Told next = how.apply(old == null ? Told.NOTHING : old);
          // Nearly all files are root's with a mode that the user can have, too.
          Told least = next.isOnDisk(found.stat()) ? next.withMode(-1, 0) : next;
          return least.equals(Told.NOTHING) ? null : least;
        });
  }

  private List<PretendedXattr> shared(List<PretendedXattr> xattrs) {
    if (xattrs.isEmpty()) {
      return List.of();
    }
    List<PretendedXattr> before = known.putIfAbsent(xattrs, xattrs);
    return before == null ? xattrs : before;
  }
}
