package slipway.archive.compress;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import com.github.luben.zstd.util.Native;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PushbackInputStream;
import java.util.Arrays;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZInputStream;
import org.tukaani.xz.XZOutputStream;
import slipway.base.Problem;
import slipway.linux.lock.ScratchFolder;

/**
 * How a layer is compressed. The same bytes give the same compressed bytes, however they are cut
 * into writes and however many processors there are.
 */
public enum Compression {
  NONE,
  /** RFC 1952. */
  GZIP,
  /** RFC 8878. */
  ZSTD;

  /** Stands for the level that this format is usually written with: gzip 6, zstd 3. */
  public static final int DEFAULT_LEVEL = -1;

  private static final int BUFFER = 128 * 1024;
  private static final int MAGIC = 4;
  private static final int ARCHIVE_MAGIC = 6;
  private static final byte[] BZIP2 = {'B', 'Z', 'h'};
  private static final byte[] XZ = {(byte) 0xfd, '7', 'z', 'X', 'Z', 0};

  /** A dictionary of xz -9 needs 65 MiB. */
  private static final int XZ_MEMORY_KIB = 256 * 1024;

  /** Decides by the first four bytes. */
  public static Compression of(byte[] head) {
    if (head.length >= 2 && (head[0] & 0xff) == 0x1f && (head[1] & 0xff) == 0x8b) {
      return GZIP;
    }
    if (head.length < MAGIC || (head[2] & 0xff) != (head[1] == 0x2a ? 0x4d : 0x2f)) {
      return NONE;
    }
    boolean frame =
        (head[0] & 0xff) == 0x28 && (head[1] & 0xff) == 0xb5 && (head[3] & 0xff) == 0xfd;
    boolean skippable = (head[0] & 0xf0) == 0x50 && head[1] == 0x2a && head[3] == 0x18;
    return frame || skippable ? ZSTD : NONE;
  }

  /**
   * Looks at the first bytes and leaves them in the stream.
   *
   * @param in a stream that supports mark, or a {@link PushbackInputStream} of at least 4 bytes
   */
  public static Compression detect(InputStream in) throws IOException {
    if (in instanceof PushbackInputStream pushback) {
      byte[] head = pushback.readNBytes(MAGIC);
      pushback.unread(head);
      return of(head);
    }
    if (!in.markSupported()) {
      throw new IllegalArgumentException("the stream cannot go back");
    }
    in.mark(MAGIC);
    byte[] head = in.readNBytes(MAGIC);
    in.reset();
    return of(head);
  }

  /**
   * Compresses as {@code xz -0} does, for archives that must be called so and hold what is
   * compressed already.
   */
  public static OutputStream xz(OutputStream out) throws IOException {
    return new XZOutputStream(out, new LZMA2Options(0));
  }

  /** Detects the compression and decompresses, as {@link #decompress}: it must be closed. */
  public static InputStream decompressAny(InputStream in) throws IOException {
    BufferedInputStream buffered = new BufferedInputStream(in, BUFFER);
    return detect(buffered).decompress(buffered);
  }

  /**
   * As {@link #decompressAny}, out of bzip2 and xz too: files that people hand out are packed so,
   * layers are not.
   */
  public static InputStream decompressArchive(InputStream in) throws IOException {
    BufferedInputStream buffered = new BufferedInputStream(in, BUFFER);
    buffered.mark(ARCHIVE_MAGIC);
    byte[] head = buffered.readNBytes(ARCHIVE_MAGIC);
    buffered.reset();
    if (startsWith(head, BZIP2)) {
      return new BZip2CompressorInputStream(buffered, true);
    }
    if (startsWith(head, XZ)) {
      return new XZInputStream(buffered, XZ_MEMORY_KIB);
    }
    return of(head).decompress(buffered);
  }

  private static boolean startsWith(byte[] bytes, byte[] prefix) {
    return bytes.length >= prefix.length
        && Arrays.equals(bytes, 0, prefix.length, prefix, 0, prefix.length);
  }

  /**
   * Decompresses all members or frames of a stream. Reads the source to its end. The stream throws
   * a {@link slipway.base.Problem} of kind CORRUPT for damaged data. The caller bounds how much it
   * takes, and closes it, which closes the source too: of zstd up to 128 MiB lie outside the heap,
   * and nothing else ever frees them.
   */
  public InputStream decompress(InputStream in) throws IOException {
    return switch (this) {
      case NONE -> in;
      case GZIP -> new GzipInputStream(in);
      case ZSTD -> {
        prepareZstd();
        yield new ZstdGuard(new ZstdInputStreamNoFinalizer(in));
      }
    };
  }

  /**
   * Compresses. Close the result to end the data; {@code out} stays open, so that who wrote a blob
   * with it can commit that then.
   *
   * @param level as gzip -1 to -9 or zstd -1 to -19 have it, or {@link #DEFAULT_LEVEL}
   */
  public OutputStream compress(OutputStream out, int level) throws IOException {
    return switch (this) {
      case NONE -> new StaysOpen(out);
      case GZIP -> new GzipOutputStream(new StaysOpen(out), level == DEFAULT_LEVEL ? 6 : level);
      case ZSTD -> zstd(new StaysOpen(out), level == DEFAULT_LEVEL ? 3 : level);
    };
  }

  /**
   * Loads the native part of the library, once. A product that is put together has it beside its
   * jars and says so to zstd-jni; else the library unpacks it where nothing stays of it: what is
   * loaded needs no file any more, and what a killed process leaves the next one removes.
   */
  static synchronized void prepareZstd() throws IOException {
    if (Native.isLoaded()) {
      return;
    }
    String beside = System.getProperty("ZstdNativePath");
    if (beside != null) {
      try {
        Native.load();
      } catch (UnsatisfiedLinkError e) {
        throw new Problem(
            Problem.Kind.ENVIRONMENT,
            "zstd's library cannot be loaded: "
                + beside
                + " is missing, damaged, or of another architecture; install Slipway again",
            e);
      }
      return;
    }
    try (ScratchFolder folder = ScratchFolder.small("slipway-zstd-", note -> {})) {
      try {
        Native.load(folder.path().toFile());
      } catch (UnsatisfiedLinkError e) {
        throw new Problem(
            Problem.Kind.ENVIRONMENT,
            "zstd's library cannot be loaded from "
                + folder.path().getParent()
                + ", whose file system may be mounted noexec; let TMPDIR name another folder",
            e);
      }
    }
  }

  private static OutputStream zstd(OutputStream out, int level) throws IOException {
    prepareZstd();
    ZstdOutputStreamNoFinalizer zstd = new ZstdOutputStreamNoFinalizer(out);
    zstd.setLevel(level);
    zstd.setChecksum(true);
    // At least one: with workers the output does not depend on their number, without it differs.
    zstd.setWorkers(Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 8));
    return zstd;
  }
}
