package slipway.ostree.repo;

import java.io.IOException;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;

/**
 * The lock file of a repository as libostree takes it: shared by those who write, exclusive for who
 * deletes.
 */
final class RepositoryLock {
  private static final int MODE = 0660;

  private RepositoryLock() {}

  /** Waits for the lock. */
  static Flock acquire(OsPath repository, boolean exclusive) throws IOException {
    return Flock.file(file(repository), exclusive, MODE);
  }

  /** Waits for a shared lock, as {@link Flock#shared}. */
  static Flock acquireShared(OsPath repository, Flock.Alone alone) throws IOException {
    return Flock.shared(file(repository), MODE, alone);
  }

  private static OsPath file(OsPath repository) {
    return repository.resolve(".lock");
  }
}
