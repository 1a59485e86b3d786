package slipway.system.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.linux.posix.OsPath;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** Reads small files of an image's tree by path, following links inside the tree. */
public record ImageFiles(FileTree tree) {
  private static final int MAX_LINKS = 40;

  /** The node at a path, links of its parents followed but not its own; null when there is none. */
  public @Nullable Node node(String path) {
    return resolve(OsPath.of(path), false);
  }

  /** The text of a regular file, links followed; empty when there is none. */
  public Optional<String> text(String path) throws IOException {
    return bytes(path).map(bytes -> new String(bytes, StandardCharsets.UTF_8));
  }

  /** The content of a regular file, links followed; empty when there is none. */
  public Optional<byte[]> bytes(String path) throws IOException {
    return bytes(OsPath.of(path));
  }

  /** As {@link #bytes(String)}, of a path that may not be UTF-8. */
  public Optional<byte[]> bytes(OsPath path) throws IOException {
    if (!(resolve(path, true) instanceof Node.File file)) {
      return Optional.empty();
    }
    try (InputStream in = file.content().open()) {
      return Optional.of(Limit.SMALL_FILE_BYTES.read(in, "the image's /" + path));
    }
  }

  /** Whether a path leads to a directory, links followed. */
  public boolean isDirectory(String path) {
    return resolve(OsPath.of(path), true) instanceof Node.Directory;
  }

  /** Names in a directory, in byte order; none when it is not a directory. */
  public List<String> names(String path) {
    return children(path).keySet().stream().map(OsPath::toString).toList();
  }

  /** What is in a directory, links to it followed; nothing when it is not a directory. */
  public Map<OsPath, Node> children(String path) {
    return resolve(OsPath.of(path), true) instanceof Node.Directory d ? d.children() : Map.of();
  }

  /** Visits all below a directory, but not itself. */
  public void walk(String path, FileTree.Visitor visitor) throws IOException {
    if (node(path) instanceof Node.Directory directory) {
      new FileTree(directory)
          .walk(
              (below, node) -> {
                if (!below.isEmpty()) {
                  visitor.visit(OsPath.of(path).resolve(below), node);
                }
              });
    }
  }

  /**
   * The {@code .conf} files of a configuration directory of systemd's, by name: one in {@code /etc}
   * replaces its namesake in {@code /usr}, and one that is a link to nowhere or {@code /dev/null}
   * hides it (tmpfiles.d(5), "Configuration directories and precedence").
   */
  public Map<String, String> configuration(String folder) throws IOException {
    Map<String, String> files = new TreeMap<>();
    for (String base : List.of("usr/lib", "usr/local/lib", "run", "usr/etc", "etc")) {
      String path = base + "/" + folder;
      for (String name : names(path)) {
        if (name.endsWith(".conf")) {
          files.put(name, text(path + "/" + name).orElse(""));
        }
      }
    }
    return files;
  }

  private @Nullable Node resolve(OsPath path, boolean last) {
    List<OsPath> todo = new ArrayList<>(path.components());
    List<Node> trail = new ArrayList<>(List.of(tree.root()));
    int links = 0;
    while (!todo.isEmpty()) {
      OsPath name = todo.removeFirst();
      if (name.is(".")) {
        continue;
      }
      if (name.is("..")) {
        if (trail.size() > 1) {
          trail.removeLast();
        }
        continue;
      }
      if (!(trail.getLast() instanceof Node.Directory directory)) {
        return null;
      }
      Node child = directory.children().get(name);
      if (child instanceof Node.Symlink link && (last || !todo.isEmpty())) {
        if (++links > MAX_LINKS) {
          return null;
        }
        todo.addAll(0, link.target().components());
        if (link.target().isAbsolute()) {
          trail.subList(1, trail.size()).clear();
        }
      } else if (child == null) {
        return null;
      } else {
        trail.add(child);
      }
    }
    return trail.getLast();
  }
}
