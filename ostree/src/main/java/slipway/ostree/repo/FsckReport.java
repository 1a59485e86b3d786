package slipway.ostree.repo;

import java.util.List;

/**
 * What a check of a repository found.
 *
 * @param commits commits that were looked at
 * @param objects objects that were hashed
 * @param errors one sentence each; empty when all is well
 */
public record FsckReport(int commits, int objects, List<String> errors) {
  public boolean isClean() {
    return errors.isEmpty();
  }
}
