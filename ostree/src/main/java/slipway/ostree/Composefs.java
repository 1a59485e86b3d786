package slipway.ostree;

import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;
import slipway.linux.OsPath;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** Writes composefs images: an EROFS that holds a tree's metadata and points at content. */
public final class Composefs {
  private Composefs() {}

  /** Where the content of a regular file is. */
  public sealed interface Data {
    /** In the image itself. */
    record Inline(byte[] bytes) implements Data {}

    /**
     * In a file of the lower layer.
     *
     * @param path below the object directory, or null
     * @param digest fs-verity sha256, or null
     */
    record Backed(@Nullable String path, byte @Nullable [] digest) implements Data {}
  }

  /** Tells where content is; called once for every regular file that is not empty. */
  @FunctionalInterface
  public interface Backing {
    Data of(OsPath path, Node.File file) throws IOException;
  }

  /** Writes an image as mkcomposefs does. */
  public static void write(FileTree tree, Backing backing, OutputStream out) throws IOException {
    throw new AssertionError();
  }

  /**
   * Writes a deployment's {@code .ostree.cfs} as ostree does.
   *
   * @param digests whether each file carries the fs-verity digest of its object
   */
  public static void writeDeployment(FileTree tree, boolean digests, OutputStream out)
      throws IOException {
    throw new AssertionError();
  }
}
