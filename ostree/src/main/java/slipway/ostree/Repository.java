package slipway.ostree;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import slipway.base.Progress;
import slipway.tree.FileTree;

/** An ostree repository on disk; the one place that knows its layout. */
public final class Repository {
  /** How content objects are kept. */
  public enum Mode {
    /** As real files with owner, mode and attributes; for hosts, needs root. */
    BARE("bare"),
    /** Compressed, for serving. */
    ARCHIVE("archive-z2"),
    /** As files of the user, metadata in an extended attribute. */
    BARE_USER("bare-user");

    private final String label;

    Mode(String label) {
      this.label = label;
    }

    /** The value of {@code core.mode}. */
    public String label() {
      return label;
    }
  }

  private Repository() {}

  public static Repository open(Path path) {
    throw new AssertionError();
  }

  public static Repository create(Path path, Mode mode) {
    throw new AssertionError();
  }

  public Path path() {
    throw new AssertionError();
  }

  public Mode mode() {
    throw new AssertionError();
  }

  /** The config file as last read. */
  public KeyFile config() {
    throw new AssertionError();
  }

  /** Replaces the config file whole. */
  public void writeConfig(KeyFile config) throws IOException {
    throw new AssertionError();
  }

  public Transaction begin() throws IOException {
    throw new AssertionError();
  }

  public Optional<Checksum> resolveRef(String ref) throws IOException {
    throw new AssertionError();
  }

  /** Local refs below a prefix ({@code ""} for all), by full name. */
  public SortedMap<String, Checksum> refs(String prefix) throws IOException {
    throw new AssertionError();
  }

  public boolean has(Checksum checksum, ObjectType type) {
    throw new AssertionError();
  }

  public Path objectPath(Checksum checksum, ObjectType type) {
    throw new AssertionError();
  }

  public Commit readCommit(Checksum checksum) throws IOException {
    throw new AssertionError();
  }

  /** Detached metadata of a commit; empty map when there is none. */
  public Map<String, GVariant> readDetachedMetadata(Checksum commit) throws IOException {
    throw new AssertionError();
  }

  /** Replaces the detached metadata of a commit. */
  public void writeDetachedMetadata(Checksum commit, Map<String, GVariant> metadata)
      throws IOException {
    throw new AssertionError();
  }

  /** The tree of a commit; the content of files is an {@link ObjectContent}. */
  public FileTree readTree(Checksum commit) throws IOException {
    throw new AssertionError();
  }

  /** A directory of the repository as a tree. */
  public FileTree readTree(TreeRoot root) throws IOException {
    throw new AssertionError();
  }

  /** Checks a tree out with hard links into a new directory. */
  public void checkout(FileTree tree, Path directory) throws IOException {
    throw new AssertionError();
  }

  /**
   * Removes all that no ref and none of {@code keep} reaches (depth 0).
   *
   * @param keep more commits to keep
   */
  public Pruned prune(Set<Checksum> keep) throws IOException {
    throw new AssertionError();
  }

  /** What a prune did. */
  public record Pruned(int objects, int removed, long bytes) {}

  /** Verifies everything that the commits reach. */
  public FsckReport fsck(Progress progress) throws IOException {
    throw new AssertionError();
  }
}
