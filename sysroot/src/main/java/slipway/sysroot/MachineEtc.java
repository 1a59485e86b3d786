package slipway.sysroot;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.StagedFile;
import slipway.sysroot.write.DeploymentWriter;
import slipway.sysroot.write.EtcMerge;
import slipway.sysroot.write.EtcRestore;

/** The running system's {@code /etc}. Reading needs no lock; {@link #restore} takes it. */
public final class MachineEtc {
  private final Sysroot sysroot;

  MachineEtc(Sysroot sysroot) {
    this.sysroot = sysroot;
  }

  /** What of the changes of /etc cannot be merged into the staged deployment as it is now. */
  public List<OsPath> conflicts() throws IOException {
    StagedFile file = sysroot.state().stagedFile();
    Deployment staged = sysroot.state().staged();
    Deployment merge =
        sysroot.deployments().stream()
            .filter(d -> file != null && StagedFile.Name.of(d).equals(file.merge()))
            .findFirst()
            .orElse(null);
    if (staged == null
        || merge == null
        || !Files.isDirectory(sysroot.path(staged).resolve("etc"))) {
      return List.of();
    }
    return DeploymentWriter.etcChanges(sysroot.path(merge))
        .conflicts(sysroot.path(staged).resolve("etc"));
  }

  /** The changes of the running system's /etc against its image. */
  public List<EtcMerge.Change> changes() throws IOException {
    return DeploymentWriter.etcChanges(sysroot.path(running())).listed();
  }

  /**
   * Refuses a path that is nowhere.
   *
   * @param path below /etc
   * @throws Problem of kind NOT_FOUND for one that neither the image nor the machine has
   */
  public void requireKnown(OsPath path) throws IOException {
    EtcRestore.requireKnown(sysroot.path(running()), path);
  }

  /**
   * Gives paths of the running system's /etc the image's version back, and all below them.
   *
   * @param paths below /etc
   * @return what was changed back
   * @throws Problem before anything is written, for a path that cannot be restored
   */
  public List<EtcMerge.Change> restore(List<OsPath> paths) throws IOException {
    try (Flock lock = sysroot.lock()) {
      sysroot.reload();
      return new EtcRestore(sysroot.path(running())).restore(paths);
    }
  }

  private Deployment running() {
    return sysroot
        .booted()
        .orElseThrow(() -> Problem.environment("no deployment of this system runs"));
  }
}
