package slipway.registry.catalog;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import slipway.http.Request;
import slipway.oci.model.Digest;
import slipway.registry.blobs.BlobStorage.Publication;
import slipway.registry.blobs.BlobStorage.Staged;
import slipway.registry.catalog.RegistryError.Code;

/**
 * A blob that is being uploaded: bytes in order, hashed as they come. Used by one request at a
 * time, see {@link #use()}.
 */
public final class UploadSession implements AutoCloseable {
  private final String id;
  private final String client;
  private final String repository;
  private final Digest.Algorithm algorithm;
  private MessageDigest hash;
  private final Staged staged;
  private final InstantSource clock;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile Instant lastUse;

  /** Told to anyone who asks, while a request may be at it. */
  private volatile long size;

  private boolean closed;

  UploadSession(
      String id,
      String client,
      String repository,
      Digest.Algorithm algorithm,
      Staged staged,
      InstantSource clock) {
    this.id = id;
    this.client = client;
    this.repository = repository;
    this.algorithm = algorithm;
    this.hash = algorithm.newMessageDigest();
    this.staged = staged;
    this.clock = clock;
    this.lastUse = clock.instant();
  }

  public String id() {
    return id;
  }

  /** The address that began it. */
  String client() {
    return client;
  }

  public String repository() {
    return repository;
  }

  /** Where the session is found again. */
  public String location() {
    return "/v2/" + repository + "/blobs/uploads/" + id;
  }

  /** The right to use the session until closed. */
  public final class Use implements AutoCloseable {
    public UploadSession session() {
      return UploadSession.this;
    }

    @Override
    public void close() {
      lastUse = clock.instant();
      lock.unlock();
    }
  }

  /** Waits for an earlier request to end; null when the session has ended. */
  @Nullable Use use() {
    lock.lock();
    if (closed) {
      lock.unlock();
      return null;
    }
    return new Use();
  }

  /** For the one who made it, before anybody else knows of it. */
  Use useAtBegin() {
    lock.lock();
    return new Use();
  }

  /** Null too when another request uses it, or used it after {@code limit}. */
  @Nullable Use useIfIdleSince(Instant limit) {
    if (lastUse.isAfter(limit) || !lock.tryLock()) {
      return null;
    }
    if (closed || lastUse.isAfter(limit)) {
      lock.unlock();
      return null;
    }
    return new Use();
  }

  /** Bytes received so far; for any thread. */
  public long size() {
    return size;
  }

  /** The value of a Range header: the last byte is inclusive, and 0-0 stands for nothing too. */
  public String range() {
    return "0-" + Math.max(0, size() - 1);
  }

  /**
   * Appends the body of a request. When the client goes away in the middle, what came stays.
   *
   * @throws RegistryError when it has a Content-Range that does not follow the bytes there are, or
   *     that tells another length than the body has; then nothing was appended
   */
  void append(Request request) throws IOException {
    String range = request.header("Content-Range");
    if (range == null) {
      request.transferTo(this::write);
      return;
    }
    long length = check(range);
    if (request.contentLength() >= 0) {
      if (request.contentLength() != length) {
        throw new RegistryError(
            Code.SIZE_INVALID, "Content-Range and Content-Length tell different lengths");
      }
      request.transferTo(this::write);
    } else {
      appendChunked(request, length);
    }
  }

  /** The length is known at the end alone, so what came may have to be taken back. */
  private void appendChunked(Request request, long length) throws IOException {
    MessageDigest before = copyOfHash();
    long start = size;
    boolean[] longer = new boolean[1];
    request.transferTo(
        bytes -> {
          longer[0] |= size - start + bytes.remaining() > length;
          if (longer[0]) {
            bytes.position(bytes.limit());
          } else {
            write(bytes);
          }
        });
    if (longer[0] || size - start != length) {
      staged.truncate(start);
      hash = before;
      size = start;
      throw wrongRange("the chunk does not have the length that its Content-Range tells");
    }
  }

  private MessageDigest copyOfHash() {
    try {
      return (MessageDigest) hash.clone();
    } catch (CloneNotSupportedException e) {
      throw new AssertionError("the JDK's digests can be copied", e);
    }
  }

  private void write(ByteBuffer bytes) throws IOException {
    hash.update(bytes.duplicate());
    staged.write(bytes);
    size = staged.size();
  }

  /** The length of the range. */
  private long check(String text) {
    String[] ends = text.split("-", -1);
    long first = ends.length == 2 ? number(ends[0]) : -1;
    long last = ends.length == 2 ? number(ends[1]) : -1;
    if (first < 0 || last < first || last == Long.MAX_VALUE) {
      throw new RegistryError(Code.BLOB_UPLOAD_INVALID, "Content-Range is not FIRST-LAST: " + text);
    }
    if (first != size) {
      throw wrongRange("the chunk begins at " + first + "; the upload has " + size + " bytes");
    }
    return last - first + 1;
  }

  private RegistryError wrongRange(String message) {
    return new RegistryError(
        Code.BLOB_UPLOAD_INVALID,
        416,
        message,
        null,
        Map.of("Location", location(), "Range", range()));
  }

  private static long number(String text) {
    try {
      return text.isEmpty() || text.charAt(0) == '+' ? -1 : Long.parseLong(text);
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  /**
   * Makes the bytes ready to be published under the digest that the client told.
   *
   * @throws RegistryError when they have another one
   */
  public Publication seal(Digest expected) throws IOException {
    Digest actual =
        expected.algorithm() == algorithm
            ? Digest.of(algorithm, hash.digest())
            : Digest.of(expected.algorithm(), rehash(expected.algorithm()));
    if (!actual.equals(expected)) {
      throw new RegistryError(
          Code.DIGEST_INVALID, "the blob has the digest " + actual + ", not " + expected);
    }
    staged.seal();
    return new Publication(staged, expected);
  }

  /** The client named an algorithm only at the end. */
  private byte[] rehash(Digest.Algorithm other) throws IOException {
    MessageDigest second = other.newMessageDigest();
    byte[] buffer = new byte[128 * 1024];
    try (InputStream in = staged.read()) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        second.update(buffer, 0, n);
      }
    }
    return second.digest();
  }

  /** Called while the session is in use, or when none ever will be. */
  @Override
  public void close() throws IOException {
    closed = true;
    staged.close();
  }
}
