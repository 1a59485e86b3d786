package slipway.linux;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import slipway.base.Problem;

/**
 * Work in a mount namespace of its own: nobody else sees its mounts, and the kernel takes them away
 * with the last thread or process inside, whatever ends it.
 */
public final class MountNamespace {
  private MountNamespace() {}

  /**
   * Runs work in a new platform thread with its own mounts and waits for its end. Threads and
   * processes that the work starts share the mounts; threads that were there before do not, so the
   * work must not hand file access to them.
   *
   * @throws Problem of kind DENIED without the privilege to mount
   */
  public static <T> T call(String name, Callable<T> work) throws IOException {
    FutureTask<T> task =
        new FutureTask<>(
            () -> {
              enter();
              return work.call();
            });
    Thread thread = Thread.ofPlatform().name(name).start(task);
    try {
      return task.get();
    } catch (InterruptedException e) {
      thread.interrupt();
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, name + " was interrupted", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException r -> throw r;
        case Error error -> throw error;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  private static void enter() throws UnixException {
    try {
      Posix.unshare(Posix.CLONE_NEWNS);
      Posix.mount(null, OsPath.of("/"), null, Posix.MS_REC | Posix.MS_PRIVATE, null);
    } catch (UnixException e) {
      throw new Problem(
          Problem.Kind.DENIED, "mounting file systems needs root; run it with sudo", e);
    }
  }
}
