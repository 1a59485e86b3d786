package slipway.registry.blobs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.http.Response;
import slipway.oci.model.Digest;

/**
 * Blobs as files {@code blobs/ALGORITHM/XX/HEX}, XX being the first two hex digits. Staged content
 * is a file in {@code blobs/uploads/}; published it is a hard link to that, whose older name goes
 * when it is settled, so a blob of two names is one whose commit never ended. {@code blobs/id}
 * names the registry that the blobs belong to: without it they are not mounted, or another's.
 */
public final class FileBlobStorage implements BlobStorage {
  private final Path blobs;
  private final Path uploads;

  /** Shards that are known to be there, and durable. */
  private final Set<Path> directories = ConcurrentHashMap.newKeySet();

  private FileBlobStorage(Path blobs) {
    this.blobs = blobs;
    this.uploads = blobs.resolve("uploads");
  }

  /**
   * The registry that the blobs below a directory belong to, or null when nothing tells.
   *
   * @throws Problem of kind CORRUPT when the mark cannot be understood
   */
  static @Nullable public String id(Path root) throws IOException {
    Path mark = mark(root);
    try {
      String id = Files.readString(mark, StandardCharsets.ISO_8859_1).strip();
      if (!StoreId.isId(id)) {
        throw Problem.corrupt(mark + " is damaged; " + StoreId.repair(root));
      }
      return id;
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private static Path mark(Path root) {
    return root.resolve("blobs").resolve("id");
  }

  /** Whether there is no blob at all below a directory. */
  public static boolean isEmpty(Path root) throws IOException {
    return new FileBlobStorage(root.resolve("blobs")).list().isEmpty();
  }

  /** Opens the storage below a directory that this process alone uses, and marks it with an id. */
  public static FileBlobStorage open(Path root, String id) throws IOException {
    FileBlobStorage storage = new FileBlobStorage(root.resolve("blobs"));
    Files.createDirectories(storage.uploads);
    for (Digest.Algorithm algorithm : Digest.Algorithm.values()) {
      Files.createDirectories(storage.blobs.resolve(algorithm.label()));
    }
    if (!Files.exists(mark(root))) {
      mark(root, id);
    }
    AtomicFile.syncDirectory(storage.blobs);
    AtomicFile.syncDirectory(root);
    return storage;
  }

  /** Says whose the blobs are. */
  public static void mark(Path root, String id) throws IOException {
    AtomicFile.write(mark(root), id + "\n");
  }

  /** The file of a blob, whether it is there or not. */
  public static Path path(Path root, Digest digest) {
    return new FileBlobStorage(root.resolve("blobs")).path(digest);
  }

  private Path directory(Digest digest) {
    return blobs.resolve(digest.algorithm().label()).resolve(digest.hex().substring(0, 2));
  }

  private Path path(Digest digest) {
    return directory(digest).resolve(digest.hex());
  }

  @Override
  public Staged stage() {
    return new StagedBlob(uploads.resolve(UUID.randomUUID().toString()));
  }

  @Override
  public void publish(List<Publication> batch) throws IOException {
    Set<Path> changed = new HashSet<>();
    for (Publication publication : batch) {
      Path directory = directory(publication.digest());
      ensure(directory);
      ((StagedBlob) publication.staged()).publish(path(publication.digest()));
      changed.add(directory);
    }
    for (Path directory : changed) {
      AtomicFile.syncDirectory(directory);
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
  public void settle(List<Publication> batch) throws IOException {
    for (Publication publication : batch) {
      ((StagedBlob) publication.staged()).settle();
    }
  }

  @Override
  public void withdraw(List<Publication> batch, Predicate<Digest> kept) throws IOException {
    for (Publication publication : batch) {
      Digest digest = publication.digest();
      ((StagedBlob) publication.staged()).withdraw(path(digest), kept.test(digest));
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
  public Map<Digest, Stored> list() throws IOException {
    Map<Digest, Stored> found = new HashMap<>();
    for (Digest.Algorithm algorithm : Digest.Algorithm.values()) {
      try (DirectoryStream<Path> shards =
          Files.newDirectoryStream(blobs.resolve(algorithm.label()))) {
        for (Path shard : shards) {
          list(algorithm, shard, found);
        }
      } catch (NoSuchFileException e) {
        // Nothing was stored by this algorithm.
      }
    }
    return found;
  }

  private static void list(Digest.Algorithm algorithm, Path shard, Map<Digest, Stored> found)
      throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(shard)) {
      for (Path file : files) {
        Digest digest;
        try {
          digest = new Digest(algorithm, Objects.requireNonNull(file.getFileName()).toString());
        } catch (Problem e) {
          continue; // not a blob's name, so not ours to list or to remove
        }
        Map<String, Object> facts = Files.readAttributes(file, "unix:size,nlink");
        long size = (Long) Objects.requireNonNull(facts.get("size"));
        int names = (Integer) Objects.requireNonNull(facts.get("nlink"));
        found.put(digest, new Stored(size, names > 1));
      }
    }
  }

  @Override
  public void forgetStaged() throws IOException {
    try (DirectoryStream<Path> left = Files.newDirectoryStream(uploads)) {
      for (Path file : left) {
        Files.delete(file);
      }
    }
    forgetFirstVersion(blobs.resolveSibling("uploads"));
  }

  /** The first version staged beside the blobs; nothing else in such a folder is ours. */
  private static void forgetFirstVersion(Path old) throws IOException {
    if (!Files.isDirectory(old, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    boolean foreign = false;
    try (DirectoryStream<Path> left = Files.newDirectoryStream(old)) {
      for (Path file : left) {
        boolean ours =
            StoreId.isId(String.valueOf(file.getFileName()))
                && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
        foreign |= !ours;
        if (ours) {
          Files.delete(file);
        }
      }
    }
    if (!foreign) {
      Files.deleteIfExists(old);
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
}
