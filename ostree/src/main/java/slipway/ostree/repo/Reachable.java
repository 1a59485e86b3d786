package slipway.ostree.repo;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;
import slipway.ostree.object.TreeRoot;

/** Collects the objects that commits hold, each directory looked at once. */
final class Reachable {
  /** An object. */
  record ObjectName(Checksum checksum, ObjectType type) {
    /** By hand: pruning asks some hundred thousand times. */
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof ObjectName that
          && type == that.type
          && checksum.equals(that.checksum);
    }

    @Override
    public int hashCode() {
      return 31 * checksum.hashCode() + type.ordinal();
    }
  }

  private final Repository repository;
  private final @Nullable Consumer<String> damage;
  private final Set<ObjectName> objects = new HashSet<>();

  /**
   * @param damage is told what metadata cannot be read, and the rest goes on; null to fail instead
   */
  Reachable(Repository repository, @Nullable Consumer<String> damage) {
    this.repository = repository;
    this.damage = damage;
  }

  Set<ObjectName> objects() {
    return objects;
  }

  /** Adds a commit and all below it, but not its parent. */
  void addCommit(Checksum checksum) throws IOException {
    if (!objects.add(new ObjectName(checksum, ObjectType.COMMIT))) {
      return;
    }
    boolean partial = repository.isPartial(checksum);
    try {
      addDirectory(repository.commit(checksum).root(), partial);
    } catch (Problem e) {
      report(e);
    }
  }

  private void addDirectory(TreeRoot root, boolean partial) throws IOException {
    objects.add(new ObjectName(root.dirmeta(), ObjectType.DIRMETA));
    if (!objects.add(new ObjectName(root.dirtree(), ObjectType.DIRTREE))
        || (partial && !repository.has(root.dirtree(), ObjectType.DIRTREE))) {
      return;
    }
    Objects.DirTree entries;
    try {
      // Who looks for damage wants what is on the disk now.
      entries =
          damage == null && repository.has(root.dirtree(), ObjectType.DIRTREE)
              ? repository.directory(root.dirtree())
              : Objects.dirTree(repository.readMetadata(root.dirtree(), ObjectType.DIRTREE));
    } catch (Problem e) {
      report(e);
      return;
    }
    for (Checksum file : entries.files().values()) {
      objects.add(new ObjectName(file, ObjectType.FILE));
    }
    for (TreeRoot sub : entries.directories().values()) {
      addDirectory(sub, partial);
    }
  }

  private void report(Problem problem) {
    if (damage == null) {
      throw problem;
    }
    damage.accept(String.valueOf(problem.getMessage()));
  }
}
