package slipway.disk;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.disk.config.PartitionContent;
import slipway.disk.ext4.Ext4Options;
import slipway.disk.ext4.Ext4Writer;
import slipway.disk.plan.DiskPlan;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Pretence;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * The root and /boot of a new disk by a user who may neither mount nor give files away: an
 * installation fills a folder in which both are pretended, and what that looks like is written into
 * the partitions.
 *
 * @param disk a file that reads as zeros where they are
 * @param time when all that is younger was made; null for times as they are
 */
record PretendedDisk(Path disk, DiskPlan plan, @Nullable Instant time) {
  private static final OsPath BOOT = OsPath.of("boot/");
  private static final OsPath LOST_AND_FOUND = OsPath.of("lost+found");

  /** What fills them. */
  @FunctionalInterface
  interface Filling {
    /**
     * @param boot below the root
     * @return false when the disk is not to be written
     */
    boolean fill(Path root, Path boot) throws IOException;
  }

  /**
   * Fills and writes them.
   *
   * @param folder an empty one
   * @throws slipway.base.Problem of kind FULL when the files do not fit into their partition
   */
  boolean write(Path folder, Filling filling) throws IOException {
    Path top = Files.createDirectory(folder.resolve("root"));
    Files.createDirectory(top.resolve("boot"));
    try (Pretence root = Pretence.below(top)) {
      begin(top);
      boolean done =
          plan.boot() == null ? filling.fill(root.folder(), boot(root)) : apart(root, filling);
      if (done) {
        Predicate<OsPath> own = plan.boot() == null ? p -> true : p -> !p.startsWith(BOOT);
        FileTree tree = DirectoryReader.read(root.folder(), own);
        write(tree, plan.root(), true, immutable(root));
      }
      return done;
    } finally {
      // What converts the disk wants room, too.
      Posix.removeTree(OsPath.of(top));
    }
  }

  private static Path boot(Pretence root) {
    return root.folder().resolve("boot");
  }

  /** With a /boot of its own. */
  private boolean apart(Pretence root, Filling filling) throws IOException {
    try (Pretence own = Pretence.below(boot(root))) {
      begin(own.folder());
      boolean done = filling.fill(root.folder(), own.folder());
      if (done) {
        FileTree tree = DirectoryReader.read(own.folder());
        write(tree, java.util.Objects.requireNonNull(plan.boot()), false, Set.of());
      }
      return done;
    }
  }

  /** As mkfs leaves a file system. */
  private static void begin(Path folder) throws IOException {
    OsPath top = OsPath.of(folder);
    Posix.chmod(top, 0755);
    Posix.mkdir(top.resolve(LOST_AND_FOUND), 0700);
    Posix.chmod(top.resolve(LOST_AND_FOUND), 0700);
  }

  /** Deployments that are complete. */
  private static Set<OsPath> immutable(Pretence root) throws IOException {
    Set<OsPath> found = new HashSet<>();
    Path stateroots = root.folder().resolve("ostree/deploy");
    try (Stream<Path> all = Files.walk(stateroots, 3)) {
      for (Path each : (Iterable<Path>) all::iterator) {
        if (root.isImmutable(OsPath.of(each))) {
          found.add(OsPath.of(root.folder().relativize(each)));
        }
      }
    }
    return found;
  }

  /** Writes what lies in another place of the machine into the partition of that. */
  void write(OtherPlaces.Place place, Path from) throws IOException {
    Node.Directory top = DirectoryReader.read(from).root();
    NavigableMap<OsPath, Node> children = new TreeMap<>(top.children());
    Metadata made = Metadata.directory(0700).withMtime(now(), 0);
    children.putIfAbsent(LOST_AND_FOUND, new Node.Directory(made, new TreeMap<>()));
    FileTree tree = new FileTree(new Node.Directory(top.metadata(), children));
    try {
      write(tree, place.part(), true, Set.of());
    } catch (Problem e) {
      throw e.kind() == Problem.Kind.FULL ? OtherPlaces.tooSmall(place, e) : e;
    }
  }

  private void write(FileTree tree, DiskPlan.Part part, boolean verity, Set<OsPath> immutable)
      throws IOException {
    String label = part.content() instanceof PartitionContent.Files files ? files.label() : "";
    UUID id = part.filesystem();
    // Where the id is settled the seed of the hashes is, and nobody can foresee another's.
    UUID seed = UUID.nameUUIDFromBytes(("hashes of " + id).getBytes(StandardCharsets.US_ASCII));
    Ext4Options options =
        new Ext4Options(
            id, label, seed, now(), time != null, verity, immutable, !plan.isEncrypted(part));
    Ext4Writer.write(tree, disk, part.start(), part.size(), options);
  }

  private long now() {
    return (time == null ? Instant.now() : time).getEpochSecond();
  }
}
