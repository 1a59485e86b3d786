package slipway.tree;

import java.io.IOException;
import java.io.InputStream;

/**
 * Reads a layer's tar (OCI image-spec, layer.md; POSIX pax, GNU and ustar headers) into a {@link
 * Layer}, in one pass.
 */
public final class LayerReader {
  private LayerReader() {}

  /**
   * Reads to the end of the stream, so that a verifying stream below sees all of it.
   *
   * @param tar uncompressed
   * @param store where file content goes
   * @throws slipway.base.Problem of kind CORRUPT for a damaged or hostile tar: paths that escape,
   *     headers without end, a hard link to nowhere
   */
  public static Layer read(InputStream tar, ContentStore store) throws IOException {
    throw new AssertionError();
  }
}
