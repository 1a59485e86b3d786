package slipway.iso.live;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import slipway.linux.posix.Stat;

/**
 * Writes an archive that a kernel unpacks (Documentation/driver-api/early-userspace/buffer-format):
 * cpio "newc". All belongs to root, of time 0; directories on the way are written by themselves.
 */
final class CpioWriter {
  private static final int ALIGNMENT = 4;

  private final OutputStream out;
  private final Set<String> directories = new HashSet<>();
  private long written;
  private int inode = 1;

  CpioWriter(OutputStream out) {
    this.out = out;
  }

  /**
   * Adds a file.
   *
   * @param path without a slash in front
   * @param size bytes of {@code content}, at most 4 GiB
   */
  void file(String path, int permissions, long size, InputStream content) throws IOException {
    parents(path);
    header(path, Stat.S_IFREG | permissions, size);
    long n = content.transferTo(out);
    if (n != size) {
      throw new IOException(path + " has " + n + " bytes and not " + size);
    }
    written += n;
    pad();
  }

  void link(String path, String target) throws IOException {
    parents(path);
    byte[] bytes = target.getBytes(UTF_8);
    header(path, Stat.S_IFLNK | 0777, bytes.length);
    write(bytes);
    pad();
  }

  private void parents(String path) throws IOException {
    for (int slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      String parent = path.substring(0, slash);
      if (directories.add(parent)) {
        header(parent, Stat.S_IFDIR | 0755, 0);
      }
    }
  }

  /** Ends the archive. */
  void end() throws IOException {
    header("TRAILER!!!", 0, 0);
    out.flush();
  }

  private void header(String name, int mode, long size) throws IOException {
    byte[] bytes = name.getBytes(UTF_8);
    int links = (mode & Stat.S_IFMT) == Stat.S_IFDIR ? 2 : 1;
    // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
    write(
        String.format(
                Locale.ROOT,
                "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
                inode++,
                mode,
                0,
                0,
                links,
                0,
                size,
                0,
                0,
                0,
                0,
                bytes.length + 1,
                0)
            .getBytes(UTF_8));
    write(bytes);
    write(new byte[1]);
    pad();
  }

  private void pad() throws IOException {
    write(new byte[(int) (-written & (ALIGNMENT - 1))]);
  }

  private void write(byte[] bytes) throws IOException {
    out.write(bytes);
    written += bytes.length;
  }
}
