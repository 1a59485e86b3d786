package slipway.ostree.repo;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Objects;

/** Objects are a header and raw deflate data, for serving over HTTP. */
final class ArchiveFormat implements ContentFormat {
  private static final int LEVEL = 6;
  private static final int MAX_HEADER = 16 * 1024 * 1024;

  @Override
  public String suffix() {
    return "filez";
  }

  @Override
  public Sink create(OsPath path, Metadata metadata, long size) throws IOException {
    return new DeflateSink(
        new FileSink(path, 0600, 0), Objects.archiveHeader(metadata, null, size));
  }

  private static final class DeflateSink implements Sink {
    private final FileSink file;
    private final Deflater deflater = new Deflater(LEVEL, true);
    private final byte[] buffer = new byte[64 * 1024];

    DeflateSink(FileSink file, byte[] header) throws IOException {
      this.file = file;
      try {
        file.write(header, 0, header.length);
      } catch (IOException e) {
        close();
        throw e;
      }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      deflater.setInput(bytes, offset, length);
      while (!deflater.needsInput()) {
        drain();
      }
    }

    @Override
    public void finish(boolean sync) throws IOException {
      deflater.finish();
      while (!deflater.finished()) {
        drain();
      }
      seal(file, sync);
    }

    private void drain() throws IOException {
      int n = deflater.deflate(buffer);
      file.write(buffer, 0, n);
    }

    @Override
    public void close() throws IOException {
      deflater.end();
      file.close();
    }
  }

  private static void seal(FileSink file, boolean sync) throws IOException {
    int fd = file.whole();
    Posix.fchmod(fd, 0644);
    Posix.futimens(fd, 0, 0);
    file.finish(sync);
  }

  @Override
  public void symlink(OsPath path, Metadata metadata, OsPath target) throws IOException {
    try (FileSink file = new FileSink(path, 0600, 0)) {
      byte[] header = Objects.archiveHeader(metadata, target, 0);
      file.write(header, 0, header.length);
      seal(file, false);
    }
  }

  @Override
  public Stored read(OsPath path) throws IOException {
    try (FileInput in = new FileInput(path)) {
      return readHeader(path, in);
    }
  }

  private static Stored readHeader(OsPath path, InputStream in) throws IOException {
    byte[] bytes;
    try {
      DataInputStream data = new DataInputStream(in);
      int length = data.readInt();
      int padding = data.readInt();
      if (length < 0 || length > MAX_HEADER || padding != 0) {
        throw Problem.corrupt(path + " has no archive header");
      }
      bytes = data.readNBytes(length);
    } catch (EOFException e) {
      throw new Problem(Problem.Kind.CORRUPT, path + " is cut off in its header", e);
    }
    GVariant header = GVariant.parse(Objects.ARCHIVE_HEADER_TYPE, bytes);
    Metadata metadata = Objects.metadata(header, 1);
    OsPath target = target(path, metadata, header.child(5).asPath());
    return new Stored(metadata, target, target == null ? header.child(0).asLongBe() : 0);
  }

  private static @Nullable OsPath target(OsPath path, Metadata metadata, OsPath target) {
    return switch (metadata.type()) {
      case Stat.S_IFREG -> null;
      case Stat.S_IFLNK -> target;
      default ->
          throw Problem.corrupt(path + " has the mode " + Integer.toOctalString(metadata.mode()));
    };
  }

  @Override
  public InputStream open(OsPath path) throws IOException {
    FileInput in = new FileInput(path);
    try {
      readHeader(path, in);
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
    Inflater inflater = new Inflater(true);
    return new InflaterInputStream(in, inflater, 64 * 1024) {
      @Override
      public void close() throws IOException {
        super.close();
        inflater.end();
      }
    };
  }
}
