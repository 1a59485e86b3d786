package slipway.registry.blobs;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import slipway.http.Response;
import slipway.registry.blobs.BlobStorage.Staged;

/** A file in the folder of uploads, made when the first bytes come or at the seal. */
final class StagedBlob implements Staged {
  /** Written back early every so many bytes, so that little is left to do when a blob is sealed. */
  private static final long WRITE_BACK = 32L * 1024 * 1024;

  /** Bytes handed to the kernel at once: it copies heap buffers to one of that size first. */
  private static final int SLICE = 128 * 1024;

  private final Path path;
  private @Nullable FileChannel channel;
  private long size;
  private long writtenBack;
  private @Nullable Thread writer;
  private volatile @Nullable IOException failure;
  private volatile State state = State.STAGED;

  private enum State {
    STAGED,
    /** Has its name among the blobs, and the one among the uploads too. */
    LINKED,
    /** Has its name among the blobs alone. */
    MOVED
  }

  StagedBlob(Path path) {
    this.path = path;
  }

  @Override
  public void write(ByteBuffer bytes) throws IOException {
    FileChannel out = file();
    int end = bytes.limit();
    while (bytes.position() < end) {
      bytes.limit(Math.min(end, bytes.position() + SLICE));
      size += out.write(bytes);
    }
    writeBack();
  }

  private FileChannel file() throws IOException {
    FileChannel open = channel;
    if (open == null) {
      open =
          FileChannel.open(
              path,
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      channel = open;
    }
    return open;
  }

  /** An error is told by the seal: the kernel reports it once, and the early sync had it. */
  private void writeBack() throws IOException {
    if (size - writtenBack < WRITE_BACK || (writer != null && writer.isAlive())) {
      return;
    }
    writtenBack = size;
    FileChannel out = file();
    writer =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    out.force(false);
                  } catch (IOException e) {
                    failure = e;
                  }
                });
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void truncate(long length) throws IOException {
    FileChannel out = file();
    out.truncate(length);
    out.position(length);
    size = length;
    writtenBack = Math.min(writtenBack, length);
  }

  @Override
  public void seal() throws IOException {
    file().force(true);
    awaitWriter();
    IOException early = failure;
    if (early != null) {
      throw early;
    }
  }

  private void awaitWriter() {
    Thread running = writer;
    if (running != null) {
      try {
        running.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public InputStream read() throws IOException {
    file();
    return new BufferedInputStream(Files.newInputStream(path), (int) Math.clamp(size, 16, 1 << 18));
  }

  @Override
  public void send(Response response) throws IOException {
    response.write(file(), 0, size);
  }

  /**
   * Gives it a name among the blobs. The one among the uploads stays until {@link #settle}, as a
   * mark that the commit has not ended; what replaces an older file goes without.
   */
  void publish(Path target) throws IOException {
    file().close();
    try {
      Files.createLink(target, path);
      state = State.LINKED;
    } catch (NoSuchFileException e) {
      throw e;
    } catch (FileAlreadyExistsException e) {
      move(target);
    } catch (FileSystemException | UnsupportedOperationException e) {
      move(target); // a file system without hard links, and without the mark
    }
  }

  private void move(Path target) throws IOException {
    Files.move(path, target, StandardCopyOption.ATOMIC_MOVE);
    state = State.MOVED;
  }

  void settle() throws IOException {
    if (state == State.LINKED) {
      state = State.MOVED;
      Files.deleteIfExists(path);
    }
  }

  /** Takes back what {@link #publish} did, or leaves the name among the blobs. */
  void withdraw(Path target, boolean kept) throws IOException {
    if (state != State.STAGED && !kept) {
      Files.deleteIfExists(target);
    }
    settle();
  }

  @Override
  public void close() throws IOException {
    FileChannel open = channel;
    if (open == null) {
      return;
    }
    awaitWriter();
    open.close();
    if (state == State.STAGED) {
      Files.deleteIfExists(path);
    }
  }
}
