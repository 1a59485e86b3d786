package slipway.oci;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.linux.OsPath;
import slipway.linux.Posix;

/**
 * The {@code blobs/ALGORITHM/HEX} tree of an OCI image layout (image-spec, image-layout.md), for
 * many threads and processes. What is being written lies in a directory of this writer below a
 * common one; the writer holds its flock, so that others can tell a dead writer's leftovers.
 */
final class BlobDirectory implements AutoCloseable {
  private static final String WRITER = ".writer-";

  private final Path root;
  private final Path temporaries;
  private final AtomicLong counter = new AtomicLong();
  private final Set<BlobWriter> open = ConcurrentHashMap.newKeySet();
  private @Nullable Path mine;
  private @Nullable Flock myLock;

  /**
   * @param root of the layout
   * @param temporaries where writers make their directories; on the same file system
   */
  BlobDirectory(Path root, Path temporaries) {
    this.root = root;
    this.temporaries = temporaries;
  }

  Path root() {
    return root;
  }

  /** Where a blob lies, or would lie. */
  Path path(Digest digest) {
    return root.resolve("blobs").resolve(digest.algorithm().label()).resolve(digest.hex());
  }

  boolean has(Digest digest) {
    return Files.isRegularFile(path(digest), LinkOption.NOFOLLOW_LINKS);
  }

  /** Opens a blob from an offset; not verified. */
  InputStream open(Digest digest, long offset) throws IOException {
    try {
      FileChannel channel =
          FileChannel.open(path(digest), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
      channel.position(offset);
      return Channels.newInputStream(channel);
    } catch (NoSuchFileException e) {
      throw new Problem(
          Problem.Kind.NOT_FOUND, "blob " + digest + " is not in " + root + "; pull it again", e);
    }
  }

  /** Reads a small blob whole and verifies it. */
  byte[] read(Digest digest, int limit) throws IOException {
    byte[] bytes;
    try (InputStream in = open(digest, 0)) {
      bytes = in.readNBytes(limit + 1);
    }
    if (bytes.length > limit) {
      throw Problem.corrupt("blob " + digest + " in " + root + " is over " + limit + " bytes");
    }
    if (!digest.matches(bytes)) {
      throw Problem.corrupt(
          "blob " + digest + " in " + root + " does not have its digest; remove and pull it again");
    }
    return bytes;
  }

  BlobWriter newBlob(Digest.Algorithm algorithm) {
    try {
      Path directory = writerDirectory();
      BlobWriter writer =
          new BlobWriter(
              this, directory.resolve(Long.toString(counter.incrementAndGet())), algorithm);
      open.add(writer);
      return writer;
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT, "cannot write in " + root + ": " + e.getMessage(), e);
    }
  }

  /** Stores a small blob. */
  void write(Descriptor descriptor, byte[] bytes) throws IOException {
    if (has(descriptor.digest())) {
      return;
    }
    try (BlobWriter writer = newBlob(descriptor.digest().algorithm())) {
      writer.write(bytes, 0, bytes.length);
      writer.commit(descriptor);
    }
  }

  /** Copies a stream into the blob that it must be. */
  void write(Descriptor descriptor, InputStream in) throws IOException {
    try (BlobWriter writer = newBlob(descriptor.digest().algorithm())) {
      byte[] buffer = new byte[128 * 1024];
      for (int n; (n = in.read(buffer)) >= 0; ) {
        if (writer.size() + n > descriptor.size()) {
          throw Problem.corrupt(
              "blob "
                  + descriptor.digest()
                  + " is longer than its "
                  + descriptor.size()
                  + " bytes");
        }
        writer.write(buffer, 0, n);
      }
      writer.commit(descriptor);
    }
  }

  boolean writing() {
    return !open.isEmpty();
  }

  void closed(BlobWriter writer) {
    open.remove(writer);
  }

  /** Syncs a finished temporary file and gives it its name. */
  void adopt(FileChannel channel, Path temporary, Digest digest) throws IOException {
    if (has(digest)) {
      return;
    }
    channel.force(true);
    Path target = path(digest);
    Path directory = java.util.Objects.requireNonNull(target.getParent());
    if (!Files.isDirectory(directory)) {
      Files.createDirectories(directory);
      AtomicFile.syncDirectory(root.resolve("blobs"));
      AtomicFile.syncDirectory(root);
    }
    Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    AtomicFile.syncDirectory(directory);
  }

  private synchronized Path writerDirectory() throws IOException {
    while (mine == null) {
      Path directory =
          temporaries.resolve(WRITER + Long.toHexString(ThreadLocalRandom.current().nextLong()));
      Files.createDirectories(temporaries);
      Files.createDirectory(directory);
      myLock = Flock.tryDirectory(directory);
      // Null: a sweeper saw it between the two calls and removed it.
      mine = myLock == null ? null : directory;
    }
    return mine;
  }

  /** Removes what writers that are gone have left. */
  void sweep() throws IOException {
    if (!Files.isDirectory(temporaries, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (DirectoryStream<Path> list = Files.newDirectoryStream(temporaries, WRITER + "*")) {
      for (Path directory : list) {
        try (Flock dead = Flock.tryDirectory(directory)) {
          if (dead != null) {
            Posix.removeTree(OsPath.of(directory));
          }
        }
      }
    }
  }

  @Override
  public synchronized void close() throws IOException {
    if (mine != null && myLock != null) {
      Posix.removeTree(OsPath.of(mine));
      myLock.close();
      mine = null;
      myLock = null;
    }
  }
}
