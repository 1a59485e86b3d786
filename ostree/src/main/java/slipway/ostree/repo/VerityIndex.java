package slipway.ostree.repo;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.ostree.container.ContainerImages;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;

/**
 * The fs-verity digests that imports recorded, so that files need not be read again: in the commit
 * of a layer for its files, found from an image through its layers; in that of an image for files
 * whose layer's commit is not ours to write. Read when first asked. Safe for use by many threads.
 */
public final class VerityIndex {
  /** Metadata of a layer's commit: checksum and digest of each file, 32 bytes each, sorted. */
  public static final String KEY = "slipway.layer.verity";

  private static final int HASH = 32;

  private final Repository repository;
  private final Commit commit;
  private @Nullable Map<Checksum, byte[]> digests;

  /**
   * @param commit of a layer, of an image, or any other, for which nothing is known
   */
  VerityIndex(Repository repository, Commit commit) {
    this.repository = repository;
    this.commit = commit;
  }

  synchronized Optional<byte[]> find(Checksum object) throws IOException {
    if (digests == null) {
      Map<Checksum, byte[]> all = new HashMap<>();
      addTable(commit, all);
      if (commit.string(ContainerImages.MANIFEST).isPresent()) {
        for (Checksum layer : new ContainerImages(repository).layersOf(commit)) {
          repository.readableCommit(layer).ifPresent(read -> addTable(read, all));
        }
      }
      digests = all;
    }
    return Optional.ofNullable(digests.get(object));
  }

  /** The files whose digests a commit's own metadata has. */
  public static Set<Checksum> recorded(Commit commit) {
    Map<Checksum, byte[]> table = new HashMap<>();
    addTable(commit, table);
    return table.keySet();
  }

  /** The value of {@link #KEY}. */
  public static GVariant table(Map<Checksum, byte[]> digests) {
    byte[] table = new byte[digests.size() * 2 * HASH];
    int at = 0;
    for (Map.Entry<Checksum, byte[]> entry : new TreeMap<>(digests).entrySet()) {
      System.arraycopy(entry.getKey().bytes(), 0, table, at, HASH);
      System.arraycopy(entry.getValue(), 0, table, at + HASH, HASH);
      at += 2 * HASH;
    }
    return GVariant.bytes(table);
  }

  private static void addTable(Commit from, Map<Checksum, byte[]> all) {
    byte[] table = from.bytes(KEY).orElse(new byte[0]);
    if (table.length % (2 * HASH) != 0) {
      throw Problem.corrupt(
          "the table of fs-verity digests in the commit " + from.checksum() + " is cut off");
    }
    for (int at = 0; at < table.length; at += 2 * HASH) {
      all.put(
          Checksum.of(Arrays.copyOfRange(table, at, at + HASH)),
          Arrays.copyOfRange(table, at + HASH, at + 2 * HASH));
    }
  }
}
