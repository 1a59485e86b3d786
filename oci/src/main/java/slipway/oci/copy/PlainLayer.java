package slipway.oci.copy;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import slipway.archive.compress.Compression;
import slipway.base.BlockInput;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;

/**
 * The uncompressed bytes of a layer, counted and hashed while they are read: whoever needs them for
 * something else learns the diff id (image-spec, config.md, "Layer DiffID") without reading the
 * layer again. For one thread.
 */
public final class PlainLayer extends BlockInput {
  private static final int BUFFER = 128 * 1024;

  private final InputStream blob;
  private final String name;
  private final InputStream plain;
  private final Digest.Algorithm algorithm;
  private final MessageDigest hash;
  private long size;

  /**
   * @param blob the layer's bytes as they are stored; they are read to their end even when they are
   *     damaged, so that a check of the digest below has its say first. Whoever opened it closes it
   * @param algorithm of the diff id
   */
  public PlainLayer(InputStream blob, Digest.Algorithm algorithm, Descriptor layer)
      throws IOException {
    this(blob, algorithm, Validate.name(layer));
  }

  /**
   * @param name for messages: {@code layer 0123…}
   */
  PlainLayer(InputStream blob, Digest.Algorithm algorithm, String name) throws IOException {
    this.blob = blob;
    this.name = name;
    this.plain = Compression.decompressAny(new CallersOwn(blob));
    this.algorithm = algorithm;
    this.hash = algorithm.newMessageDigest();
  }

  /**
   * {@inheritDoc}
   *
   * @throws Problem of kind CORRUPT for damaged data or over {@link Limit#LAYER_BYTES}
   */
  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int n = decompress(buffer, offset, length);
    if (n > 0) {
      size += n;
      Limit.LAYER_BYTES.check(size, name);
      hash.update(buffer, offset, n);
    }
    return n;
  }

  private int decompress(byte[] buffer, int offset, int length) throws IOException {
    try {
      return plain.read(buffer, offset, length);
    } catch (Problem e) {
      if (e.kind() != Problem.Kind.CORRUPT) {
        throw e; // The source failed.
      }
      readAll(blob);
      throw new Problem(e.kind(), name + ": " + e.getMessage(), e);
    }
  }

  private static void readAll(InputStream in) throws IOException {
    byte[] buffer = new byte[BUFFER];
    while (in.read(buffer) >= 0) {
      // Only its end matters.
    }
  }

  /** Reads what a layer decompresses to. */
  @FunctionalInterface
  public interface Reader<T> {
    T read(InputStream plain) throws IOException;
  }

  /**
   * Has it read. Of what was damaged on its way the digest tells it, and not what the reader
   * stumbles over.
   */
  public <T> T readBy(Reader<T> reader) throws IOException {
    try {
      return reader.read(this);
    } catch (Problem e) {
      if (e.kind() == Problem.Kind.CORRUPT) {
        readAll(blob);
      }
      throw e;
    }
  }

  /**
   * Reads what nobody has read yet, and tells what the layer decompresses to. To be called once.
   *
   * @throws Problem as {@link #read(byte[], int, int)}
   */
  public Sum finish() throws IOException {
    readAll(this);
    readAll(blob);
    return new Sum(Digest.of(algorithm, hash.digest()), size);
  }

  /**
   * What a layer decompresses to.
   *
   * @param size how many bytes there are
   */
  public record Sum(Digest diffId, long size) {}

  /** Frees the decompressor's memory; the blob stays open. */
  @Override
  public void close() throws IOException {
    plain.close();
  }

  /** Stays open when the decompressor above it is closed. */
  private static final class CallersOwn extends FilterInputStream {
    CallersOwn(InputStream in) {
      super(in);
    }

    @Override
    public void close() {
      // Whoever opened it closes it.
    }
  }
}
