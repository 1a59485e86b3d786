package slipway.ostree.container;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.oci.model.Digest;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.object.ObjectType;
import slipway.ostree.repo.Repository;

/**
 * Finds the layers that a repository has, by the digest of their blob and by that of their content.
 */
final class KnownLayers {
  private final Repository repository;
  private final Map<String, Checksum> refs;
  private @Nullable Map<Digest, Checksum> byDiffId;

  KnownLayers(Repository repository) throws IOException {
    this.repository = repository;
    this.refs = repository.refs(ContainerRefs.LAYERS);
  }

  /**
   * The commit of a layer.
   *
   * @param objects whether it shall be of a layer of objects, see {@link EncapsulatedLayer}, or the
   *     commit that they make, and not of a layer of files
   */
  Optional<Commit> find(Digest blob, Digest diffId, boolean objects) throws IOException {
    Checksum commit = refs.get(ContainerRefs.layer(blob));
    if (commit == null || !mayBe(commit, diffId)) {
      commit = byDiffId().get(diffId);
    }
    if (commit == null
        || !repository.has(commit, ObjectType.COMMIT)
        || repository.isPartial(commit)) {
      return Optional.empty();
    }
    // Every importer says so of files, and of nothing else.
    Commit found = repository.readCommit(commit);
    return found.string(LayerCommits.IMPORTER).isPresent() == objects
        ? Optional.empty()
        : Optional.of(found);
  }

  /**
   * A layer that was fetched in parts was held to its diff id alone, so the name of a blob under
   * which it stands is only what one image said. One without a diff id was held to its blob's
   * digest; the diff ids that images list for it were not checked, so it is found by no other name.
   */
  private boolean mayBe(Checksum commit, Digest diffId) throws IOException {
    return !repository.has(commit, ObjectType.COMMIT)
        || LayerCommits.diffId(repository.readCommit(commit)).map(diffId::equals).orElse(true);
  }

  private Map<Digest, Checksum> byDiffId() throws IOException {
    Map<Digest, Checksum> known = byDiffId;
    if (known == null) {
      known = new HashMap<>();
      for (Checksum commit : refs.values()) {
        if (repository.has(commit, ObjectType.COMMIT)) {
          Optional<Digest> diffId = LayerCommits.diffId(repository.readCommit(commit));
          if (diffId.isPresent()) {
            known.put(diffId.get(), commit);
          }
        }
      }
      byDiffId = known;
    }
    return known;
  }
}
