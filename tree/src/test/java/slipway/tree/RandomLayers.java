package slipway.tree;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;

/**
 * Makes stacks of small layers over few names, so that they collide in every way. The layers are
 * sound: hard links lead to what is below. The same seed gives the same layers.
 */
final class RandomLayers {
  private static final String[] NAMES = {"a", "b", "c", "d"};

  private final Random random;
  private final boolean anyImplied;
  private FileTree below = Layers.merge(List.of());

  /** Files of the layer in work, for hard links within it. */
  private final List<Node> files = new ArrayList<>();

  /** Links into lower layers of the layer in work. */
  private final List<OsPath> links = new ArrayList<>();

  /**
   * @param anyImplied whether there may be what only a merge can do, not unpacking in place:
   *     directories without an entry over what is no directory
   */
  RandomLayers(long seed, boolean anyImplied) {
    this.random = new Random(seed);
    this.anyImplied = anyImplied;
  }

  List<Layer> stack() {
    List<Layer> layers = new ArrayList<>();
    int count = 1 + random.nextInt(5);
    for (int i = 0; i < count; i++) {
      files.clear();
      links.clear();
      Node.Directory d = directory(below.root(), OsPath.of(""));
      boolean implied = chance(50);
      Metadata own = implied ? Metadata.directory(0755) : metadata(Stat.S_IFDIR);
      Layer layer = new Layer(new Node.Directory(own, d.children(), false, implied));
      layers.add(layer);
      below = Layers.apply(below, layer);
    }
    return layers;
  }

  private boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  private Node.Directory directory(@Nullable Node lower, OsPath path) {
    NavigableMap<OsPath, Node> children = new TreeMap<>();
    boolean opaque = chance(15);
    // Who unpacks in place makes directories anew there, with what the system gives new ones.
    boolean hides = opaque && !anyImplied;
    for (String name : NAMES) {
      Node there =
          !hides && lower instanceof Node.Directory d ? d.children().get(OsPath.of(name)) : null;
      if (chance(45)) {
        children.put(OsPath.of(name), node(there, path.resolve(name)));
      }
    }
    boolean mayBeImplied = anyImplied || lower instanceof Node.Directory;
    boolean implied = mayBeImplied && !opaque && chance(30) && !children.isEmpty();
    return new Node.Directory(
        implied ? Metadata.directory(0755) : metadata(Stat.S_IFDIR), children, opaque, implied);
  }

  private Node node(@Nullable Node lower, OsPath path) {
    int kind = random.nextInt(100);
    if (kind < 40 && path.components().size() < 4) {
      return directory(lower, path);
    } else if (kind < 55) {
      return Node.Whiteout.INSTANCE;
    } else if (kind < 65) {
      return new Node.Symlink(metadata(Stat.S_IFLNK), OsPath.of("../" + random.nextInt(9)));
    } else if (kind < 70) {
      return new Node.Special(metadata(Stat.S_IFCHR), Posix.makedev(1, 1 + random.nextInt(9)));
    } else if (kind < 78 && !files.isEmpty()) {
      return files.get(random.nextInt(files.size()));
    } else if (kind < 85) {
      List<OsPath> targets = targets(path);
      if (!targets.isEmpty()) {
        OsPath target = targets.get(random.nextInt(targets.size()));
        links.add(path);
        return new Node.LinkBelow(target, below.find(target).orElseThrow().metadata());
      }
    }
    byte[] content = ("content " + random.nextInt(1000)).getBytes(StandardCharsets.UTF_8);
    Node file = new Node.File(metadata(Stat.S_IFREG), Content.of(content));
    files.add(file);
    return file;
  }

  /**
   * Files below that a link may lead to. Who unpacks in place cannot link to what the link or a
   * parent of it takes the place of.
   */
  private List<OsPath> targets(OsPath path) {
    List<OsPath> targets = new ArrayList<>();
    try {
      below.walk(
          (where, node) -> {
            boolean exchanges = links.stream().anyMatch(l -> near(l, where));
            if (node instanceof Node.File && !exchanges && (anyImplied || !near(path, where))) {
              targets.add(where);
            }
          });
    } catch (java.io.IOException e) {
      throw new AssertionError(e);
    }
    return targets;
  }

  /** Whether one is the other or lies in it; two links must not stand in each other's way. */
  private static boolean near(OsPath a, OsPath b) {
    return OsPath.of(a + "/").startsWith(b + "/") || OsPath.of(b + "/").startsWith(a + "/");
  }

  private Metadata metadata(int type) {
    int permissions = type == Stat.S_IFLNK ? 0777 : random.nextInt(010000);
    return new Metadata(
        type | permissions,
        random.nextInt(3),
        random.nextInt(3),
        random.nextInt(1 << 30),
        0,
        List.of());
  }
}
