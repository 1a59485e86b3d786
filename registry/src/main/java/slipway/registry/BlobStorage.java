package slipway.registry;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import slipway.http.RangeContent;
import slipway.oci.Digest;

/**
 * Where the bytes of blobs and manifests are kept, by digest. Content is staged first, where nobody
 * sees it and a crash forgets it. {@link #publish} is the commit point: once it returns, the
 * content is there under its digest and stays, after a power cut too. Which repository owns what is
 * not the storage's affair. Safe for use by many threads.
 */
interface BlobStorage extends AutoCloseable {
  /** Begins new content. */
  Staged stage() throws IOException;

  /** Makes sealed content visible, replacing what was there under the same digest. */
  void publish(List<Publication> batch) throws IOException;

  /** Makes durable what was published. */
  void sync() throws IOException;

  /** The content of a digest, or empty when it is not there. */
  Optional<Blob> open(Digest digest) throws IOException;

  /** Removes content; who has it open reads on. */
  void delete(Collection<Digest> digests) throws IOException;

  /** All that is published. */
  Set<Digest> list() throws IOException;

  @Override
  void close() throws IOException;

  /** Content that is still being written; for one thread at a time. */
  interface Staged extends AutoCloseable {
    /** Appends all of the buffer. */
    void write(ByteBuffer bytes) throws IOException;

    /** Bytes written so far. */
    long size();

    /** Ends writing and makes the bytes durable. */
    void seal() throws IOException;

    /** The bytes written so far, from the beginning. */
    InputStream read() throws IOException;

    /** Forgets the content unless it was published. */
    @Override
    void close() throws IOException;
  }

  /** Sealed content whose digest was computed. */
  record Publication(Staged staged, Digest digest) {}

  /** Published content, open for reading. */
  interface Blob extends RangeContent, AutoCloseable {
    /** Reads all of it; for small content. */
    byte[] bytes() throws IOException;

    @Override
    void close() throws IOException;
  }
}
