package slipway.build;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import slipway.base.Problem;
import slipway.build.Containerfile.Stage;
import slipway.linux.MountNamespace;
import slipway.oci.Manifest;

/**
 * Runs the stages of a build side by side, each in a thread of its own, and stops them all when one
 * fails, or when the calling thread is interrupted.
 */
final class StageRunner {
  private final BuildSession session;
  private final List<MountNamespace.Task<StageResult>> tasks = new ArrayList<>();
  private volatile boolean stopping;

  StageRunner(BuildSession session) {
    this.session = session;
  }

  /** What is done with the result of the last stage. */
  @FunctionalInterface
  interface Commit {
    Manifest.Image commit(BuildSession session, StageResult result)
        throws IOException, InterruptedException;
  }

  /** Runs the stages, then the commit. */
  Manifest.Image run(Commit commit) throws IOException {
    try {
      start();
      StageResult result = session.await(session.graph.target().index());
      return commit.commit(session, result);
    } catch (BuildSession.StageFailed e) {
      throw unwrap(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, "the build was interrupted", e);
    } finally {
      stop();
    }
  }

  private void start() {
    for (int index : session.graph.needed()) {
      Stage stage = session.file.stages().get(index);
      synchronized (tasks) {
        if (stopping) {
          throw new CancellationException();
        }
        tasks.add(MountNamespace.start("stage-" + index, () -> build(stage)));
      }
    }
  }

  private StageResult build(Stage stage) throws Exception {
    try {
      StageResult result = new StageBuild(session, stage).run();
      session.result(stage.index()).complete(result);
      return result;
    } catch (Throwable e) {
      session.result(stage.index()).completeExceptionally(e);
      if (!(e instanceof BuildSession.StageFailed)) {
        // The first failure ends the build, whether the target waits for this stage or another.
        session.result(session.graph.target().index()).completeExceptionally(e);
      }
      throw e;
    }
  }

  private static RuntimeException unwrap(BuildSession.StageFailed failed) throws IOException {
    Throwable cause = failed;
    while (cause instanceof BuildSession.StageFailed && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return switch (cause) {
      case IOException e -> throw e;
      case RuntimeException e -> e;
      case Error e -> throw e;
      case InterruptedException e ->
          new Problem(Problem.Kind.ENVIRONMENT, "the build was interrupted", e);
      default -> new IllegalStateException(cause);
    };
  }

  private void stop() {
    List<MountNamespace.Task<StageResult>> running;
    synchronized (tasks) {
      stopping = true;
      running = List.copyOf(tasks);
    }
    running.forEach(MountNamespace.Task::interrupt);
    running.forEach(MountNamespace.Task::awaitEnd);
  }
}
