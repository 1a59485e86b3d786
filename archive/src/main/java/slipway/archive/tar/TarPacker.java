package slipway.archive.tar;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.FileReason;
import slipway.linux.lock.ScratchFolder;

/**
 * Writes a tar of plain files that depends on nothing but them: a file is whole or not there at
 * all, a stream ends in the middle when something fails.
 */
public final class TarPacker implements AutoCloseable {
  /** Hidden: it lies where the archive will. */
  public static final String UNFINISHED = ".slipway-save-";

  private final @Nullable Unfinished unfinished;
  private final OutputStream out;
  private final TarArchiveOutputStream tar;

  /** The first failure to write: the tar's own streams tell of it once, and then are closed. */
  private @Nullable IOException failure;

  /** A file in a folder beside its place, until it is whole. */
  private record Unfinished(
      ScratchFolder folder, AtomicFile file, Path target, List<String> notes) {
    static Unfinished create(Path target) throws IOException {
      Path parent = java.util.Objects.requireNonNull(target.getParent());
      List<String> notes = new ArrayList<>();
      ScratchFolder folder = ScratchFolder.create(parent, UNFINISHED, notes::add);
      try {
        AtomicFile file = AtomicFile.create(folder.path().resolve("archive"));
        return new Unfinished(folder, file, target, List.copyOf(notes));
      } catch (IOException | RuntimeException e) {
        folder.close();
        throw e;
      }
    }

    void commit() throws IOException {
      file.commit();
      AtomicFile.rename(folder.path().resolve("archive"), target);
    }

    void close() throws IOException {
      try (folder;
          file) {
        // Both go.
      }
    }
  }

  public TarPacker(Path target) throws IOException {
    this(Unfinished.create(target.toAbsolutePath()));
  }

  private TarPacker(Unfinished unfinished) {
    this(unfinished, unfinished.file().out());
  }

  /** Writes to a stream, which it does not close. */
  public TarPacker(OutputStream out) {
    this(null, out);
  }

  private TarPacker(@Nullable Unfinished unfinished, OutputStream out) {
    this.unfinished = unfinished;
    String name = unfinished == null ? "the archive" : unfinished.target().toString();
    this.out = new Watched(out, name);
    tar = new TarArchiveOutputStream(this.out);
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
  }

  /** Says of a failure what could not be written. */
  private final class Watched extends FilterOutputStream {
    private final String name;

    Watched(OutputStream out, String name) {
      super(out);
      this.name = name;
    }

    @Override
    public void write(int one) throws IOException {
      write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int count) throws IOException {
      try {
        out.write(bytes, offset, count);
      } catch (IOException e) {
        throw failed(e);
      }
    }

    @Override
    public void flush() throws IOException {
      try {
        out.flush();
      } catch (IOException e) {
        throw failed(e);
      }
    }

    private IOException failed(IOException e) {
      IOException first = failure;
      if (first == null) {
        String reason = FileReason.of(e);
        // Standard output says itself what it is.
        first = reason.startsWith("cannot ") ? e : new IOException(sentence(reason), e);
        failure = first;
      }
      return first;
    }

    private String sentence(String reason) {
      return "cannot write " + name + ": " + reason;
    }
  }

  /** Sentences on what killed processes have left beside the file and cannot be removed. */
  public List<String> notes() {
    return unfinished == null ? List.of() : unfinished.notes();
  }

  public void add(String name, byte[] content) throws IOException {
    begin(name, content.length);
    tar.write(content);
    tar.closeArchiveEntry();
  }

  /** Adds a file whose stream has exactly {@code size} bytes. */
  public void add(String name, long size, InputStream content) throws IOException {
    begin(name, size);
    byte[] buffer = new byte[128 * 1024];
    for (int n; (n = content.read(buffer)) >= 0; ) {
      tar.write(buffer, 0, n);
    }
    tar.closeArchiveEntry();
  }

  private void begin(String name, long size) throws IOException {
    IOException before = failure;
    if (before != null) {
      throw new IOException(before.getMessage(), before);
    }
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setSize(size);
    entry.setMode(0100644);
    entry.setModTime(0L);
    entry.setIds(0, 0);
    entry.setNames("", "");
    tar.putArchiveEntry(entry);
  }

  /** Ends the archive: the commit point. */
  public void commit() throws IOException {
    tar.finish();
    out.flush(); // The tar does not hand a flush on.
    if (unfinished != null) {
      unfinished.commit();
    }
  }

  @Override
  public void close() throws IOException {
    if (unfinished != null) {
      unfinished.close();
    }
  }
}
