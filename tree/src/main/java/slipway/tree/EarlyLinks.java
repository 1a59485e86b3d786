package slipway.tree;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;

/**
 * Orders the hard links into lower layers that a tar must hold before all else: who reads a tar
 * finds the target of a link as the members before it left it, so the link comes before whatever
 * the layer does to its target.
 */
final class EarlyLinks {
  /** Is told each link when its turn has come. */
  @FunctionalInterface
  interface Writer {
    void write(Layer layer, OsPath path, Node.LinkBelow link) throws IOException;
  }

  private final Layer layer;
  private final Writer writer;
  private final Map<OsPath, Node.LinkBelow> links = new HashMap<>();
  private final NavigableMap<OsPath, List<OsPath>> byTarget = new TreeMap<>();
  private final Set<OsPath> begun = new HashSet<>();
  private final Set<OsPath> written = new HashSet<>();

  EarlyLinks(Layer layer, Writer writer) {
    this.layer = layer;
    this.writer = writer;
  }

  void write() throws IOException {
    layer.walk(
        (path, node) -> {
          if (node instanceof Node.LinkBelow link && touched(link.target())) {
            links.put(path, link);
            byTarget.computeIfAbsent(link.target(), t -> new ArrayList<>()).add(path);
          }
        });
    for (OsPath path : List.copyOf(links.keySet()).stream().sorted().toList()) {
      write(path);
    }
  }

  /** Whether the layer changes what is at a path. */
  private boolean touched(OsPath target) {
    Node at = layer.root();
    for (OsPath name : target.components()) {
      if (!(at instanceof Node.Directory d) || d.opaque()) {
        return true;
      }
      at = d.children().get(name);
      if (at == null) {
        return false;
      }
    }
    return true;
  }

  /** Writes a link after all the links whose targets it would cover. */
  private void write(OsPath path) throws IOException {
    if (written.contains(path)) {
      return;
    }
    if (!begun.add(path)) {
      throw Problem.input(
          "the layer cannot be stored: the hard link \"" + path + "\" exchanges names with others");
    }
    for (OsPath other : covered(path)) {
      if (!other.equals(path)) {
        write(other);
      }
    }
    written.add(path);
    writer.write(layer, path, java.util.Objects.requireNonNull(links.get(path)));
  }

  private List<OsPath> covered(OsPath path) {
    List<OsPath> covered = new ArrayList<>();
    for (OsPath at = path; !at.isEmpty(); at = at.parent()) {
      covered.addAll(byTarget.getOrDefault(at, List.of()));
    }
    OsPath inside = path.concat(OsPath.of("/"));
    for (var entry : byTarget.tailMap(inside, true).entrySet()) {
      if (!entry.getKey().startsWith(inside)) {
        break;
      }
      covered.addAll(entry.getValue());
    }
    return covered;
  }
}
