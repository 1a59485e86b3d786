package slipway.tree;

import java.io.IOException;
import java.io.InputStream;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;

/**
 * Takes the content of regular files while a layer streams by. An ostree repository is one, a
 * directory another. Called by one thread for one layer; several layers may stream at once.
 */
@FunctionalInterface
public interface ContentStore {
  /**
   * Stores the content of a file. All of {@code in} must be read.
   *
   * @param path where it stands in the layer, without a leading slash
   * @param metadata of the file; complete, attributes too
   * @param size bytes that {@code in} will give
   */
  Content store(OsPath path, Metadata metadata, long size, InputStream in) throws IOException;
}
