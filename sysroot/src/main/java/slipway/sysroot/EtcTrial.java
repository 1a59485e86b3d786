package slipway.sysroot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import slipway.base.Printable;
import slipway.linux.posix.OsPath;
import slipway.sysroot.write.DeploymentWriter;
import slipway.sysroot.write.EtcMerge;

/**
 * What the merge of /etc into a new deployment will come to, before it is made.
 *
 * @param warnings is told in a sentence what somebody can still put right
 */
record EtcTrial(Consumer<String> warnings) {
  /** A policy as the kernel reads it, which is made of its modules. */
  private static final Pattern POLICY = Pattern.compile("selinux/[^/]+/policy/policy\\.[0-9]+");

  /**
   * Finds out what the merge of /etc will do. What cannot be merged at shutdown is told now, while
   * somebody is there to hear it, and can still be put right.
   *
   * @param created the new deployment
   * @param merge the one whose changes are taken over
   * @param stage whether the shutdown does it, not we
   */
  void run(Path created, Path merge, boolean stage) throws IOException {
    Path etc = created.resolve("etc");
    if (!stage) {
      refuseConflicts(created, merge);
    } else if (Files.isDirectory(etc)) {
      EtcMerge changes = DeploymentWriter.etcChanges(merge);
      for (OsPath path : changes.conflicts(etc)) {
        warnings.accept(
            "warning: "
                + EtcMerge.conflict(path)
                + ": until /etc/"
                + path
                + " is renamed or removed, a reboot starts the old system again");
      }
      List<OsPath> own = changes.overridden(etc);
      if (!own.isEmpty()) {
        warnings.accept(
            "changes of this machine stay, and keep the image's new version out of "
                + listed(own)
                + "; bootc etc restore takes them back");
      }
      if (own.stream().anyMatch(path -> POLICY.matcher(path.toString()).matches())) {
        warnings.accept(
            "warning: this machine's SELinux policy was changed (semodule, setsebool -P), so the"
                + " new version starts with the policy as it is now and without the changes of its"
                + " image's: run semodule -N --refresh there and restart");
      }
    }
  }

  private static String listed(List<OsPath> paths) {
    int shown = Math.min(paths.size(), 5);
    String text =
        paths.subList(0, shown).stream()
            .map(path -> "/etc/" + Printable.text(path.toString()))
            .collect(Collectors.joining(", "));
    return shown < paths.size() ? text + " and " + (paths.size() - shown) + " more" : text;
  }

  /** Refuses a deployment into which a local change of /etc cannot be merged. */
  static void refuseConflicts(Path created, Path merge) throws IOException {
    Path etc = created.resolve("etc");
    if (Files.isDirectory(etc)) {
      DeploymentWriter.etcChanges(merge).refuseConflicts(etc);
    }
  }
}
