package slipway.builder.engine;

import java.nio.file.Path;
import java.util.List;
import slipway.linux.mount.MountNamespace;

/** How the action of a step is carried out. */
public interface StepExecutor {
  /** In a mount namespace of the stage's own, which is made when the first step needs it. */
  StepExecutor MOUNTS =
      new StepExecutor() {
        @Override
        public void begin() {
          MountNamespace.enter();
        }

        @Override
        public void apply(StageBuild.Action action, List<Path> lowers, Path upper, Path scratch)
            throws Exception {
          action.apply(lowers, upper, scratch);
        }
      };

  /** Called in the thread of the stage before anything is unpacked or mounted for a step. */
  void begin();

  /** Makes the changes of the action, as {@link StageBuild.Action#apply} says. */
  void apply(StageBuild.Action action, List<Path> lowers, Path upper, Path scratch)
      throws Exception;
}
