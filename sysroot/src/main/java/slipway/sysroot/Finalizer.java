package slipway.sysroot;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import slipway.base.AfterCommit;
import slipway.base.AtomicFile;
import slipway.base.FileReason;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;
import slipway.sysroot.state.BootTrial;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.StagedFile;
import slipway.sysroot.state.SysrootState;
import slipway.sysroot.write.EtcMerge;
import slipway.sysroot.write.InheritedLabel;

/**
 * Makes what is staged the default of the boot menu, at shutdown; why it could not is kept in
 * {@code /boot} for the next start.
 */
record Finalizer(Sysroot sysroot) {
  private static final String FAILURE = "boot/ostree/finalize-failure.stamp";

  /** Does it, as {@link Sysroot#finalizeStaged} says. */
  Finalization run() throws IOException {
    try (Flock lock = sysroot.lock()) {
      Finalization result = finish();
      new AfterCommit(sysroot.warnings())
          .attempt(
              "the note of an earlier failure could not be removed",
              () -> Files.deleteIfExists(sysroot.root().resolve(FAILURE)));
      return result;
    } catch (IOException | RuntimeException e) {
      note(e);
      throw e;
    }
  }

  /** Why the last shutdown did not, as {@link Sysroot#finalizationFailure} says. */
  Optional<String> failure() {
    try {
      return RootedFile.read(
              OsPath.of(sysroot.root()),
              OsPath.of(FAILURE),
              RootedFile.Links.BENEATH,
              "/" + FAILURE)
          .map(bytes -> RawText.decode(bytes).strip());
    } catch (IOException | Problem e) {
      return Optional.empty();
    }
  }

  private void note(Exception failure) {
    try {
      AtomicFile.write(sysroot.root().resolve(FAILURE), FileReason.why(failure));
      InheritedLabel.give(sysroot.root().resolve(FAILURE));
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  private Finalization finish() throws IOException {
    sysroot.reload();
    SysrootState state = sysroot.state();
    Deployment staged = state.staged();
    StagedFile file = state.stagedFile();
    if (staged == null || file == null) {
      return new Finalization(Finalization.Outcome.NOTHING, null, null, null);
    }
    if (staged.locked()) {
      return new Finalization(Finalization.Outcome.LOCKED, staged, null, null);
    }
    Deployment merge = sysroot.change().mergeOf(file);
    Deployment ready = staged.finalized(SysrootChange.begunEntry(file));
    DeployPlanner.Menu menu = sysroot.planner().menuWith(ready, merge, null);
    EtcMerge etc = sysroot.change().finish(ready, merge, menu.order(), menu.space().firstStep());
    BootTrial trial = sysroot.trials().current().filter(t -> t.isOf(ready)).orElse(null);
    return new Finalization(Finalization.Outcome.DONE, ready, etc, trial);
  }
}
