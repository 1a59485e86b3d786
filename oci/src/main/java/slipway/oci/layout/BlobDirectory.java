package slipway.oci.layout;

import static java.nio.file.StandardOpenOption.READ;

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
import java.security.MessageDigest;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.BlockInput;
import slipway.base.FullDisk;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;
import slipway.oci.copy.DiffIds;
import slipway.oci.copy.PlainLayer;
import slipway.oci.copy.Validate;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;

/**
 * The {@code blobs/ALGORITHM/HEX} tree of an OCI image layout (image-spec, image-layout.md), for
 * many threads and processes. What is being written lies in a directory of this writer below a
 * common one; the writer holds its flock, so that others can tell a dead writer's leftovers.
 */
public final class BlobDirectory implements AutoCloseable {
  private static final String WRITER = ".writer-";
  private static final int BUFFER = 128 * 1024;
  private static final Path OPEN_FILES = Path.of("/proc/self/fd");

  private final Path root;
  private final Path temporaries;
  private final @Nullable DiffIds diffIds;
  private final AtomicLong counter = new AtomicLong();
  private final Set<BlobWriter> open = ConcurrentHashMap.newKeySet();
  private @Nullable Path mine;
  private @Nullable Flock myLock;

  /**
   * @param root of the layout
   * @param temporaries where writers make their directories; on the same file system
   */
  public BlobDirectory(Path root, Path temporaries) {
    this(root, temporaries, null);
  }

  /**
   * @param diffIds where the uncompressed digests of layers are noted, as in the store of the
   *     state; or null
   */
  public BlobDirectory(Path root, Path temporaries, @Nullable DiffIds diffIds) {
    this.root = root;
    this.temporaries = temporaries;
    this.diffIds = diffIds;
  }

  /** What to tell of a failure to write here. */
  String tell(IOException failure) {
    boolean elsewhere = diffIds == null && FullDisk.isCauseOf(failure);
    return elsewhere ? FullDisk.sentence(root) : FullDisk.tell(root, failure);
  }

  /** Notes what a layer decompresses to; without the note somebody finds it out again. */
  public void note(Digest blob, PlainLayer.Sum plain) {
    if (diffIds != null) {
      try {
        diffIds.put(blob, plain);
      } catch (IOException e) {
        // The blob is there already; a lost note must not make its writing fail.
      }
    }
  }

  Path root() {
    return root;
  }

  /** Where a blob lies, or would lie. */
  public Path path(Digest digest) {
    return root.resolve(inside(digest));
  }

  private static String inside(Digest digest) {
    return "blobs/" + digest.algorithm().label() + "/" + digest.hex();
  }

  public boolean has(Digest digest) {
    return Files.isRegularFile(path(digest), LinkOption.NOFOLLOW_LINKS);
  }

  /** Whether there is anything by its name, be it a link or a pipe. */
  boolean isThere(Digest digest) {
    return Files.exists(path(digest), LinkOption.NOFOLLOW_LINKS);
  }

  /** Opens a blob from an offset; not verified. */
  public InputStream open(Digest digest, long offset) throws IOException {
    try {
      return openFile(root, inside(digest), offset);
    } catch (NoSuchFileException e) {
      throw new Problem(
          Problem.Kind.NOT_FOUND, "blob " + digest + " is not in " + root + "; pull it again", e);
    }
  }

  /**
   * Opens a file of a folder that a stranger may have filled, and may be changing.
   *
   * @param folder links in its own path are followed
   * @param inside the path of the file in it
   * @param offset in bytes, where reading begins
   * @throws NoSuchFileException when there is none
   * @throws Problem of kind CORRUPT when a link leads out of the folder, or when it is no regular
   *     file but a pipe, say, whose opening would never end
   */
  public static InputStream openFile(Path folder, String inside, long offset) throws IOException {
    Path file = folder.resolve(inside);
    try (FdInput found =
        RootedFile.open(
                OsPath.of(folder), OsPath.of(inside), RootedFile.Links.BENEATH, file.toString())
            .orElseThrow(() -> new NoSuchFileException(file.toString()))) {
      // Unlike a descriptor, a channel is closed by an interrupt, which ends long reading.
      FileChannel channel =
          FileChannel.open(OPEN_FILES.resolve(Integer.toString(found.fd())), READ);
      channel.position(offset);
      return Channels.newInputStream(channel);
    }
  }

  /** Reads a small blob whole and verifies it. */
  public byte[] read(Digest digest, Limit limit) throws IOException {
    byte[] bytes;
    try (InputStream in = open(digest, 0)) {
      bytes = limit.read(in, "blob " + digest + " in " + root);
    }
    if (!digest.matches(bytes)) {
      throw Problem.corrupt(
          "blob " + digest + " in " + root + " does not have its digest; remove and pull it again");
    }
    return bytes;
  }

  /**
   * Called before it is said what a place lacks.
   *
   * @throws Problem of kind NOT_FOUND for what is no folder
   */
  public static void requireFolder(Path place) {
    if (!Files.isDirectory(place)) {
      throw Problem.notFound(
          Files.exists(place) ? place + " is not a folder" : "there is no folder " + place);
    }
  }

  public BlobWriter newBlob(Digest.Algorithm algorithm) {
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

  /** Whether a blob is there and has the size and the digest that it should have; reads it. */
  public boolean isIntact(Descriptor descriptor) throws IOException {
    if (!has(descriptor.digest()) || Files.size(path(descriptor.digest())) != descriptor.size()) {
      return false;
    }
    MessageDigest hash = descriptor.digest().algorithm().newMessageDigest();
    byte[] buffer = new byte[BUFFER];
    try (InputStream in = open(descriptor.digest(), 0)) {
      for (int n; (n = in.read(buffer)) >= 0; ) {
        hash.update(buffer, 0, n);
      }
    }
    return Digest.of(descriptor.digest().algorithm(), hash.digest()).equals(descriptor.digest());
  }

  /** Stores a small blob, in the place of one that is damaged. */
  public void write(Descriptor descriptor, byte[] bytes) throws IOException {
    if (isIntact(descriptor)) {
      return;
    }
    try (BlobWriter writer = newBlob(descriptor.digest().algorithm())) {
      writer.write(bytes, 0, bytes.length);
      writer.commit(descriptor);
    }
  }

  /** Copies a stream into the blob that it must be. */
  public void write(Descriptor descriptor, InputStream in) throws IOException {
    try (BlobWriter writer = newBlob(descriptor.digest().algorithm())) {
      byte[] buffer = new byte[BUFFER];
      for (int n; (n = in.read(buffer)) >= 0; ) {
        requireRoom(writer.size() + n, descriptor);
        writer.write(buffer, 0, n);
      }
      writer.commit(descriptor);
    }
  }

  /** As {@link #write(Descriptor, InputStream)} for a layer, noting what it decompresses to. */
  public void writeLayer(Descriptor layer, InputStream in) throws IOException {
    PlainLayer.Sum plain;
    try (BlobWriter writer = newBlob(layer.digest().algorithm())) {
      plain =
          DiffIds.hash(
              new Copying(in, writer, layer), Digest.Algorithm.SHA256, Validate.name(layer));
      writer.commit(layer);
    }
    note(layer.digest(), plain);
  }

  /** Hands on a blob's bytes and writes them; its end is not reached unless they were promised. */
  private static final class Copying extends BlockInput {
    private final InputStream in;
    private final BlobWriter writer;
    private final Descriptor expected;

    Copying(InputStream in, BlobWriter writer, Descriptor expected) {
      this.in = in;
      this.writer = writer;
      this.expected = expected;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int n = in.read(buffer, offset, length);
      if (n > 0) {
        requireRoom(writer.size() + n, expected);
        writer.write(buffer, offset, n);
      } else if (n < 0) {
        writer.verify(expected);
      }
      return n;
    }
  }

  private static void requireRoom(long size, Descriptor expected) {
    if (size > expected.size()) {
      throw Problem.corrupt(
          "blob " + expected.digest() + " is longer than its " + expected.size() + " bytes");
    }
  }

  public boolean writing() {
    return !open.isEmpty();
  }

  void closed(BlobWriter writer) {
    open.remove(writer);
  }

  /**
   * Syncs a finished temporary file and gives it its name. What had that name makes way: if it was
   * whole it was the same, and if not this mends it.
   */
  void adopt(FileChannel channel, Path temporary, Digest digest) throws IOException {
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
  public void sweep() throws IOException {
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
