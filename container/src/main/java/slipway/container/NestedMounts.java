package slipway.container;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import slipway.linux.posix.InRoot;
import slipway.linux.posix.OsPath;

/**
 * Mounts of which one may lie within another: the outer one is mounted first, and one that is read
 * only has the mount points that it needs.
 */
public final class NestedMounts implements AutoCloseable {
  private final List<ContainerMount> ordered;
  private final Path scratch;
  private final List<OverlayMount> open = new ArrayList<>();

  /**
   * @param mounts as written; of two with one target the later is seen
   * @param scratch an empty directory
   */
  public NestedMounts(List<ContainerMount> mounts, Path scratch) throws IOException {
    this.scratch = scratch;
    List<ContainerMount> sorted =
        mounts.stream().sorted(Comparator.comparingInt(m -> depth(m.target()))).toList();
    List<ContainerMount> whole = new ArrayList<>();
    try {
      for (ContainerMount m : sorted) {
        List<ContainerMount> inner = sorted.stream().filter(i -> outer(i, sorted) == m).toList();
        whole.add(m.isReadOnlyBind() && m.directory() ? withPoints(m, inner) : m);
      }
    } catch (IOException | RuntimeException e) {
      try (this) {
        throw e;
      }
    }
    this.ordered = List.copyOf(whole);
  }

  /** In the order in which they are mounted. */
  public List<ContainerMount> ordered() {
    return ordered;
  }

  private static int depth(String target) {
    return OsPath.of(InRoot.clean(target)).components().size();
  }

  /** Whether a path is beneath a directory. */
  public static boolean isBeneath(String path, String directory) {
    return path.startsWith(directory.endsWith("/") ? directory : directory + "/");
  }

  /** The innermost mount that a mount lies in, or itself when there is none. */
  private static ContainerMount outer(ContainerMount inner, List<ContainerMount> sorted) {
    ContainerMount outer = inner;
    for (ContainerMount m : sorted) {
      if (isBeneath(inner.target(), m.target())) {
        outer = m;
      }
    }
    return outer;
  }

  /** The source with a layer over it that has the mount points which the source lacks. */
  private ContainerMount withPoints(ContainerMount outer, List<ContainerMount> inner)
      throws IOException {
    OsPath source = OsPath.of(Path.of(outer.source()));
    List<ContainerMount> lacking = new ArrayList<>();
    for (ContainerMount m : inner) {
      if (m != outer && InRoot.resolve(source, relative(m, outer)).isEmpty()) {
        lacking.add(m);
      }
    }
    if (lacking.isEmpty()) {
      return outer;
    }
    Path place = Files.createDirectory(scratch.resolve("points-" + open.size()));
    Path stub = Files.createDirectory(place.resolve("stub"));
    StubLayer points = new StubLayer(source, stub);
    for (ContainerMount m : lacking) {
      points.add(relative(m, outer).toString(), m.directory());
    }
    OverlayMount overlay = OverlayMount.readOnly(List.of(Path.of(outer.source()), stub), place);
    open.add(overlay);
    return ContainerMount.bind(overlay.root().toString(), outer.target(), true, true);
  }

  private static OsPath relative(ContainerMount inner, ContainerMount outer) {
    return OsPath.of(InRoot.clean(inner.target().substring(outer.target().length())));
  }

  @Override
  public void close() throws IOException {
    IOException failure = null;
    for (OverlayMount mount : open.reversed()) {
      try {
        mount.close();
      } catch (IOException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
