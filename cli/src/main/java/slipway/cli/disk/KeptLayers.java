package slipway.cli.disk;

import java.util.HashSet;
import java.util.Set;
import slipway.base.Progress;
import slipway.cli.command.State;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;
import slipway.ostree.container.LayerCache;

/** The layers that builds of disks keep for later ones, beside the images of a store. */
final class KeptLayers {
  private KeptLayers() {}

  /** Lets go what no image of the store has any more; for after a build. */
  static void trim(State state, LocalStore store, Progress progress) {
    Set<Digest> layers = new HashSet<>();
    for (LocalStore.Named image : store.list()) {
      if (image.manifest() instanceof Manifest.Image one) {
        one.layers().forEach(layer -> layers.add(layer.digest()));
      }
    }
    new LayerCache(state.layersDirectory()).trim(layers, progress);
  }
}
