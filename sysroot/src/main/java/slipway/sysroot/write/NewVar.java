package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Removal;
import slipway.linux.posix.Stat;

/**
 * The first content of a stateroot's {@code /var}, which comes whole or not at all: a part of what
 * an image has for it would be taken for the machine's own. It is filled beside, synced and renamed
 * over the empty one; a file system of its own, which no rename reaches, is filled in its place and
 * emptied after a failure.
 */
final class NewVar implements AutoCloseable {
  private static final String BESIDE = ".slipway-new-var";

  private final Path var;
  private final @Nullable Path fresh;
  private boolean kept;

  private NewVar(Path var, @Nullable Path fresh) {
    this.var = var;
    this.fresh = fresh;
  }

  /** Begins, where there is no content yet, and removes what one that was interrupted left. */
  static NewVar begin(Path stateroot) throws IOException {
    Path var = stateroot.resolve("var");
    OsPath beside = OsPath.of(stateroot.resolve(BESIDE));
    Removal.tree(beside);
    if (!Posix.list(OsPath.of(var)).isEmpty()) {
      return new NewVar(var, null);
    }
    Stat stat = Posix.lstat(OsPath.of(var));
    if (!stat.isDirectory() || stat.device() != Posix.lstat(OsPath.of(stateroot)).device()) {
      return new NewVar(var, var);
    }
    Posix.mkdir(beside, stat.permissions());
    Posix.chmod(beside, stat.permissions());
    InheritedLabel.give(stateroot.resolve(BESIDE), var);
    return new NewVar(var, stateroot.resolve(BESIDE));
  }

  /** What is to be filled; null where the content is that of the machine. */
  @Nullable Path fresh() {
    return fresh;
  }

  /** It is filled. The rename is what counts. */
  void keep() throws IOException {
    if (fresh != null && !fresh.equals(var)) {
      Posix.syncfs(OsPath.of(fresh));
      Posix.rename(OsPath.of(fresh), OsPath.of(var), 0);
    }
    kept = true;
  }

  @Override
  public void close() throws IOException {
    if (kept || fresh == null) {
      return;
    }
    if (!fresh.equals(var)) {
      Removal.tree(OsPath.of(fresh));
      return;
    }
    for (OsPath name : Posix.list(OsPath.of(var))) {
      Removal.tree(OsPath.of(var).resolve(name));
    }
  }
}
