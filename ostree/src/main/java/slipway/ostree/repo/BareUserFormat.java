package slipway.ostree.repo;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.Xattrs;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Objects;

/**
 * Objects are files of the user; owner, mode and attributes stand in the attribute {@code
 * user.ostreemeta}, and a symbolic link is a file with its target and a NUL.
 */
final class BareUserFormat implements ContentFormat {
  private static final OsPath META = OsPath.of("user.ostreemeta");
  private static final int MAX_TARGET = 64 * 1024;

  @Override
  public String suffix() {
    return "file";
  }

  @Override
  public Sink create(OsPath path, Metadata metadata, long size) throws IOException {
    return file(path, metadata, size);
  }

  private static Sink file(OsPath path, Metadata metadata, long size) throws IOException {
    FileSink file = new FileSink(path, 0600, size);
    return new Sink() {
      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        file.write(bytes, offset, length);
      }

      @Override
      public void finish(boolean sync) throws IOException {
        int fd = file.whole();
        Xattrs.fsetxattr(fd, META, Objects.metadata(metadata).toBytes());
        boolean link = metadata.type() == Stat.S_IFLNK;
        Posix.fchmod(fd, link ? 0644 : (metadata.permissions() & 0775) | 0400);
        Posix.futimens(fd, 0, 0);
        file.finish(sync);
      }

      @Override
      public void close() throws IOException {
        file.close();
      }
    };
  }

  @Override
  public void symlink(OsPath path, Metadata metadata, OsPath target) throws IOException {
    byte[] bytes = Arrays.copyOf(target.bytes(), target.length() + 1);
    try (Sink sink = file(path, metadata, bytes.length)) {
      sink.write(bytes, 0, bytes.length);
      sink.finish(false);
    }
  }

  @Override
  public Stored read(OsPath path) throws IOException {
    byte[] meta = Xattrs.lgetxattr(path, META);
    if (meta == null) {
      throw Problem.corrupt(path + " lacks the attribute " + META);
    }
    Metadata metadata = Objects.metadata(GVariant.parse(Objects.DIRMETA_TYPE, meta), 0);
    return switch (metadata.type()) {
      case Stat.S_IFREG -> new Stored(metadata, null, Posix.lstat(path).size());
      case Stat.S_IFLNK -> {
        // Of type ay: a byte string checks the NUL.
        GVariant target = GVariant.parse("ay", FileInput.readAll(path, MAX_TARGET));
        yield new Stored(metadata, target.asByteString(), 0);
      }
      default ->
          throw Problem.corrupt(path + " has the mode " + Integer.toOctalString(metadata.mode()));
    };
  }

  @Override
  public InputStream open(OsPath path) throws IOException {
    return new FileInput(path);
  }
}
