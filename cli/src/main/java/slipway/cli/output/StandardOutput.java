package slipway.cli.output;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import slipway.base.FileReason;

/**
 * Standard output, as UTF-8. A {@link PrintStream} keeps quiet about what it could not write; this
 * one remembers the first failure, so that a command does not end well whose output is lost.
 */
public final class StandardOutput extends PrintStream {
  private final Sink sink;
  private final boolean process;

  private StandardOutput(Sink sink, boolean process) {
    super(new BufferedOutputStream(sink, 8192), false, StandardCharsets.UTF_8);
    this.sink = sink;
    this.process = process;
  }

  /** That of the process. */
  public static StandardOutput ofProcess() {
    return new StandardOutput(new Sink(new FileOutputStream(FileDescriptor.out)), true);
  }

  /** Another one, for tests. */
  public static StandardOutput of(OutputStream file) {
    return new StandardOutput(new Sink(file), false);
  }

  /** Columns of the terminal that shows it; 0 when none does. */
  public int columns() {
    return process ? Terminal.stdoutColumns() : 0;
  }

  /** That of the process for bytes; its failures are thrown, and say where they happened. */
  public static OutputStream bytesOfProcess() {
    return new BufferedOutputStream(new Sink(new FileOutputStream(FileDescriptor.out)), 64 * 1024);
  }

  /**
   * Writes what is buffered.
   *
   * @throws IOException when something that was printed could not be written, in a sentence; not
   *     when the reader of a pipe left, who wanted no more
   */
  public void finish() throws IOException {
    flush();
    IOException failure = sink.failure;
    // The C library's words of EPIPE; the launchers ask for English in any locale.
    if (failure != null && !String.valueOf(failure.getMessage()).endsWith(": Broken pipe")) {
      throw failure;
    }
  }

  /** Writes until it fails, and nothing behind a gap. */
  private static final class Sink extends OutputStream {
    private final OutputStream file;
    private @Nullable IOException failure;

    Sink(OutputStream file) {
      this.file = file;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (failure != null) {
        throw failure;
      }
      try {
        file.write(bytes, offset, length);
      } catch (IOException e) {
        failure = new IOException("cannot write to standard output: " + FileReason.of(e), e);
        throw failure;
      }
    }

    @Override
    public void flush() throws IOException {
      file.flush();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
