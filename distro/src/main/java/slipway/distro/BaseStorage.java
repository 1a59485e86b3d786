package slipway.distro;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.lock.Flock;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.process.DiskUse;

/**
 * What builds of base images keep on the disk: downloaded packages by suite, and finished agents.
 * Nothing of it is needed, all of it saves time.
 */
public final class BaseStorage {
  private static final List<String> KINDS = List.of("archives", "agent");
  private static final String LOCK = "lock";

  private final Path root;

  /**
   * @param state the folder of all state, as for {@link BaseRequest}
   */
  public BaseStorage(Path state) {
    this.root = directory(state);
  }

  /** Where base images are made. */
  static Path directory(Path state) {
    return state.toAbsolutePath().resolve("base");
  }

  /** The lock of a build of a base image. */
  static Path lock(Path directory) {
    return directory.resolve(LOCK);
  }

  /**
   * What there is.
   *
   * @param busy whether a base image is being made
   */
  public record Usage(DiskUse kept, boolean busy) {}

  /** Measures what there is. */
  public Usage usage() {
    try {
      List<Path> kept = kept(null);
      long bytes = DiskUse.bytes(kept).stream().mapToLong(Long::longValue).sum();
      return new Usage(new DiskUse(kept.size(), bytes), isBusy());
    } catch (IOException e) {
      throw failure("measure", e);
    }
  }

  private boolean isBusy() throws IOException {
    if (!Files.exists(lock(root))) {
      return false;
    }
    try (Flock alone = Flock.tryFile(lock(root), true)) {
      return alone == null;
    }
  }

  private Problem failure(String what, IOException e) {
    return new Problem(
        Problem.Kind.ENVIRONMENT, "cannot " + what + " " + root + ": " + e.getMessage(), e);
  }

  /** Suites and agents. */
  private List<Path> kept(@Nullable Instant unusedSince) throws IOException {
    List<Path> kept = new ArrayList<>();
    for (String kind : KINDS) {
      Path folder = root.resolve(kind);
      if (Files.isDirectory(folder)) {
        try (DirectoryStream<Path> list = Files.newDirectoryStream(folder)) {
          for (Path path : list) {
            if (unusedSince == null
                || Files.getLastModifiedTime(path).toInstant().isBefore(unusedSince)) {
              kept.add(path);
            }
          }
        }
      }
    }
    return kept;
  }

  /**
   * Removes what is kept, unless a base image is being made.
   *
   * @param unusedSince only what did not change since then; null removes all
   * @param progress is told what cannot be removed
   */
  public DiskUse.Removed prune(@Nullable Instant unusedSince, Progress progress) {
    if (!Files.isDirectory(root)) {
      return new DiskUse.Removed(0, 0, false);
    }
    try (Flock alone = Flock.tryFile(lock(root), true)) {
      if (alone == null) {
        return new DiskUse.Removed(0, 0, true);
      }
      // Each is moved away as a whole first, so that a kill leaves no half of it in place.
      try (ScratchFolder trash = ScratchFolder.create(root, ".removed-", progress::note)) {
        List<Path> kept = kept(unusedSince);
        long bytes = DiskUse.bytes(kept).stream().mapToLong(Long::longValue).sum();
        for (int i = 0; i < kept.size(); i++) {
          Path place = trash.path().resolve(Integer.toString(i));
          Files.move(kept.get(i), place, StandardCopyOption.ATOMIC_MOVE);
        }
        return new DiskUse.Removed(kept.size(), bytes, false);
      }
    } catch (IOException e) {
      throw failure("clean", e);
    }
  }
}
