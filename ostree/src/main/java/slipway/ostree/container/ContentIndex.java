package slipway.ostree.container;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.AtomicFile;
import slipway.base.FileReason;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.oci.chunked.KnownContents;
import slipway.oci.model.Digest;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.repo.FsckReport;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Which contents of files the layers of a repository hold, by the sha256 digest of the bytes alone:
 * ostree's own names cover owner, mode and attributes, too. For each layer's commit a file beside
 * the repository's own says it:
 *
 * <pre>
 *  REPOSITORY/extensions/slipway/contents/COMMIT
 *    slipway-contents 1 COUNT SHA256\n     hex of what follows
 *    COUNT times 64 bytes                  sha256 of a content, name of an object that holds it;
 *                                          ascending
 * </pre>
 *
 * Such a file is a cache: what it says is checked when it is used, and one that is missing or
 * damaged is made again, which reads all files of the layer once. Safe for use by many threads.
 */
final class ContentIndex implements KnownContents {
  private static final String MAGIC = "slipway-contents 1 ";
  private static final Pattern HEAD =
      Pattern.compile(Pattern.quote(MAGIC) + "([0-9]{1,7}) ([0-9a-f]{64})\n");
  private static final int HASH = 32;
  private static final int RECORD = 2 * HASH;

  /** Contents that are known at once at most; an operating system has tens of thousands. */
  private static final int MOST_RECORDS = 1_000_000;

  /** A disk gives so many bytes, about, while a network gives one. */
  private static final int READ_FOR_ONE = 64;

  /** Bytes of memory that the tables of all layers that come at once take. */
  private final long maxTables = Limit.TREE_BYTES.value() / 4;

  private final Repository repository;
  private final Collection<Checksum> layers;
  private final Consumer<Checksum> damaged;
  private final Progress progress;
  private long budget;
  private boolean loaded;
  private final AtomicLong tableBytes = new AtomicLong();

  /** The layers' records. */
  private final List<Table> tables = new ArrayList<>();

  /** The records of one layer. */
  private record Table(Path file, byte[] records) {
    Optional<Checksum> find(byte[] content) {
      int low = 0;
      int high = records.length / RECORD;
      while (low < high) {
        int middle = (low + high) >>> 1;
        int at = middle * RECORD;
        if (Arrays.compareUnsigned(records, at, at + HASH, content, 0, HASH) < 0) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      int at = low * RECORD;
      return at < records.length && Arrays.equals(records, at, at + HASH, content, 0, HASH)
          ? Optional.of(Checksum.of(Arrays.copyOfRange(records, at + HASH, at + RECORD)))
          : Optional.empty();
    }
  }

  /**
   * A content and an object that holds it.
   *
   * @param content its sha256
   */
  record Entry(Digest content, Checksum object) {}

  /**
   * @param layers commits in whose files to look
   * @param packed bytes of the layers that are to be fetched: what they could spare decides how
   *     much is read to learn what is there
   * @param damaged hears of objects that turn out not to be what they are called
   */
  ContentIndex(
      Repository repository,
      Collection<Checksum> layers,
      long packed,
      Consumer<Checksum> damaged,
      Progress progress) {
    this.repository = repository;
    this.layers = List.copyOf(layers);
    this.damaged = damaged;
    this.progress = progress;
    this.budget = packed * READ_FOR_ONE;
  }

  /** For the table of contents of a layer, as long as that is needed. */
  Memory memory() {
    return new Memory();
  }

  /** What one layer's table takes of the memory for all. */
  final class Memory implements AutoCloseable {
    private long taken;

    /**
     * Takes more.
     *
     * @throws Problem of kind INPUT when all tables together take too much: that layer comes whole
     */
    void take(long bytes) {
      taken += bytes;
      if (tableBytes.addAndGet(bytes) > maxTables) {
        throw Problem.input(
            "the tables of contents of layers take more than a quarter of the "
                + Limit.TREE_BYTES.text()
                + " of memory that an image may take");
      }
    }

    /**
     * Takes some until the import ends.
     *
     * @return false when there is no room for that
     */
    boolean keep(long bytes) {
      boolean room = tableBytes.addAndGet(bytes) <= maxTables;
      if (!room) {
        tableBytes.addAndGet(-bytes);
      }
      return room;
    }

    @Override
    public void close() {
      tableBytes.addAndGet(-taken);
    }
  }

  /** Whether anything at all is known; reads layers when nobody has yet. */
  synchronized boolean isEmpty() throws IOException {
    load();
    return tables.isEmpty();
  }

  @Override
  public boolean has(Digest content, long size) throws IOException {
    Optional<Checksum> object = find(content);
    try {
      return object.isPresent() && repository.contentSize(object.get()).orElse(-1) == size;
    } catch (IOException | Problem e) {
      return false; // It is fetched; whoever needs the old layer says that it is damaged.
    }
  }

  @Override
  public InputStream open(Digest content) throws IOException {
    Checksum object =
        find(content).orElseThrow(() -> Problem.corrupt("nothing holds the content " + content));
    return repository.openContent(object);
  }

  private synchronized Optional<Checksum> find(Digest content) throws IOException {
    load();
    byte[] hash = HexFormat.of().parseHex(content.hex());
    for (Table table : tables) {
      Optional<Checksum> object = table.find(hash);
      if (object.isPresent()) {
        return object;
      }
    }
    return Optional.empty();
  }

  /**
   * Forgets what said so; it is made again when it is needed next. Where the object is damaged the
   * note is right, and tells the next import the same until the object is whole.
   */
  @Override
  public synchronized void distrust(Digest content) {
    byte[] hash = HexFormat.of().parseHex(content.hex());
    for (Table table : List.copyOf(tables)) {
      Optional<Checksum> object = table.find(hash);
      if (object.isPresent()) {
        tables.remove(table);
        if (isDamaged(object.get())) {
          damaged.accept(object.get());
          progress.note(
              "the object "
                  + object.get()
                  + " of "
                  + repository.path()
                  + " is damaged"
                  + FsckReport.REPAIR);
          return;
        }
        try {
          Files.deleteIfExists(table.file);
        } catch (IOException e) {
          progress.note(table.file + " is wrong and cannot be removed: " + FileReason.of(e));
        }
        return;
      }
    }
  }

  /** Whether an object is another one than it is called, or cannot be read. */
  private boolean isDamaged(Checksum object) {
    OsPath file = OsPath.of(repository.objectPath(object, ObjectType.FILE));
    try {
      return !repository.contentChecksum(file).equals(object);
    } catch (IOException | Problem e) {
      return true;
    }
  }

  // ---- reading ----

  private void load() throws IOException {
    if (loaded) {
      return;
    }
    loaded = true;
    int left = maxRecords();
    for (Checksum layer : layers) {
      Path file = repository.contentsNote(layer);
      byte[] records = read(file).orElse(null);
      if (records == null) {
        records = make(layer).orElse(null);
      }
      if (records != null && records.length > 0 && records.length / RECORD <= left) {
        left -= records.length / RECORD;
        tables.add(new Table(file, records));
      }
    }
  }

  /** At most an eighth of the memory that an image may take. */
  private static int maxRecords() {
    return (int) Math.min(MOST_RECORDS, Limit.TREE_BYTES.value() / 8 / RECORD);
  }

  /** The records of a file that is whole. */
  private static Optional<byte[]> read(Path file) {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
      bytes = in.readNBytes(maxRecords() * RECORD + 128);
    } catch (IOException e) {
      return Optional.empty(); // It is made again.
    }
    String head = new String(bytes, 0, Math.min(bytes.length, 128), StandardCharsets.ISO_8859_1);
    Matcher matcher = HEAD.matcher(head);
    if (!matcher.lookingAt()) {
      return Optional.empty();
    }
    byte[] records = Arrays.copyOfRange(bytes, matcher.end(), bytes.length);
    boolean whole =
        records.length == Long.parseLong(matcher.group(1)) * RECORD
            && Checksum.sha256(records).hex().equals(matcher.group(2));
    return whole ? Optional.of(records) : Optional.empty();
  }

  /** Reads all files of a layer, if that can pay; a damaged one is as good as none. */
  private Optional<byte[]> make(Checksum layer) {
    try {
      return hashed(layer);
    } catch (IOException | Problem e) {
      progress.note("what layer " + layer.hex() + " holds cannot be used: " + FileReason.why(e));
      return Optional.empty();
    }
  }

  private Optional<byte[]> hashed(Checksum layer) throws IOException {
    List<ObjectContent> objects = objects(repository.readTree(layer));
    long bytes = objects.stream().mapToLong(ObjectContent::size).sum();
    if (bytes > budget) {
      return Optional.empty();
    }
    budget -= bytes;
    List<Entry> entries = new ArrayList<>();
    String name = "contents of layer " + layer.hex().substring(0, 12);
    try (Progress.Task task = progress.start(name, bytes)) {
      for (ObjectContent object : objects) {
        entries.add(new Entry(hash(object), object.checksum()));
        task.advance(object.size());
      }
    }
    write(repository, layer, entries);
    return Optional.of(records(entries));
  }

  private static List<ObjectContent> objects(FileTree tree) throws IOException {
    List<ObjectContent> objects = new ArrayList<>();
    Set<Checksum> seen = new HashSet<>();
    tree.walk(
        (path, node) -> {
          if (node instanceof Node.File f
              && f.content() instanceof ObjectContent o
              && o.size() > 0
              && seen.add(o.checksum())) {
            objects.add(o);
          }
        });
    return objects;
  }

  private static Digest hash(ObjectContent object) throws IOException {
    MessageDigest hash = Digest.Algorithm.SHA256.newMessageDigest();
    byte[] buffer = new byte[128 * 1024];
    try (InputStream in = object.open()) {
      for (int n; (n = in.read(buffer)) >= 0; ) {
        hash.update(buffer, 0, n);
      }
    }
    return Digest.of(Digest.Algorithm.SHA256, hash.digest());
  }

  // ---- writing ----

  /**
   * Notes what a layer holds. The rename of the file is the commit point; the layer's commit need
   * not be there yet.
   */
  static void write(Repository repository, Checksum layer, List<Entry> entries) throws IOException {
    byte[] records = records(entries);
    byte[] head =
        (MAGIC + records.length / RECORD + " " + Checksum.sha256(records).hex() + "\n")
            .getBytes(StandardCharsets.ISO_8859_1);
    Path file = repository.contentsNote(layer);
    Files.createDirectories(java.util.Objects.requireNonNull(file.getParent()));
    byte[] all = Arrays.copyOf(head, head.length + records.length);
    System.arraycopy(records, 0, all, head.length, records.length);
    AtomicFile.write(file, all);
  }

  private static byte[] records(List<Entry> entries) {
    TreeSet<byte[]> sorted = new TreeSet<>(Arrays::compareUnsigned);
    for (Entry entry : entries) {
      sorted.add(
          ByteBuffer.allocate(RECORD)
              .put(HexFormat.of().parseHex(entry.content().hex()))
              .put(entry.object().bytes())
              .array());
    }
    int count = Math.min(sorted.size(), maxRecords());
    ByteBuffer records = ByteBuffer.allocate(count * RECORD);
    sorted.stream().limit(count).forEach(records::put);
    return records.array();
  }
}
