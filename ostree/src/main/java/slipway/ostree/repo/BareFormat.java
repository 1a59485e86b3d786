package slipway.ostree.repo;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.Xattrs;

/** Objects are the files themselves: owner, mode, attributes, links; modification time 0. */
final class BareFormat implements ContentFormat {
  @Override
  public String suffix() {
    return "file";
  }

  @Override
  public Sink create(OsPath path, Metadata metadata, long size) throws IOException {
    FileSink file = new FileSink(path, 0600, size);
    return new Sink() {
      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        file.write(bytes, offset, length);
      }

      @Override
      public void finish(boolean sync) throws IOException {
        int fd = file.whole();
        // The owner first: a change of owner takes set-id bits and capabilities away.
        Posix.fchown(fd, metadata.uid(), metadata.gid());
        Posix.fchmod(fd, metadata.permissions());
        for (Metadata.Xattr x : metadata.xattrs()) {
          Xattrs.fsetxattr(fd, x.name(), x.value());
        }
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
    Posix.symlink(target, path);
    Posix.lchown(path, metadata.uid(), metadata.gid());
    for (Metadata.Xattr x : metadata.xattrs()) {
      Xattrs.lsetxattr(path, x.name(), x.value());
    }
    Posix.lutimens(path, 0, 0);
  }

  @Override
  public Stored read(OsPath path) throws IOException {
    Stat stat = Posix.lstat(path);
    if (!stat.isRegular() && !stat.isSymlink()) {
      throw Problem.corrupt(path + " is neither a regular file nor a symbolic link");
    }
    Metadata metadata = new Metadata(stat.mode(), stat.uid(), stat.gid(), 0, 0, readXattrs(path));
    return stat.isSymlink()
        ? new Stored(metadata, Posix.readlink(path), 0)
        : new Stored(metadata, null, stat.size());
  }

  private static List<Metadata.Xattr> readXattrs(OsPath path) throws IOException {
    List<Metadata.Xattr> xattrs = new ArrayList<>();
    for (OsPath name : Xattrs.llistxattr(path)) {
      byte[] value = Xattrs.lgetxattr(path, name);
      // As libglnx reads them: an empty value is none.
      if (value != null && value.length > 0) {
        xattrs.add(new Metadata.Xattr(name, value));
      }
    }
    return xattrs;
  }

  @Override
  public InputStream open(OsPath path) throws IOException {
    return new FileInput(path);
  }
}
