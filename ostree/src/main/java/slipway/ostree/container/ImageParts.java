package slipway.ostree.container;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.ImageTotals;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;
import slipway.ostree.repo.VerityIndex;
import slipway.tree.Layer;

/** What of an image is there so far; each part that comes sets the ref of its layer. One thread. */
final class ImageParts {
  /** Layers of files, by blob, and their commits. */
  final Map<Digest, Layer> layers = new HashMap<>();

  final Map<Digest, Checksum> commits = new HashMap<>();

  /** Blobs of layers that were there already, and never held to a diff id. */
  final Set<Digest> unchecked = new HashSet<>();

  /** Blobs of layers that lack objects, see {@link LayerFilter#isWithoutObjects}. */
  final Set<Digest> withoutObjects = new HashSet<>();

  final EncapsulatedBase base = new EncapsulatedBase();
  final List<Commit> contents = new ArrayList<>();

  /** Files whose fs-verity digests stand in the commits of layers. */
  final Set<Checksum> verity = new HashSet<>();

  /** What files of layers hold that came in parts, by blob. */
  final Map<Digest, List<LayerFetch.Known>> known = new HashMap<>();

  /** Objects with content that attempts in vain wrote. */
  final Set<Checksum> vain = new HashSet<>();

  /** Commits of layers that attempts in vain wrote. */
  final Set<Checksum> vainCommits = new HashSet<>();

  /** The commit that the lower layers encapsulate, when it is there. */
  @Nullable Checksum whole;

  /** The layer that brought it. */
  @Nullable Descriptor wholeLayer;

  /** How many layers have refs. */
  int count;

  private final Transaction transaction;

  ImageParts(Transaction transaction) {
    this.transaction = transaction;
  }

  /**
   * Takes a layer that the repository has.
   *
   * @param commit of the layer
   */
  void addPresent(Repository repository, WantedLayer wanted, Commit commit, ImageTotals totals)
      throws IOException {
    Digest blob = wanted.blob().digest();
    if (LayerCommits.diffId(commit).isEmpty()) {
      unchecked.add(blob);
    }
    if (LayerCommits.isWithoutObjects(commit)) {
      withoutObjects.add(blob);
    }
    if (!wanted.objects()) {
      Layer layer = LayerCommits.read(repository, commit.checksum());
      layer.countIn(totals);
      layers.put(blob, layer);
    } else if (EncapsulatedLayer.isContent(repository, commit)) {
      contents.add(commit);
    } else {
      whole = commit.checksum();
    }
    verity.addAll(VerityIndex.recorded(commit));
    name(blob, commit.checksum());
  }

  /** Takes a layer of files that came. */
  void addFiles(WantedLayer wanted, LayerFetch.Fetched fetched) {
    Digest blob = wanted.blob().digest();
    layers.put(blob, fetched.layer());
    commits.put(blob, fetched.commit());
    if (fetched.withoutObjects()) {
      withoutObjects.add(blob);
    }
    if (!fetched.known().isEmpty()) {
      known.put(blob, fetched.known());
    }
    vain.addAll(fetched.vain());
    name(blob, fetched.commit());
  }

  /**
   * Takes a layer of objects that came.
   *
   * @param commit of a layer of content alone
   */
  void addObjects(WantedLayer wanted, EncapsulatedLayer layer, Optional<Checksum> commit) {
    base.add(layer);
    if (commit.isPresent()) {
      verity.addAll(layer.contents().keySet());
      name(wanted.blob().digest(), commit.get());
    } else {
      wholeLayer = wanted.blob();
    }
  }

  private void name(Digest blob, Checksum commit) {
    transaction.setRef(ContainerRefs.layer(blob), commit);
    count++;
  }
}
