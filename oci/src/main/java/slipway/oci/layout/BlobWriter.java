package slipway.oci.layout;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;
import slipway.base.FullDisk;
import slipway.base.Problem;
import slipway.oci.copy.PlainLayer;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;

/**
 * Writes one blob, hashing on the way. {@link #commit} syncs and renames it to the name that its
 * digest gives: the commit point. {@link #close()} without a commit leaves nothing. For one thread.
 */
public final class BlobWriter extends OutputStream {
  private final BlobDirectory blobs;
  private final Path temporary;
  private final FileChannel channel;
  private final Digest.Algorithm algorithm;
  private final MessageDigest hash;
  private long size;
  private @Nullable Digest hashed;
  private @Nullable Digest digest;

  BlobWriter(BlobDirectory blobs, Path temporary, Digest.Algorithm algorithm) throws IOException {
    this.blobs = blobs;
    this.temporary = temporary;
    this.algorithm = algorithm;
    this.hash = algorithm.newMessageDigest();
    this.channel =
        FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  /** Hashes and writes at once; buffer small writes above. */
  @Override
  public void write(byte[] bytes, int offset, int length) {
    hash.update(bytes, offset, length);
    ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
    try {
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    } catch (IOException e) {
      throw failed(e);
    }
    size += length;
  }

  /** Bytes written so far. */
  public long size() {
    return size;
  }

  /**
   * Ends the blob; it is durable when this returns.
   *
   * @return the descriptor of what was written
   */
  public Descriptor commit(String mediaType) {
    return Descriptor.of(mediaType, finish(null), size);
  }

  /**
   * As {@link #commit(String)} for a layer whose uncompressed bytes are known from writing it, so
   * that nobody need read it again to check an image.
   *
   * @param plainSize how many bytes have the digest {@code diffId}
   */
  public Descriptor commit(String mediaType, Digest diffId, long plainSize) {
    Descriptor blob = commit(mediaType);
    blobs.note(blob.digest(), new PlainLayer.Sum(diffId, plainSize));
    return blob;
  }

  /**
   * As {@link #commit(String)}, refusing content that is not what was promised.
   *
   * @throws Problem of kind CORRUPT when digest or size differ; nothing is stored then
   */
  public void commit(Descriptor expected) {
    finish(expected);
  }

  private Digest finish(@Nullable Descriptor expected) {
    if (digest != null) {
      throw new IllegalStateException("the blob is committed already");
    }
    if (expected != null) {
      verify(expected);
    }
    Digest actual = written();
    try {
      blobs.adopt(channel, temporary, actual);
    } catch (IOException e) {
      throw failed(e);
    }
    digest = actual;
    return actual;
  }

  /** The digest of what was written; nothing is written after it. */
  private Digest written() {
    if (hashed == null) {
      hashed = Digest.of(algorithm, hash.digest());
    }
    return hashed;
  }

  /**
   * Refuses content that is not what was promised.
   *
   * @throws Problem of kind CORRUPT when digest or size differ
   */
  void verify(Descriptor expected) {
    Digest actual = written();
    if (!actual.equals(expected.digest()) || size != expected.size()) {
      throw Problem.corrupt(
          "blob %s of %d bytes arrived as %s with %d bytes; it was damaged or forged"
              .formatted(expected.digest(), expected.size(), actual, size));
    }
  }

  private Problem failed(IOException e) {
    return new Problem(
        FullDisk.isCauseOf(e) ? Problem.Kind.FULL : Problem.Kind.ENVIRONMENT,
        "cannot write a blob to " + blobs.root() + ": " + blobs.tell(e),
        e);
  }

  @Override
  public void close() throws IOException {
    channel.close();
    Files.deleteIfExists(temporary);
    blobs.closed(this);
  }
}
