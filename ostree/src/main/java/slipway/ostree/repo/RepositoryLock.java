package slipway.ostree.repo;

import java.io.IOException;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

/**
 * The lock file of a repository, flock(2) as libostree takes it: shared by those who write,
 * exclusive for who deletes. Released by closing, and by the kernel when the process dies.
 */
final class RepositoryLock implements AutoCloseable {
  private final int fd;
  private boolean held = true;

  private RepositoryLock(int fd) {
    this.fd = fd;
  }

  /** Waits for the lock. */
  static RepositoryLock acquire(OsPath repository, boolean exclusive) throws IOException {
    int fd = open(repository);
    try {
      Posix.flock(fd, exclusive);
    } catch (IOException | RuntimeException e) {
      Posix.close(fd);
      throw e;
    }
    return new RepositoryLock(fd);
  }

  /**
   * Waits for a shared lock. When nobody else holds one, {@code alone} is run first with the lock
   * held exclusively.
   */
  static RepositoryLock acquireShared(OsPath repository, Action alone) throws IOException {
    RepositoryLock lock = new RepositoryLock(open(repository));
    try {
      if (Posix.tryFlock(lock.fd, true)) {
        alone.run();
      }
      Posix.flock(lock.fd, false);
      return lock;
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /** What to do while alone. */
  @FunctionalInterface
  interface Action {
    void run() throws IOException;
  }

  private static int open(OsPath repository) throws IOException {
    return Posix.open(
        repository.resolve(".lock"),
        Posix.O_RDWR | Posix.O_CREAT | Posix.O_NOFOLLOW | Posix.O_CLOEXEC,
        0660);
  }

  @Override
  public void close() throws IOException {
    if (held) {
      held = false;
      Posix.close(fd);
    }
  }
}
