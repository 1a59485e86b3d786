package slipway.builder.session;

import java.nio.file.Path;
import java.util.List;
import slipway.linux.mount.MountNamespace;

/** How the action of a step is carried out. */
public interface StepExecutor {
  /** What a step does to the files. */
  @FunctionalInterface
  interface Action {
    /**
     * @param lowers directories of the layers so far, bottom first
     * @param upper where the changes go
     * @param scratch an empty directory on the same file system
     */
    void apply(List<Path> lowers, Path upper, Path scratch) throws Exception;
  }

  /** In a mount namespace of the stage's own, which is made when the first step needs it. */
  StepExecutor MOUNTS =
      new StepExecutor() {
        @Override
        public void begin() {
          MountNamespace.enter();
        }

        @Override
        public void apply(Action action, List<Path> lowers, Path upper, Path scratch)
            throws Exception {
          action.apply(lowers, upper, scratch);
        }
      };

  /** Called in the thread of the stage before anything is unpacked or mounted for a step. */
  void begin();

  /** Makes the changes of the action, as {@link Action#apply} says. */
  void apply(Action action, List<Path> lowers, Path upper, Path scratch) throws Exception;
}
