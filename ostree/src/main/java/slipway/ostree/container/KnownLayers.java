package slipway.ostree.container;

import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import slipway.oci.model.Digest;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.repo.Repository;

/**
 * Finds the layers that a repository has, by the digest of their blob and by that of their content.
 */
final class KnownLayers {
  private final Repository repository;
  private final Map<String, Checksum> refs;
  private final Consumer<Checksum> damaged;
  private final Set<Checksum> told = new HashSet<>();
  private @Nullable Map<Digest, Checksum> byDiffId;

  /**
   * @param damaged hears of commits that cannot be read, which is as good as not to have them
   */
  KnownLayers(Repository repository, Consumer<Checksum> damaged) throws IOException {
    this.repository = repository;
    this.refs = repository.refs(ContainerRefs.LAYERS);
    this.damaged = damaged;
  }

  /**
   * The commit of a layer: of a layer of objects, see {@link EncapsulatedLayer}, or the commit that
   * they make, or of a layer of files, as it is wanted.
   */
  Optional<Commit> find(WantedLayer wanted) {
    Digest diffId = wanted.diffId();
    Optional<Commit> named =
        Optional.ofNullable(refs.get(ContainerRefs.layer(wanted.blob().digest())))
            .flatMap(this::read)
            .filter(commit -> mayBe(commit, diffId));
    return named
        .or(() -> Optional.ofNullable(byDiffId().get(diffId)).flatMap(this::read))
        .filter(commit -> !repository.isPartial(commit.checksum()))
        // Every importer says so of files, and of nothing else.
        .filter(commit -> commit.string(LayerCommits.IMPORTER).isPresent() != wanted.objects())
        .filter(commit -> !wanted.onCommit() || !LayerCommits.isWithoutObjects(commit));
  }

  /**
   * A layer that was fetched in parts was held to its diff id alone, so the name of a blob under
   * which it stands is only what one image said. One without a diff id was held to its blob's
   * digest; the diff ids that images list for it were not checked, so it is found by no other name.
   */
  private static boolean mayBe(Commit commit, Digest diffId) {
    return LayerCommits.diffId(commit).map(diffId::equals).orElse(true);
  }

  private Map<Digest, Checksum> byDiffId() {
    Map<Digest, Checksum> known = byDiffId;
    if (known == null) {
      known = new HashMap<>();
      for (Checksum checksum : refs.values()) {
        Optional<Digest> diffId = read(checksum).flatMap(LayerCommits::diffId);
        if (diffId.isPresent()) {
          known.put(diffId.get(), checksum);
        }
      }
      byDiffId = known;
    }
    return known;
  }

  private Optional<Commit> read(Checksum checksum) {
    Optional<Commit> commit = repository.readableCommit(checksum);
    if (commit.isEmpty() && told.add(checksum)) {
      damaged.accept(checksum);
    }
    return commit;
  }
}
