package slipway.e2e;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;

/**
 * A disk without a machine whose writes and flushes are logged: a file that qemu-storage-daemon
 * shows by FUSE, over its driver blklogwrites. The daemon sees each write before that ends, and a
 * flush whenever a file system on the disk asks for one. To be used in a mount namespace of the
 * test's own.
 */
final class LoggedDisk implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofMinutes(1);

  private final Path file;
  private final Path log;
  private final Process daemon;
  private boolean open = true;

  private LoggedDisk(Path file, Path log, Process daemon) {
    this.file = file;
    this.log = log;
    this.daemon = daemon;
  }

  /** Makes an empty one in a directory. */
  static LoggedDisk make(Path directory, long size) throws IOException, InterruptedException {
    Path content = directory.resolve("content.raw");
    Path log = directory.resolve("writes.log");
    Path file = directory.resolve("disk.raw");
    empty(content, size);
    WriteLog.clear(log);
    Files.createFile(file);
    Process daemon =
        Command.of("qemu-storage-daemon")
            .with("--blockdev", "file,node-name=content,cache.no-flush=on,filename=" + content)
            .with("--blockdev", "file,node-name=log,cache.no-flush=on,filename=" + log)
            .with("--blockdev", "blklogwrites,node-name=logged,file=content,log=log")
            .with("--export", "fuse,id=disk,node-name=logged,writable=on,mountpoint=" + file)
            .start();
    LoggedDisk disk = new LoggedDisk(file, log, daemon);
    while (Files.size(file) != size) {
      if (daemon.waitFor(10, TimeUnit.MILLISECONDS)) {
        throw new IOException(
            "qemu-storage-daemon: "
                + new String(daemon.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
      }
    }
    return disk;
  }

  /** A file of zeros, as a disk is before anything is written. */
  static void empty(Path file, long size) throws IOException {
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(size);
    }
  }

  /** What is to be partitioned and mounted. */
  Path file() {
    return file;
  }

  /** The log, which is whole when this is closed. */
  Path log() {
    return log;
  }

  /** How long the log is now, which {@link WriteLog#indexAt} understands. */
  long logged() throws IOException {
    return Files.size(log);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    if (!open) {
      return;
    }
    open = false;
    Mounts.umount(OsPath.of(file), 0);
    daemon.toHandle().destroy();
    if (!daemon.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      Command.kill(daemon);
      throw new IOException("qemu-storage-daemon does not end");
    }
  }
}
