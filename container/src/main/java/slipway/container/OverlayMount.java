package slipway.container;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import slipway.base.Problem;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.UnixException;

/**
 * The layers of an image laid over each other by the kernel (Documentation/filesystems/overlayfs).
 * Layers are given to mount(2) as {@code /proc/self/fd/N}: its options end at a page, and so some
 * 230 layers fit wherever they lie.
 */
public final class OverlayMount implements AutoCloseable {
  private static final String OPTIONS = "index=off,redirect_dir=off,metacopy=off";
  private static final int PAGE = 4096;

  private final Mount mount;
  private final OsPath root;

  private OverlayMount(Mount mount, OsPath root) {
    this.mount = mount;
    this.root = root;
  }

  /**
   * Mounts read only.
   *
   * @param layers bottom first
   * @param scratch an empty directory of the caller's; what is made in it is the caller's to remove
   */
  public static OverlayMount readOnly(List<Path> layers, Path scratch) throws IOException {
    Path empty = Files.createDirectory(scratch.resolve("empty"));
    Path target = Files.createDirectory(scratch.resolve("root"));
    // One layer alone is no overlay for the kernel; an empty one at the bottom changes nothing.
    List<Path> lowers = new ArrayList<>(List.of(empty));
    lowers.addAll(layers);
    if (lowers.size() == 1) {
      lowers.add(Files.createDirectory(scratch.resolve("empty2")));
    }
    return mount(lowers, "", target, Mounts.MS_RDONLY);
  }

  /**
   * Mounts with changes going to {@code scratch/upper}.
   *
   * @param layers bottom first
   * @param upper an existing directory; its metadata is that of the root
   * @param scratch on the same file system
   */
  public static OverlayMount writable(List<Path> layers, Path upper, Path scratch)
      throws IOException {
    Path work = Files.createDirectory(scratch.resolve("work"));
    Path target = Files.createDirectory(scratch.resolve("root"));
    List<Path> lowers =
        layers.isEmpty() ? List.of(Files.createDirectory(scratch.resolve("empty"))) : layers;
    int upperFd = Posix.open(OsPath.of(upper), Posix.O_PATH | Posix.O_CLOEXEC, 0);
    int workFd = Posix.open(OsPath.of(work), Posix.O_PATH | Posix.O_CLOEXEC, 0);
    try {
      // volatile: syncs of a RUN are not worth waiting for; the layer is synced as a whole.
      String more = ",upperdir=" + proc(upperFd) + ",workdir=" + proc(workFd) + ",volatile";
      return mount(lowers, more, target, 0);
    } finally {
      Posix.close(upperFd);
      Posix.close(workFd);
    }
  }

  private static String proc(int fd) {
    return "/proc/self/fd/" + fd;
  }

  private static OverlayMount mount(List<Path> lowers, String more, Path target, long flags)
      throws IOException {
    List<Integer> fds = new ArrayList<>();
    try {
      StringBuilder data = new StringBuilder(OPTIONS).append(more).append(",lowerdir=");
      for (Path layer : lowers.reversed()) {
        int fd =
            Posix.open(OsPath.of(layer), Posix.O_PATH | Posix.O_DIRECTORY | Posix.O_CLOEXEC, 0);
        data.append(fds.isEmpty() ? "" : ":").append(proc(fd));
        fds.add(fd);
      }
      if (data.length() >= PAGE) {
        throw Problem.input(
            "the image has "
                + lowers.size()
                + " layers, more than can be mounted at once; squash some of them");
      }
      return new OverlayMount(
          Mount.of("overlay", target, "overlay", flags, data.toString()), OsPath.of(target));
    } catch (UnixException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "cannot mount an overlay below "
              + target.getParent()
              + " ("
              + e.getMessage()
              + "); the build directory must be on a file system such as ext4, xfs or btrfs",
          e);
    } finally {
      for (int fd : fds) {
        Posix.close(fd);
      }
    }
  }

  /** Where the merged tree is seen. */
  public OsPath root() {
    return root;
  }

  @Override
  public void close() throws IOException {
    mount.close();
  }
}
