package slipway.builder.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import slipway.base.Problem;
import slipway.builder.language.Containerfile.Stage;
import slipway.builder.session.BuildSession;
import slipway.builder.session.StageResult;
import slipway.linux.mount.MountNamespace;
import slipway.oci.model.Manifest;

/**
 * Runs the stages of a build side by side, each in a thread of its own, and stops them all when one
 * fails, or when the calling thread is interrupted.
 */
final class StageRunner {
  private final BuildSession session;
  private final List<MountNamespace.Task<StageResult>> tasks = new ArrayList<>();
  private final Set<Integer> started = new HashSet<>();
  private final BlockingQueue<Integer> asked = new LinkedBlockingQueue<>();
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
    // A stage begins with the mounts of the thread that starts it, so no other stage's does that.
    Thread starter = Thread.ofPlatform().name("stage-starter").daemon().start(this::startAsked);
    try {
      session.onAwait(asked::add);
      session.graph().needed().forEach(this::start);
      StageResult result = session.await(session.graph().target().index());
      return commit.commit(session, result);
    } catch (BuildSession.StageFailed e) {
      throw unwrap(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, "the build was interrupted", e);
    } finally {
      starter.interrupt();
      stop();
    }
  }

  /** Starts stages that only a base image's variables or triggers name. */
  private void startAsked() {
    try {
      while (true) {
        int index = asked.take();
        try {
          start(index);
        } catch (RuntimeException | Error e) {
          fail(index, e);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // The build is over.
    }
  }

  /** The first failure ends the build, whether the target waits for this stage or another. */
  private void fail(int index, Throwable e) {
    session.result(index).completeExceptionally(e);
    session.result(session.graph().target().index()).completeExceptionally(e);
  }

  private void start(int index) {
    Stage stage = session.file().stages().get(index);
    synchronized (tasks) {
      if (!stopping && started.add(index)) {
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
      if (e instanceof BuildSession.StageFailed) {
        session.result(stage.index()).completeExceptionally(e);
      } else {
        fail(stage.index(), e);
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
