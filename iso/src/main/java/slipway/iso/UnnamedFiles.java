package slipway.iso;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import slipway.base.AtomicFile;
import slipway.base.Cleanup;
import slipway.base.Problem;
import slipway.disk.FileAccess;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

/** Results that are made beside their names, and go when they do not get them. */
final class UnnamedFiles implements AutoCloseable {
  private final FileAccess access;
  private final List<Cleanup> all = new ArrayList<>();

  /**
   * @param access who may read them when they have their names
   */
  UnnamedFiles(FileAccess access) {
    this.access = access;
  }

  /**
   * An empty file, for its owner alone, in the folder of the one that it becomes.
   *
   * @throws Problem of kind INPUT when a folder has that name
   */
  Path beside(Path file) throws IOException {
    requireNoFolder(file);
    AtomicFile.sweepOf(file);
    Path unnamed = AtomicFile.temporaryOf(file);
    all.add(Cleanup.register("the file " + unnamed, () -> Files.deleteIfExists(unnamed)));
    return Files.createFile(
        unnamed,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
  }

  /** Refuses a name that cannot be given. */
  static void requireNoFolder(Path file) {
    if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
      throw Problem.input(file + " is a folder; remove it, or name another folder by --output");
    }
  }

  /** Mode, owner and sync: only the rename is left then. */
  void finish(Path unnamed) throws IOException {
    Posix.chmod(OsPath.of(unnamed), access.mode());
    own(unnamed);
    try (FileChannel whole = FileChannel.open(unnamed, StandardOpenOption.READ)) {
      whole.force(true);
    }
  }

  /** Gives a file or a folder its owner, if one is asked for. */
  void own(Path file) throws IOException {
    if (access.isOwned()) {
      Posix.lchown(OsPath.of(file), access.uid(), access.gid());
    }
  }

  @Override
  public void close() throws IOException {
    for (Cleanup each : all.reversed()) {
      each.close();
    }
  }
}
