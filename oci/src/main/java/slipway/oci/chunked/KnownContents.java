package slipway.oci.chunked;

import java.io.IOException;
import java.io.InputStream;
import slipway.oci.model.Digest;

/** Contents of files that need not be fetched. Safe for use by many threads. */
public interface KnownContents {
  /**
   * Whether a content is there.
   *
   * @param content its sha256 digest
   * @param size its bytes, at least one
   */
  boolean has(Digest content, long size) throws IOException;

  /** Opens one that is there. What it gives is verified by whoever reads it. */
  InputStream open(Digest content) throws IOException;

  /** Hears that a content was another one than was said. */
  void distrust(Digest content);
}
