package slipway.registry;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.http.Response;
import slipway.oci.Digest;

/**
 * Blobs as files {@code blobs/ALGORITHM/XX/HEX}, XX being the first two hex digits. Staged content
 * is a file in {@code uploads/} of the same file system; the rename in {@link #publish}, followed
 * by a sync of the directory, is the commit point. What a crash leaves in {@code uploads/} is
 * removed by the next start.
 */
final class FileBlobStorage implements BlobStorage {
  /** Written back early every so many bytes, so that little is left to do when a blob is sealed. */
  private static final long WRITE_BACK = 32L * 1024 * 1024;

  private final Path blobs;
  private final Path uploads;
  private final Set<Path> directories = ConcurrentHashMap.newKeySet();
  private final Set<Path> unsynced = ConcurrentHashMap.newKeySet();

  private FileBlobStorage(Path blobs, Path uploads) {
    this.blobs = blobs;
    this.uploads = uploads;
  }

  /** Opens the storage below a directory that this process alone uses. */
  static FileBlobStorage open(Path root) throws IOException {
    FileBlobStorage storage = new FileBlobStorage(root.resolve("blobs"), root.resolve("uploads"));
    Files.createDirectories(storage.uploads);
    try (DirectoryStream<Path> left = Files.newDirectoryStream(storage.uploads)) {
      for (Path file : left) {
        Files.delete(file);
      }
    }
    for (Digest.Algorithm algorithm : Digest.Algorithm.values()) {
      Files.createDirectories(storage.blobs.resolve(algorithm.label()));
    }
    AtomicFile.syncDirectory(storage.blobs);
    AtomicFile.syncDirectory(root);
    return storage;
  }

  private Path directory(Digest digest) {
    return blobs.resolve(digest.algorithm().label()).resolve(digest.hex().substring(0, 2));
  }

  private Path path(Digest digest) {
    return directory(digest).resolve(digest.hex());
  }

  @Override
  public Staged stage() {
    return new StagedFile(uploads.resolve(UUID.randomUUID().toString()));
  }

  @Override
  public void publish(List<Publication> batch) throws IOException {
    for (Publication publication : batch) {
      Path directory = directory(publication.digest());
      ensure(directory);
      ((StagedFile) publication.staged()).moveTo(path(publication.digest()));
      unsynced.add(directory);
    }
  }

  @Override
  public void sync() throws IOException {
    for (Iterator<Path> changed = unsynced.iterator(); changed.hasNext(); ) {
      AtomicFile.syncDirectory(changed.next());
      changed.remove();
    }
  }

  private void ensure(Path directory) throws IOException {
    if (!directories.contains(directory)) {
      Files.createDirectories(directory);
      AtomicFile.syncDirectory(Objects.requireNonNull(directory.getParent()));
      directories.add(directory);
    }
  }

  @Override
  public Optional<Blob> open(Digest digest) throws IOException {
    try {
      FileChannel channel = FileChannel.open(path(digest), StandardOpenOption.READ);
      return Optional.of(new FileBlob(channel, channel.size()));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  @Override
  public void delete(Collection<Digest> digests) throws IOException {
    for (Digest digest : digests) {
      Files.deleteIfExists(path(digest));
    }
  }

  @Override
  public Set<Digest> list() throws IOException {
    Set<Digest> found = new HashSet<>();
    for (Digest.Algorithm algorithm : Digest.Algorithm.values()) {
      try (DirectoryStream<Path> shards =
          Files.newDirectoryStream(blobs.resolve(algorithm.label()))) {
        for (Path shard : shards) {
          list(algorithm, shard, found);
        }
      }
    }
    return found;
  }

  private static void list(Digest.Algorithm algorithm, Path shard, Set<Digest> found)
      throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(shard)) {
      for (Path file : files) {
        try {
          found.add(new Digest(algorithm, Objects.requireNonNull(file.getFileName()).toString()));
        } catch (Problem e) {
          // Not a blob's name, so not ours to list or to remove.
        }
      }
    }
  }

  @Override
  public void close() {}

  private record FileBlob(FileChannel channel, long size) implements Blob {
    @Override
    public void write(Response response, long offset, long length) throws IOException {
      response.write(channel, offset, length);
    }

    @Override
    public byte[] bytes() throws IOException {
      ByteBuffer buffer = ByteBuffer.allocate(Math.toIntExact(size));
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, buffer.position()) < 0) {
          throw new IOException("a blob became shorter while it was read");
        }
      }
      return buffer.array();
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  /** A file in uploads, made when the first bytes come or at the seal. */
  private static final class StagedFile implements Staged {
    private final Path path;
    private @Nullable FileChannel channel;
    private long size;
    private long writtenBack;
    private @Nullable Thread writer;
    private volatile @Nullable IOException failure;
    private boolean moved;

    StagedFile(Path path) {
      this.path = path;
    }

    @Override
    public void write(ByteBuffer bytes) throws IOException {
      FileChannel out = file();
      while (bytes.hasRemaining()) {
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
      return new BufferedInputStream(Files.newInputStream(path), 256 * 1024);
    }

    void moveTo(Path target) throws IOException {
      file().close();
      Files.move(path, target, StandardCopyOption.ATOMIC_MOVE);
      moved = true;
    }

    @Override
    public void close() throws IOException {
      FileChannel open = channel;
      if (open == null) {
        return;
      }
      awaitWriter();
      open.close();
      if (!moved) {
        Files.deleteIfExists(path);
      }
    }
  }
}
