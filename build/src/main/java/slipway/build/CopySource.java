package slipway.build;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import slipway.linux.OsPath;
import slipway.linux.Posix;
import slipway.linux.Stat;

/**
 * A tree that COPY takes files from: the context, a stage, an image, an unpacked archive.
 *
 * @param root an absolute path without links
 * @param ignore what is not there for COPY
 * @param keepOwners whether files keep their owners; else they are root's
 * @param name for messages, such as {@code the build context}
 */
record CopySource(OsPath root, IgnoreRules ignore, boolean keepOwners, String name) {
  /**
   * A file or directory that a source names.
   *
   * @param path its real path, outside
   * @param inside its path from the root as named; empty for the root itself
   */
  record Item(OsPath path, OsPath inside, Stat stat) {
    /** The name that the copy of a file gets. */
    OsPath fileName() {
      return inside.name();
    }
  }

  /** Is told what an item consists of, parents first, siblings in byte order. */
  @FunctionalInterface
  interface Visitor {
    /**
     * @param relative path from the item; empty for itself
     * @param path the real path, outside
     */
    void visit(OsPath relative, OsPath path, Stat stat) throws IOException;
  }

  /** The items that a path or pattern names, in byte order; none when there is no such thing. */
  List<Item> select(String pattern, Position at) throws IOException {
    List<OsPath> candidates = List.of(OsPath.of(""));
    for (String part : InRoot.clean(pattern).split("/")) {
      if (part.isEmpty()) {
        continue;
      }
      List<OsPath> next = new ArrayList<>();
      for (OsPath candidate : candidates) {
        if (Glob.isPattern(part)) {
          matches(candidate, part, at, next);
        } else {
          next.add(candidate.resolve(part));
        }
      }
      candidates = next;
    }
    List<Item> items = new ArrayList<>();
    for (OsPath candidate : candidates) {
      item(candidate).ifPresent(items::add);
    }
    return items;
  }

  private void matches(OsPath directory, String part, Position at, List<OsPath> into)
      throws IOException {
    Wildcard glob = Glob.compile(part, false, at);
    Optional<OsPath> real = InRoot.resolve(root, directory);
    if (real.isEmpty() || !Posix.lstat(real.get()).isDirectory()) {
      return;
    }
    for (OsPath name : sorted(real.get())) {
      if (glob.matches(name.toString())) {
        into.add(directory.resolve(name));
      }
    }
  }

  /** What stands at a path, links followed inside the root; nothing when left out. */
  private Optional<Item> item(OsPath inside) throws IOException {
    Optional<OsPath> real = InRoot.resolve(root, inside);
    if (real.isEmpty()) {
      return Optional.empty();
    }
    Stat stat = Posix.lstat(real.get());
    if (ignore.excludes(inside.toString()) && !(stat.isDirectory() && !ignore.prunes())) {
      return Optional.empty();
    }
    return Optional.of(new Item(real.get(), inside, stat));
  }

  /** Whether a path exists but the ignore file hides it. */
  boolean hides(String path) throws IOException {
    String inside = InRoot.clean(path);
    return ignore.excludes(inside) && InRoot.resolve(root, inside).isPresent();
  }

  private static List<OsPath> sorted(OsPath directory) throws IOException {
    List<OsPath> names = new ArrayList<>(Posix.list(directory));
    Collections.sort(names);
    return names;
  }

  /**
   * Visits an item and all below it that is not left out. A directory that is left out but holds
   * something that is not, is visited just before that.
   *
   * @param excludes more patterns, for paths from the item
   */
  void walk(Item item, IgnoreRules excludes, Visitor visitor) throws IOException {
    if (!item.stat().isDirectory()) {
      if (!excludes.excludes(item.fileName().toString())) {
        visitor.visit(OsPath.of(""), item.path(), item.stat());
      }
      return;
    }
    new Walk(item, excludes, visitor).directory(OsPath.of(""), item.path(), item.stat());
  }

  /** A directory that waits for the first thing in it. */
  private record Pending(OsPath relative, OsPath path, Stat stat) {}

  private final class Walk {
    private final Item item;
    private final IgnoreRules excludes;
    private final Visitor visitor;
    private final Deque<Pending> pending = new ArrayDeque<>();

    Walk(Item item, IgnoreRules excludes, Visitor visitor) {
      this.item = item;
      this.excludes = excludes;
      this.visitor = visitor;
    }

    private boolean excluded(OsPath relative) {
      return !relative.isEmpty()
          && (excludes.excludes(relative.toString())
              || ignore.excludes(item.inside().resolve(relative).toString()));
    }

    void directory(OsPath relative, OsPath path, Stat stat) throws IOException {
      boolean out = excluded(relative);
      if (out && ignore.prunes() && excludes.prunes()) {
        return;
      }
      Pending self = new Pending(relative, path, stat);
      pending.addLast(self);
      if (!out) {
        flush();
      }
      for (OsPath name : sorted(path)) {
        OsPath child = path.resolve(name);
        OsPath childRelative = relative.resolve(name);
        Stat childStat = Posix.lstat(child);
        if (childStat.isDirectory()) {
          directory(childRelative, child, childStat);
        } else if (!excluded(childRelative)) {
          flush();
          visitor.visit(childRelative, child, childStat);
        }
      }
      pending.removeLastOccurrence(self);
    }

    private void flush() throws IOException {
      while (!pending.isEmpty()) {
        Pending p = pending.removeFirst();
        visitor.visit(p.relative(), p.path(), p.stat());
      }
    }
  }
}
