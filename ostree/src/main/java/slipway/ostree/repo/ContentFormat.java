package slipway.ostree.repo;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;

/** How content objects look as files in one mode of repository. */
sealed interface ContentFormat permits BareFormat, BareUserFormat, ArchiveFormat {
  static ContentFormat of(Repository.Mode mode) {
    return switch (mode) {
      case BARE -> new BareFormat();
      case BARE_USER -> new BareUserFormat();
      case ARCHIVE -> new ArchiveFormat();
    };
  }

  /** File name extension of a content object. */
  String suffix();

  /**
   * What an object says of itself.
   *
   * @param target of a symbolic link, else null
   * @param size of the content in bytes; 0 for a symbolic link
   */
  record Stored(Metadata metadata, @Nullable OsPath target, long size) {}

  /** A new object's file. Ends with {@link #finish} or {@link #close}. */
  interface Sink extends AutoCloseable {
    void write(byte[] bytes, int offset, int length) throws IOException;

    /**
     * Gives the file its final attributes and closes it.
     *
     * @param sync whether the file must be on disk afterwards
     */
    void finish(boolean sync) throws IOException;

    @Override
    void close() throws IOException;
  }

  /** Creates the file of a regular object; the name must not exist. */
  Sink create(OsPath path, Metadata metadata, long size) throws IOException;

  /** Creates the file of a symbolic link's object; the name must not exist. */
  void symlink(OsPath path, Metadata metadata, OsPath target) throws IOException;

  /** Reads an object's metadata. */
  Stored read(OsPath path) throws IOException;

  /** Opens the content of a regular object. */
  InputStream open(OsPath path) throws IOException;
}
