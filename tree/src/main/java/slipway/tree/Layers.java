package slipway.tree;

import java.util.List;

/** Lays layers over each other (OCI image-spec, layer.md, "Applying Changesets"). */
public final class Layers {
  private Layers() {}

  /** Merges, bottom first. Nodes that no upper layer touches are shared, not copied. */
  public static FileTree merge(List<Layer> layers) {
    throw new AssertionError();
  }
}
