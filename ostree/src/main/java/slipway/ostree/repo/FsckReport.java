package slipway.ostree.repo;

import java.util.List;
import java.util.Set;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;

/**
 * What a check of a repository found.
 *
 * @param commits commits that were looked at
 * @param objects objects that were hashed
 * @param errors one sentence each; empty when all is well
 * @param broken objects that are missing, damaged or cannot be read
 */
public record FsckReport(int commits, int objects, List<String> errors, Set<Broken> broken) {
  public FsckReport {
    errors = List.copyOf(errors);
    broken = Set.copyOf(broken);
  }

  /** What to do about damage in a repository, for the end of a sentence that tells it. */
  public static final String REPAIR = "; on a machine, bootc fsck --repair mends it";

  /** An object that is not what its name says. */
  public record Broken(Checksum checksum, ObjectType type) {}

  public boolean isClean() {
    return errors.isEmpty();
  }
}
