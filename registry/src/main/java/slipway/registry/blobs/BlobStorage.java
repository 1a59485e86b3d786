package slipway.registry.blobs;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import slipway.http.RangeContent;
import slipway.http.Response;
import slipway.oci.model.Digest;

/**
 * Where the bytes of blobs and manifests are kept, by digest. Content is staged first, where nobody
 * sees it and a crash forgets it. {@link #publish} makes it visible and durable under its digest,
 * provisionally: what a crash leaves between that and {@link #settle} is told apart from content
 * that somebody once owned, so that it alone may be removed. Which repository owns what is not the
 * storage's affair. Safe for use by many threads.
 */
public interface BlobStorage extends AutoCloseable {
  /** Begins new content. */
  Staged stage() throws IOException;

  /**
   * Makes sealed content visible and durable, replacing what was there under the same digest.
   *
   * @throws IOException when some of it may be there; {@link #withdraw} takes it back
   */
  void publish(List<Publication> batch) throws IOException;

  /** Ends the provisional state of what was published. */
  void settle(List<Publication> batch) throws IOException;

  /** Takes provisional content back, but for the digests that {@code kept} names. */
  void withdraw(List<Publication> batch, java.util.function.Predicate<Digest> kept)
      throws IOException;

  /** The content of a digest, or empty when it is not there. */
  Optional<Blob> open(Digest digest) throws IOException;

  /** Removes content; who has it open reads on. */
  void delete(Collection<Digest> digests) throws IOException;

  /** All that is published. */
  Map<Digest, Stored> list() throws IOException;

  /** Removes what was staged by a process that ended, provisional marks too. */
  void forgetStaged() throws IOException;

  @Override
  void close() throws IOException;

  /**
   * What is known of published content without reading it.
   *
   * @param size in bytes, as it is on the disk
   * @param provisional whether its commit never ended
   */
  record Stored(long size, boolean provisional) {}

  /** Content that is still being written; for one thread at a time. */
  interface Staged extends AutoCloseable {
    /** Appends all of the buffer. */
    void write(ByteBuffer bytes) throws IOException;

    /** Bytes written so far. */
    long size();

    /** Forgets what was written behind the first {@code size} bytes. */
    void truncate(long size) throws IOException;

    /** Ends writing and makes the bytes durable. */
    void seal() throws IOException;

    /** The bytes written so far, from the beginning. */
    InputStream read() throws IOException;

    /** Writes all of it to the body of an answer. */
    void send(Response response) throws IOException;

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
