package slipway.builder.files;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import slipway.base.Limit;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.builder.language.Glob;
import slipway.builder.language.Wildcard;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.InRoot;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;
import slipway.linux.posix.Stat;

/**
 * A tree that COPY takes files from: the context, a stage, an image, an unpacked archive.
 *
 * @param root an absolute path without links
 * @param ignore what is not there for COPY
 * @param keepOwners whether files keep their owners; else they are root's
 * @param name for messages, such as {@code the build context}
 */
public record CopySource(OsPath root, IgnoreRules ignore, boolean keepOwners, String name) {
  /**
   * A file or directory that a source names.
   *
   * @param real its path from the root without links; empty for the root itself
   * @param inside its path from the root as named
   * @param pivot how many names of {@code inside} stand before a {@code /./}
   */
  public record Item(OsPath real, OsPath inside, Stat stat, int pivot) {
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
     * @param path leads to the file, while it is visited; no link is on the way
     */
    void visit(OsPath relative, OsPath path, Stat stat) throws IOException;

    /** Called for each directory that was visited, after all that is in it. */
    default void leave(OsPath relative, OsPath path, Stat stat) throws IOException {}
  }

  /** All of the tree as one item. */
  public Item whole() throws IOException {
    return new Item(OsPath.of(""), OsPath.of(""), Posix.lstat(root), 0);
  }

  /**
   * The items that a path or pattern names, in byte order; none when there is no such thing.
   *
   * @param parents whether {@code **} stands for any number of directories, and {@code /./} is the
   *     pivot (Dockerfile reference, "COPY --parents")
   */
  public List<Item> select(String pattern, boolean parents, Position at) throws IOException {
    int dot = parents ? pattern.indexOf("/./") : -1;
    int pivot =
        dot < 0 ? 0 : OsPath.of(InRoot.clean(pattern.substring(0, dot))).components().size();
    List<Item> items = new ArrayList<>();
    try (OpenDirectory top = OpenDirectory.of(root)) {
      List<OsPath> candidates = List.of(OsPath.of(""));
      List<String> parts =
          Arrays.stream(InRoot.clean(pattern).split("/")).filter(p -> !p.isEmpty()).toList();
      for (int i = 0; i < parts.size(); i++) {
        List<OsPath> next = new ArrayList<>();
        for (OsPath candidate : candidates) {
          if (parents && parts.get(i).equals("**")) {
            anyDepth(top, candidate, i + 1 == parts.size(), next);
          } else if (Glob.isPattern(parts.get(i))) {
            matches(top, candidate, parts.get(i), at, next);
          } else {
            next.add(candidate.resolve(parts.get(i)));
          }
        }
        Limit.LAYER_ENTRIES.check(next.size(), at.toString());
        candidates = next;
      }
      for (OsPath candidate : candidates) {
        item(top, candidate, pivot).ifPresent(items::add);
        if (Glob.isPattern(pattern)) {
          requireTarget(top, candidate, at);
        }
      }
    }
    return items;
  }

  private static void matches(
      OpenDirectory top, OsPath candidate, String part, Position at, List<OsPath> into)
      throws IOException {
    Wildcard glob = Glob.compile(part, false, at);
    Optional<OpenDirectory> found = top.find(candidate);
    if (found.isPresent()) {
      try (OpenDirectory directory = found.get()) {
        for (OsPath name : directory.names()) {
          if (glob.matches(name.toString())) {
            into.add(candidate.resolve(name));
          }
        }
      }
    }
  }

  /** A directory and all below it; alone when nothing follows, since it holds the others. */
  private static void anyDepth(OpenDirectory top, OsPath candidate, boolean last, List<OsPath> into)
      throws IOException {
    Optional<OpenDirectory> found = top.find(candidate);
    if (found.isPresent()) {
      try (OpenDirectory directory = found.get()) {
        into.add(candidate);
        if (!last) {
          below(directory, candidate, into);
        }
      }
    }
  }

  private static void below(OpenDirectory directory, OsPath path, List<OsPath> into)
      throws IOException {
    for (OsPath name : directory.names()) {
      if (Posix.lstat(directory.at(name)).isDirectory()) {
        OsPath inside = path.resolve(name);
        into.add(inside);
        Limit.LAYER_ENTRIES.check(into.size(), "\"" + path + "\"");
        Limit.TREE_DEPTH.check(inside.components().size(), "\"" + path + "\"");
        try (OpenDirectory child = directory.child(name)) {
          below(child, inside, into);
        }
      }
    }
  }

  /** What stands at a path, links followed inside the root; nothing when left out. */
  private Optional<Item> item(OpenDirectory top, OsPath inside, int pivot) throws IOException {
    Optional<OsPath> real = top.real(inside);
    Optional<Stat> stat = top.stat(inside);
    if (real.isEmpty() || stat.isEmpty() || isHidden(inside, stat.get())) {
      return Optional.empty();
    }
    return Optional.of(new Item(real.get(), inside, stat.get(), pivot));
  }

  private boolean isHidden(OsPath inside, Stat stat) {
    return ignore.excludes(inside.toString()) && !(stat.isDirectory() && !ignore.prunes());
  }

  /** A pattern takes every name that fits, so a link to nothing cannot be passed over. */
  private void requireTarget(OpenDirectory top, OsPath inside, Position at) throws IOException {
    if (top.stat(inside).isEmpty()
        && !ignore.excludes(inside.toString())
        && top.lstat(inside).isPresent()) {
      throw at.problem("\"" + inside + "\" is a link that leads to nothing in " + name);
    }
  }

  /** Whether a path exists but the ignore file hides it. */
  public boolean hides(String path) throws IOException {
    String inside = InRoot.clean(path);
    return ignore.excludes(inside) && InRoot.resolve(root, inside).isPresent();
  }

  /** Opens the file that an item is. */
  public FdInput open(Item item) throws IOException {
    return RootedFile.open(root, item.real(), RootedFile.Links.BENEATH, "\"" + item.inside() + "\"")
        .orElseThrow(() -> new IOException("\"" + item.inside() + "\" is gone"));
  }

  /**
   * Visits an item and all below it that is not left out. A directory that is left out but holds
   * something that is not, is visited just before that.
   *
   * @param excludes more patterns, for paths from the item
   * @throws slipway.base.Problem (CORRUPT) for more entries or levels than the limits allow
   */
  void walk(Item item, IgnoreRules excludes, Visitor visitor) throws IOException {
    try (OpenDirectory top = OpenDirectory.of(root)) {
      OsPath real = item.real();
      if (item.stat().isDirectory()) {
        try (OpenDirectory directory = gone(top.find(real), item)) {
          new Walk(item, excludes, visitor).directory(OsPath.of(""), directory, item.stat(), 0);
        }
      } else if (excludes.isEmpty() || !excludes.excludes(item.fileName().toString())) {
        try (OpenDirectory parent = gone(top.find(real.parent()), item)) {
          if (!isCopied(item.inside(), item.stat())) {
            throw Problem.input(
                "\"" + item.inside() + "\" in " + name + " is a socket, which no image can hold");
          }
          visitor.visit(OsPath.of(""), parent.at(real.name()), item.stat());
        }
      }
    }
  }

  /**
   * Whether something other than a directory goes along: all but sockets, which no layer can hold.
   *
   * @throws Problem of kind INPUT for a device of a directory of the user's, which would give the
   *     image a way to this machine's, and for what stands for a deleted file in a layer
   */
  private boolean isCopied(OsPath inside, Stat stat) {
    int type = stat.mode() & Stat.S_IFMT;
    boolean device = type == Stat.S_IFCHR || type == Stat.S_IFBLK;
    if (device && !keepOwners) {
      throw Problem.input(
          "\""
              + inside
              + "\" in "
              + name
              + " is a device, which COPY and ADD take from images only; leave it out with"
              + " .containerignore or --exclude");
    }
    if (type == Stat.S_IFCHR && stat.rdev() == 0) {
      throw Problem.input(
          "\""
              + inside
              + "\" in "
              + name
              + " marks a deleted file, as layers do, and cannot be copied; leave it out");
    }
    return type != Stat.S_IFSOCK;
  }

  private static OpenDirectory gone(Optional<OpenDirectory> directory, Item item)
      throws IOException {
    return directory.orElseThrow(() -> new IOException("\"" + item.inside() + "\" is gone"));
  }

  /** A directory that waits for the first thing in it. */
  private record Pending(OsPath relative, OsPath path, Stat stat) {}

  private final class Walk {
    private final Item item;
    private final IgnoreRules excludes;
    private final Visitor visitor;
    private final Deque<Pending> pending = new ArrayDeque<>();
    private final String where;
    private long entries;

    Walk(Item item, IgnoreRules excludes, Visitor visitor) {
      this.item = item;
      this.excludes = excludes;
      this.visitor = visitor;
      this.where = item.inside().isEmpty() ? name : "\"" + item.inside() + "\" in " + name;
    }

    private boolean excluded(OsPath relative) {
      if (relative.isEmpty() || (excludes.isEmpty() && ignore.isEmpty())) {
        return false;
      }
      return excludes.excludes(relative.toString())
          || ignore.excludes(item.inside().resolve(relative).toString());
    }

    void directory(OsPath relative, OpenDirectory directory, Stat stat, int depth)
        throws IOException {
      Limit.TREE_DEPTH.check(depth, where);
      boolean out = excluded(relative);
      if (out && ignore.prunes() && excludes.prunes()) {
        return;
      }
      Pending self = new Pending(relative, directory.self(), stat);
      pending.addLast(self);
      if (!out) {
        flush();
      }
      if (Thread.interrupted()) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      }
      for (OsPath name : directory.names()) {
        Limit.LAYER_ENTRIES.check(++entries, where);
        entry(relative.resolve(name), directory, name, depth);
      }
      if (!pending.removeLastOccurrence(self)) {
        visitor.leave(relative, self.path(), stat);
      }
    }

    private void entry(OsPath relative, OpenDirectory directory, OsPath name, int depth)
        throws IOException {
      OsPath path = directory.at(name);
      Stat stat = Posix.lstat(path);
      if (stat.isDirectory()) {
        try (OpenDirectory child = directory.child(name)) {
          directory(relative, child, stat, depth + 1);
        }
      } else if (!excluded(relative) && isCopied(item.inside().resolve(relative), stat)) {
        flush();
        visitor.visit(relative, path, stat);
      }
    }

    private void flush() throws IOException {
      while (!pending.isEmpty()) {
        Pending p = pending.removeFirst();
        visitor.visit(p.relative(), p.path(), p.stat());
      }
    }
  }
}
