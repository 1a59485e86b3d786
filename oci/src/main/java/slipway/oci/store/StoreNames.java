package slipway.oci.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.oci.layout.LayoutIndex;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;

/**
 * The names in a store, which are the entries of {@code index.json}. They change under {@code
 * names.lock}; the rename of a new index is the commit point.
 */
final class StoreNames {
  private final Path root;

  /**
   * @param root the folder of the store
   */
  StoreNames(Path root) {
    this.root = root;
  }

  /** Writes {@code oci-layout} and an empty index when one of them is missing. */
  void initialize() throws IOException {
    if (!Files.exists(root.resolve(LayoutIndex.LAYOUT_FILE))
        || !Files.exists(root.resolve(LayoutIndex.FILE))) {
      change(
          index -> {
            AtomicFile.write(root.resolve(LayoutIndex.LAYOUT_FILE), LayoutIndex.LAYOUT);
            return true;
          });
    }
  }

  /** The names as they are now. */
  LayoutIndex index() {
    try {
      return LayoutIndex.read(root);
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT, "cannot read the names in " + root + ": " + e.getMessage(), e);
    }
  }

  List<LayoutIndex.Entry> entries() {
    return index().entries();
  }

  /** Gives a manifest names, or an entry without a name, in one change of the index. */
  void put(Manifest manifest, List<Reference> names) {
    boolean renamed =
        change(
            index -> {
              boolean changed = names.isEmpty() && index.put(manifest.descriptor(), null);
              for (Reference name : names) {
                changed |= index.put(manifest.descriptor(), LocalStore.stored(name).toString());
              }
              if (manifest instanceof Manifest.Index parent) {
                Set<Digest> children = new HashSet<>();
                parent.manifests().forEach(m -> children.add(m.digest()));
                changed |=
                    index.removeIf(
                        e -> e.name() == null && children.contains(e.descriptor().digest()));
              }
              return changed;
            });
    if (!renamed) {
      sync(); // Whoever wrote them may have died before they were durable.
    }
  }

  /** Removes a name, even one that is not valid, and says whether it was there. */
  boolean remove(String name) {
    return change(index -> index.removeIf(e -> name.equals(e.name())) | index.removeBroken(name));
  }

  /** Removes entries without a name, and says whether there were any. */
  boolean removeUnnamed(Predicate<Descriptor> which) {
    return change(index -> index.removeIf(e -> e.name() == null && which.test(e.descriptor())));
  }

  private interface Change {
    boolean apply(LayoutIndex index) throws IOException;
  }

  private boolean change(Change change) {
    try (Flock lock = Flock.file(root.resolve("names.lock"), true)) {
      AtomicFile.sweep(root);
      LayoutIndex index = LayoutIndex.read(root);
      boolean changed = change.apply(index);
      if (changed) {
        index.write(root);
      }
      return changed;
    } catch (AtomicFile.NotSynced e) {
      throw new Problem(Problem.Kind.ENVIRONMENT, "the names are changed: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "cannot change the names in " + root + ": " + e.getMessage(),
          e);
    }
  }

  private void sync() {
    try {
      AtomicFile.syncDirectory(root);
    } catch (IOException e) {
      throw new Problem(Problem.Kind.ENVIRONMENT, "cannot sync " + root + ": " + e.getMessage(), e);
    }
  }
}
