package slipway.linux.lock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.linux.posix.Native;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;

/**
 * A flock(2) on a file or directory, held until closed; the kernel drops it when the process dies.
 * Unlike {@link java.nio.channels.FileLock} it also excludes other holders in the same process. The
 * only class that calls flock(2).
 */
public final class Flock implements AutoCloseable {
  private static final Native.Function FLOCK = new Native.Function("flock");
  private static final int LOCK_SH = 1;
  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;

  private int fd;

  private Flock(int fd) {
    this.fd = fd;
  }

  /** Waits for the lock on a file, which is made when missing and must never be removed. */
  public static Flock file(Path path, boolean exclusive) throws IOException {
    return file(OsPath.of(path), exclusive, 0644);
  }

  /**
   * As {@link #file(Path, boolean)}, for a lock that is shared with another tool.
   *
   * @param mode of the file when it is made
   */
  public static Flock file(OsPath path, boolean exclusive, int mode) throws IOException {
    return awaited(unlocked(path, mode), exclusive);
  }

  /** As {@link #file}, but null at once when somebody is in the way. */
  public static @Nullable Flock tryFile(Path path, boolean exclusive) throws IOException {
    return tryFile(OsPath.of(path), exclusive, 0644);
  }

  /**
   * As {@link #tryFile(Path, boolean)}.
   *
   * @param mode of the file when it is made: whoever can read it can be in the way
   */
  public static @Nullable Flock tryFile(OsPath path, boolean exclusive, int mode)
      throws IOException {
    Flock lock = unlocked(path, mode);
    boolean taken = false;
    try {
      taken = lock.tryTake(exclusive);
      return taken ? lock : null;
    } finally {
      if (!taken) {
        lock.close();
      }
    }
  }

  /**
   * Takes the exclusive lock of a file, device or directory that is there, unless somebody holds
   * it. Links are followed.
   *
   * @return null when it is held
   */
  public static @Nullable Flock tryExisting(Path path) throws IOException {
    Flock lock = new Flock(Posix.open(OsPath.of(path), Posix.O_RDONLY | Posix.O_CLOEXEC, 0));
    boolean taken = false;
    try {
      taken = lock.tryTake(true);
      return taken ? lock : null;
    } finally {
      if (!taken) {
        lock.close();
      }
    }
  }

  /** As {@link #file}, but an interrupt of this thread ends the waiting. */
  public static Flock fileInterruptibly(Path path, boolean exclusive)
      throws IOException, InterruptedException {
    Flock lock = unlocked(OsPath.of(path), 0644);
    boolean taken = false;
    try {
      // flock(2) cannot be woken by an interrupt, so it is asked again and again.
      for (long pause = 1; !(taken = lock.tryTake(exclusive)); pause = Math.min(2 * pause, 64)) {
        Thread.sleep(pause);
      }
      return lock;
    } finally {
      if (!taken) {
        lock.close();
      }
    }
  }

  private static Flock unlocked(OsPath path, int mode) throws IOException {
    return new Flock(
        Posix.open(path, Posix.O_RDWR | Posix.O_CREAT | Posix.O_CLOEXEC | Posix.O_NOFOLLOW, mode));
  }

  /**
   * Waits for a shared lock on a file. When nobody else holds one, {@code alone} is run first with
   * the lock held exclusively.
   *
   * @param mode of the file when it is made
   */
  public static Flock shared(OsPath path, int mode, Alone alone) throws IOException {
    Flock lock = unlocked(path, mode);
    try {
      if (lock.tryTake(true)) {
        alone.run();
      }
      lock.await(false);
      return lock;
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /** What to do while nobody else holds a lock. */
  @FunctionalInterface
  public interface Alone {
    void run() throws IOException;
  }

  /** Waits for the exclusive lock of a directory. */
  public static Flock directory(Path path) throws IOException {
    int flags = Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_CLOEXEC;
    return awaited(new Flock(Posix.open(OsPath.of(path), flags, 0)), true);
  }

  private static Flock awaited(Flock lock, boolean exclusive) throws IOException {
    try {
      lock.await(exclusive);
      return lock;
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /**
   * Takes the exclusive lock of an existing directory unless somebody holds it.
   *
   * @return null when it is held, gone, or was replaced in the meantime
   */
  public static @Nullable Flock tryDirectory(Path path) throws IOException {
    int flags = Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_CLOEXEC | Posix.O_NOFOLLOW;
    int fd;
    try {
      fd = Posix.open(OsPath.of(path), flags, 0);
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT) {
        return null;
      }
      throw e;
    }
    Flock lock = new Flock(fd);
    boolean ours = false;
    try {
      ours = lock.tryTake(true) && Files.exists(path) && sameInode(fd, path);
      return ours ? lock : null;
    } finally {
      if (!ours) {
        lock.close();
      }
    }
  }

  private static boolean sameInode(int fd, Path path) throws IOException {
    try {
      Stat there = Posix.lstat(OsPath.of(path));
      Stat here = Posix.fstat(fd);
      return there.inode() == here.inode() && there.device() == here.device();
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT) {
        return false;
      }
      throw e;
    }
  }

  /** Takes or converts the lock, waiting. A conversion may let others in between. */
  public void await(boolean exclusive) throws IOException {
    while (true) {
      try {
        flock(exclusive ? LOCK_EX : LOCK_SH);
        return;
      } catch (UnixException e) {
        if (e.errno() != UnixException.EINTR) {
          throw e;
        }
      }
    }
  }

  /** Takes or converts the lock if nobody is in the way; after false it may be held no more. */
  public boolean tryTake(boolean exclusive) throws IOException {
    try {
      flock((exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB);
      return true;
    } catch (UnixException e) {
      if (e.errno() == UnixException.EAGAIN) {
        return false;
      }
      throw e;
    }
  }

  private void flock(int operation) throws UnixException {
    Native.Scratch s = Native.scratch();
    s.check("flock", fd, FLOCK.call(s, fd, operation));
  }

  @Override
  public void close() throws IOException {
    if (fd >= 0) {
      Posix.close(fd);
      fd = -1;
    }
  }
}
