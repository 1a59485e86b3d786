package slipway.builder.session;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.Position;
import slipway.builder.cache.CacheKey;
import slipway.builder.cache.LayerRef;
import slipway.builder.files.ContentDigest;
import slipway.builder.files.CopySource;
import slipway.builder.files.IgnoreRules;
import slipway.builder.language.Containerfile.Stage;
import slipway.builder.language.Glob;
import slipway.container.OverlayMount;
import slipway.linux.posix.OsPath;

/**
 * Where a COPY or a mount takes files from: the context, another directory, a stage or an image.
 * The latter two are mounted when something in them is needed, and not when an earlier build knows
 * the answer.
 */
public final class SourceTree implements AutoCloseable {
  private final BuildSession session;
  private final @Nullable StageResult image;
  private @Nullable CopySource source;
  private final String name;
  private @Nullable OverlayMount mount;

  private SourceTree(
      BuildSession session, String name, @Nullable StageResult image, @Nullable CopySource source) {
    this.session = session;
    this.name = name;
    this.image = image;
    this.source = source;
  }

  /**
   * @param stage the one that asks: only earlier ones can be named
   * @param from a name with variables replaced, or null for the context
   */
  public static SourceTree of(BuildSession session, Stage stage, @Nullable String from, Position at)
      throws IOException, InterruptedException {
    if (from == null) {
      Path context = session.request().context().toRealPath();
      IgnoreRules ignore = IgnoreRules.of(context, session.request().file());
      return directory(session, context, ignore, "the build context");
    }
    Path other = session.request().contexts().get(from);
    if (other != null) {
      IgnoreRules.requireDirectory(other);
      return directory(session, other.toRealPath(), IgnoreRules.NONE, "the context " + from);
    }
    Optional<Stage> earlier = session.graph().find(from, stage.index());
    StageResult image =
        earlier.isPresent()
            ? session.await(earlier.get().index())
            : session.image(from, session.graph().platform(stage), at);
    return new SourceTree(
        session, (earlier.isPresent() ? "the stage " : "the image ") + from, image, null);
  }

  private static SourceTree directory(
      BuildSession session, Path directory, IgnoreRules ignore, String name) {
    CopySource source = new CopySource(OsPath.of(directory), ignore, false, name);
    return new SourceTree(session, name, null, source);
  }

  /** For messages. */
  public String name() {
    return name;
  }

  /** Whether it is a tree of an image, whose files never change and keep their owners. */
  public boolean isImage() {
    return image != null;
  }

  /** The layers of a tree of an image. */
  public List<LayerRef> layers() {
    return image == null ? List.of() : image.layers();
  }

  /** The files, mounted until this is closed. */
  public CopySource open() throws IOException, InterruptedException {
    if (source == null) {
      session.steps().begin();
      List<Path> layers = session.unpacked(layers());
      mount = OverlayMount.readOnly(layers, session.workspace().newDirectory("source"));
      source = new CopySource(mount.root(), IgnoreRules.NONE, true, name);
    }
    return source;
  }

  /** As {@link #select(List, boolean, String, Position)} without {@code --parents}. */
  public List<CopySource.Item> select(List<String> patterns, String keyword, Position at)
      throws IOException, InterruptedException {
    return select(patterns, false, keyword, at);
  }

  /**
   * The items of all patterns; the first literal name without one is a problem.
   *
   * @param parents as {@link CopySource#select} has it
   */
  public List<CopySource.Item> select(
      List<String> patterns, boolean parents, String keyword, Position at)
      throws IOException, InterruptedException {
    List<CopySource.Item> items = new ArrayList<>();
    for (String pattern : patterns) {
      List<CopySource.Item> found = open().select(pattern, parents, at);
      if (found.isEmpty() && !Glob.isPattern(pattern)) {
        boolean hidden = open().hides(pattern);
        throw at.problem(
            keyword
                + ": \""
                + pattern
                + "\" is not in "
                + name
                + (hidden ? ": " + open().ignore().source() + " leaves it out" : ""));
      }
      items.addAll(found);
    }
    if (items.isEmpty() && !patterns.isEmpty()) {
      throw at.problem(keyword + ": nothing in " + name + " fits " + String.join(" ", patterns));
    }
    return items;
  }

  /** As {@link #digest(List, IgnoreRules, List, boolean, String, Position)} for what is whole. */
  public String digest(
      List<String> patterns,
      IgnoreRules excludes,
      List<String> excludePatterns,
      String keyword,
      Position at)
      throws IOException, InterruptedException {
    return digest(patterns, excludes, excludePatterns, false, keyword, at);
  }

  /** One digest over all that patterns name, with the directories that come along. */
  public String digest(
      List<String> patterns,
      IgnoreRules excludes,
      List<String> excludePatterns,
      boolean parents,
      String keyword,
      Position at)
      throws IOException, InterruptedException {
    String memo = null;
    if (image != null) {
      memo =
          CacheKey.of(
              parents ? "selection-parents-2" : "selection-2",
              image.state(),
              CacheKey.of(patterns),
              CacheKey.of(excludePatterns));
      Optional<String> known = session.cache().selection(memo);
      if (known.isPresent()) {
        return known.get();
      }
    }
    ContentDigest digest = new ContentDigest();
    for (CopySource.Item item : select(patterns, parents, keyword, at)) {
      if (parents) {
        digest.addParents(open(), item);
      }
      digest.add(open(), item, excludes);
    }
    String result = digest.hex();
    if (memo != null) {
      session.cache().putSelection(memo, result);
    }
    return result;
  }

  @Override
  public void close() throws IOException {
    if (mount != null) {
      mount.close();
    }
  }
}
