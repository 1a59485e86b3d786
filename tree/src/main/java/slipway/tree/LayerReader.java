package slipway.tree;

import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.ImageTotals;
import slipway.archive.tar.TarEntry;
import slipway.archive.tar.TarReader;
import slipway.archive.tar.Totals;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;

/**
 * Reads a layer's tar (OCI image-spec, layer.md; POSIX pax, GNU and ustar headers) into a {@link
 * Layer}, in one pass.
 *
 * <p>Where the specification is silent, or tools differ:
 *
 * <ul>
 *   <li>Names are lexical, symbolic links are never followed: a member below a name that is no
 *       directory replaces it by one, as the entry would if it were laid over it by overlayfs.
 *   <li>Of several members with one name the last counts; a directory keeps its children when it
 *       comes again. A directory that takes the place of another thing of the same layer is opaque,
 *       as if both had been unpacked one after the other.
 *   <li>A whiteout acts on lower layers only, wherever it stands in the layer. Together with a
 *       directory of the same name it makes that directory opaque.
 *   <li>The metadata that a hard link's member repeats is ignored.
 *   <li>A hard link whose target is no file of the layer (yet) links to the layers below.
 *   <li>What aufs left, {@code .wh..wh.*}, is ignored; hard links into {@code .wh..wh.plnk} work.
 * </ul>
 */
public final class LayerReader {
  static final OsPath WHITEOUT = OsPath.of(".wh.");
  private static final OsPath AUFS = OsPath.of(".wh..wh.");
  private static final String AUFS_LINKS = ".wh..wh.plnk";
  static final String OPAQUE = ".wh..wh..opq";

  private final TarReader tar;
  private final Totals totals;
  private final ContentStore store;
  private final DirectoryDraft root = new DirectoryDraft();

  /** Files of aufs's own that hard links may repeat. */
  private final Map<OsPath, Node> hidden = new HashMap<>();

  private LayerReader(InputStream in, ContentStore store, ImageTotals image) {
    this.totals = new Totals("the layer", image);
    this.tar = new TarReader(in, totals);
    this.store = store;
  }

  /** As {@link #read(InputStream, ContentStore, ImageTotals)}, for a layer that is alone. */
  public static Layer read(InputStream tar, ContentStore store) throws IOException {
    return read(tar, store, new ImageTotals("the layer"));
  }

  /**
   * Reads to the end of the stream, so that a verifying stream below sees all of it. The stream is
   * read by a thread of its own, a little ahead; it is not closed.
   *
   * @param tar uncompressed
   * @param store where file content goes
   * @param image counts what the layers of one image cost together
   * @throws Problem of kind CORRUPT for a damaged or hostile tar: paths that escape, headers
   *     without end, names that no file system holds, more than {@link slipway.base.Limit} allows
   */
  public static Layer read(InputStream tar, ContentStore store, ImageTotals image)
      throws IOException {
    try (ReadAhead ahead = new ReadAhead(tar)) {
      LayerReader reader = new LayerReader(ahead, store, image);
      for (TarEntry entry; (entry = reader.tar.next()) != null; ) {
        reader.add(entry);
      }
      return new Layer(reader.root.build());
    }
  }

  private void add(TarEntry entry) throws IOException {
    List<OsPath> path = entry.path();
    totals.depth(path.size());
    if (path.isEmpty()) {
      if (entry.kind() == TarEntry.Kind.DIRECTORY) {
        root.metadata(entry.metadata());
        return;
      }
      throw Problem.corrupt("the layer's root is not a directory");
    }
    List<OsPath> parents = path.subList(0, path.size() - 1);
    OsPath name = path.getLast();
    if (parents.stream().anyMatch(p -> p.startsWith(AUFS)) || name.startsWith(AUFS)) {
      addHidden(entry, path);
      return;
    }
    if (parents.stream().anyMatch(p -> p.startsWith(WHITEOUT))) {
      throw Problem.corrupt("the layer's member \"" + entry.name() + "\" is below a whiteout");
    }
    if (name.startsWith(WHITEOUT)) {
      whiteout(entry, parents, name.substring(WHITEOUT.length()));
    } else {
      put(entry, path);
    }
  }

  private void whiteout(TarEntry entry, List<OsPath> parents, OsPath name) {
    if (name.isEmpty() || name.is(".") || name.is("..")) {
      throw Problem.corrupt("the layer's whiteout \"" + entry.name() + "\" names no file");
    }
    DirectoryDraft parent = directory(parents);
    Object there = parent.get(name);
    if (there == null) {
      parent.put(name, Node.Whiteout.INSTANCE);
    } else if (there instanceof DirectoryDraft d) {
      d.replaceLower();
    }
  }

  private void addHidden(TarEntry entry, List<OsPath> path) throws IOException {
    if (path.getLast().is(OPAQUE)) {
      directory(path.subList(0, path.size() - 1)).opaque();
    } else if (path.size() == 2 && path.getFirst().is(AUFS_LINKS) && isFile(entry)) {
      OsPath where = join(path);
      hidden.put(where, file(where, entry));
    }
  }

  private static boolean isFile(TarEntry entry) {
    return entry.kind() == TarEntry.Kind.FILE;
  }

  private void put(TarEntry entry, List<OsPath> path) throws IOException {
    DirectoryDraft parent = directory(path.subList(0, path.size() - 1));
    OsPath name = path.getLast();
    Node node =
        switch (entry.kind()) {
          case DIRECTORY -> {
            child(parent, name).metadata(entry.metadata());
            yield null;
          }
          case FILE -> file(join(path), entry);
          case SYMLINK -> new Node.Symlink(entry.metadata(), entry.linkName());
          case HARDLINK -> link(entry);
          case CHARACTER, BLOCK, FIFO -> new Node.Special(entry.metadata(), entry.rdev());
        };
    if (node != null) {
      parent.put(name, node);
    }
  }

  private Node.File file(OsPath path, TarEntry entry) throws IOException {
    return new Node.File(
        entry.metadata(), store.store(path, entry.metadata(), entry.size(), tar.content()));
  }

  private Node link(TarEntry entry) {
    List<OsPath> target = TarEntry.normalise(entry.linkName());
    if (target.isEmpty()) {
      throw Problem.corrupt(
          "the layer's hard link \"" + entry.name() + "\" leads to the root directory");
    }
    OsPath path = join(target);
    Node own = hidden.get(path);
    if (own != null) {
      return own;
    }
    return switch (find(target)) {
      case Node.Whiteout w -> new Node.LinkBelow(path, entry.metadata());
      case Node node -> node;
      case null, default -> new Node.LinkBelow(path, entry.metadata());
    };
  }

  private @Nullable Object find(List<OsPath> path) {
    DirectoryDraft parent = root.directory(path.subList(0, path.size() - 1));
    return parent == null ? null : parent.get(path.getLast());
  }

  /** The directory at a path, made where it is missing. */
  private DirectoryDraft directory(List<OsPath> path) {
    DirectoryDraft at = root;
    int length = 0;
    for (OsPath name : path) {
      length += name.length() + 1;
      if (!(at.get(name) instanceof DirectoryDraft)) {
        totals.implied(length);
      }
      at = child(at, name);
    }
    return at;
  }

  private static DirectoryDraft child(DirectoryDraft parent, OsPath name) {
    Object there = parent.get(name);
    if (there instanceof DirectoryDraft d) {
      return d;
    }
    DirectoryDraft made = parent.putDirectory(name);
    if (there != null) {
      made.replaceLower();
    }
    return made;
  }

  private static OsPath join(List<OsPath> path) {
    OsPath joined = path.getFirst();
    for (OsPath name : path.subList(1, path.size())) {
      joined = joined.resolve(name);
    }
    return joined;
  }
}
