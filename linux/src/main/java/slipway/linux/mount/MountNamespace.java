package slipway.linux.mount;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.UnixException;

/**
 * Work in a mount namespace of its own: nobody else sees its mounts, and they go when it ends. When
 * it is killed, the kernel takes them away with the last thread or process inside.
 */
public final class MountNamespace {
  /** Whether the thread has its own mounts yet; only threads of {@link #start} have a value. */
  private static final ThreadLocal<Boolean> ENTERED = new ThreadLocal<>();

  private MountNamespace() {}

  /**
   * Runs work in a new platform thread with its own mounts and waits for its end. Threads and
   * processes that the work starts share the mounts; threads that were there before do not, so the
   * work must not hand file access to them.
   *
   * @throws Problem of kind DENIED without the privilege to mount
   */
  public static <T> T call(String name, Callable<T> work) throws IOException {
    Task<T> task =
        start(
            name,
            () -> {
              enter();
              return work.call();
            });
    try {
      return task.result.get();
    } catch (InterruptedException e) {
      task.interrupt();
      task.awaitEnd();
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

  /**
   * Runs work in a new platform thread without waiting. It has the mounts of all others until it
   * asks for its own with {@link #enter}: work that mounts nothing needs no privilege.
   */
  public static <T> Task<T> start(String name, Callable<T> work) {
    FutureTask<T> result =
        new FutureTask<>(
            () -> {
              ENTERED.set(false);
              try {
                return work.call();
              } finally {
                leave();
              }
            });
    return new Task<>(result, Thread.ofPlatform().name(name).start(result));
  }

  /** Work under way. */
  public static final class Task<T> {
    private final FutureTask<T> result;
    private final Thread thread;

    private Task(FutureTask<T> result, Thread thread) {
      this.result = result;
      this.thread = thread;
    }

    /** Asks the work to stop, by interrupting its thread. */
    public void interrupt() {
      thread.interrupt();
    }

    /** Waits until the work has ended and cleaned up, however long that takes. */
    public void awaitEnd() {
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

  /**
   * Gives the calling thread mounts of its own unless it has them already. Threads and processes
   * that it starts from now on share them.
   *
   * @throws Problem of kind DENIED without the privilege to mount
   * @throws IllegalStateException in a thread that {@link #start} has not made, which would keep
   *     the mounts after the work
   */
  public static void enter() {
    Boolean entered = ENTERED.get();
    if (entered == null) {
      throw new IllegalStateException("not a thread that may have mounts of its own");
    }
    if (entered) {
      return;
    }
    try {
      Mounts.unshare(Mounts.CLONE_NEWNS);
      Mounts.mount(null, OsPath.of("/"), null, Mounts.MS_REC | Mounts.MS_PRIVATE, null);
      ENTERED.set(true);
    } catch (UnixException e) {
      throw new Problem(
          Problem.Kind.DENIED, "mounting file systems needs root; run it with sudo", e);
    }
  }

  /**
   * Takes all mounts out of the namespace. The JVM has threads that wait for the end of a process;
   * one that was born here stays here and later waits for processes of others, for hours if they
   * run that long. Until then whatever was mounted on this machine would stay in use, although its
   * owners have unmounted it. Such a thread opens no files, so that it does without mounts; where
   * another one was born here, all stays as it is.
   */
  private static void leave() {
    if (Boolean.TRUE.equals(ENTERED.get()) && onlyThoseWithoutFilesAreHere()) {
      try {
        Mounts.umount(OsPath.of("/"), Mounts.MNT_DETACH);
      } catch (UnixException e) {
        // They go with the last thread, then.
      }
    }
  }

  private static boolean onlyThoseWithoutFilesAreHere() {
    try {
      Path self = Files.readSymbolicLink(Path.of("/proc/thread-self"));
      Path here = Files.readSymbolicLink(Path.of("/proc/thread-self/ns/mnt"));
      try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
        for (Path thread : threads) {
          boolean own = thread.getFileName().equals(self.getFileName());
          if (!own && opensFiles(thread, here)) {
            return false;
          }
        }
      }
      return true;
    } catch (IOException | DirectoryIteratorException e) {
      return false;
    }
  }

  /** Whether a thread is in the namespace, and neither waits for a process nor at its pipe. */
  private static boolean opensFiles(Path thread, Path namespace) {
    try {
      if (!Files.readSymbolicLink(thread.resolve("ns/mnt")).equals(namespace)) {
        return false;
      }
      String name = Files.readString(thread.resolve("comm")).strip();
      return !name.startsWith("process reaper") && !name.equals("pipe");
    } catch (ClosedByInterruptException e) {
      return true;
    } catch (IOException e) {
      // It has ended meanwhile.
      return false;
    }
  }
}
