package slipway.build;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import slipway.base.Problem;
import slipway.linux.OsPath;
import slipway.linux.Posix;
import slipway.linux.UnixException;

/**
 * Work in a mount namespace of its own: nobody else sees its mounts, and the kernel takes them away
 * with the last thread or process inside, whatever ends it.
 */
final class MountNamespace {
  private MountNamespace() {}

  /**
   * Starts work in a new thread with its own mounts; threads and processes that it starts share
   * them. Interrupting the future's thread is how it is stopped.
   */
  static <T> Task<T> start(String name, Callable<T> work) {
    FutureTask<T> task =
        new FutureTask<>(
            () -> {
              enter();
              return work.call();
            });
    Thread thread = Thread.ofPlatform().name(name).start(task);
    return new Task<>(task, thread);
  }

  /** Work under way. */
  record Task<T>(FutureTask<T> result, Thread thread) {
    /**
     * Waits for the end.
     *
     * @throws Exception what the work threw
     */
    T join() throws Exception {
      try {
        return result.get();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof Exception cause) {
          throw cause;
        }
        throw e;
      }
    }

    /** Asks the work to stop and waits until it has cleaned up. */
    void stop() {
      thread.interrupt();
      boolean interrupted = false;
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static void enter() throws UnixException {
    try {
      Posix.unshare(Posix.CLONE_NEWNS);
      Posix.mount(null, OsPath.of("/"), null, Posix.MS_REC | Posix.MS_PRIVATE, null);
    } catch (UnixException e) {
      throw new Problem(
          Problem.Kind.DENIED,
          "building needs root to mount file systems ("
              + e.getMessage()
              + "); run it with sudo, or as root of a container with CAP_SYS_ADMIN",
          e);
    }
  }
}
