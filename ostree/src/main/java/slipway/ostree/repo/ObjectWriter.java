package slipway.ostree.repo;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.composefs.FsVerity;
import slipway.linux.posix.OsPath;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;

/**
 * Hashes and writes content objects on platform threads while the callers decode. Small files are
 * gathered into chunks, one at a time for each calling thread; a large file goes piece by piece to
 * whichever thread is free, in order. The chunks in flight are bounded.
 */
final class ObjectWriter implements AutoCloseable {
  private static final int CHUNK = 256 * 1024;
  private static final int IN_FLIGHT = 48;

  private final Transaction transaction;
  private final Repository repository;
  private final Staging staging;
  private final boolean verity;
  private final ExecutorService workers;

  /** One permit for each chunk that is under way. */
  private final Semaphore inFlight = new Semaphore(IN_FLIGHT, true);

  private final ConcurrentLinkedQueue<byte[]> free = new ConcurrentLinkedQueue<>();
  private final Map<Thread, Batch> open = new ConcurrentHashMap<>();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  ObjectWriter(Transaction transaction, Staging staging, boolean verity) {
    this.transaction = transaction;
    this.repository = transaction.repository();
    this.staging = staging;
    this.verity = verity;
    int threads = Math.max(2, Runtime.getRuntime().availableProcessors());
    this.workers =
        new ThreadPoolExecutor(
            threads,
            threads,
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("ostree-writer-", 0).factory(),
            // After the end a caller does it himself: by then it means only to let go.
            (task, pool) -> task.run());
  }

  /**
   * Takes a file; returns when all of it was read, which is before it is written. A failure to read
   * it, and the interrupt of this thread, are the caller's: other files are written all the same.
   *
   * @param known its fs-verity digest, or null
   */
  ObjectContent store(
      OsPath path, Metadata metadata, long size, byte @Nullable [] known, InputStream in)
      throws IOException {
    Metadata kept = Objects.normalized(metadata);
    ObjectContent content = ObjectContent.pending(transaction, kept, size, known);
    if (size <= CHUNK) {
      open.computeIfAbsent(Thread.currentThread(), t -> new Batch())
          .add(path, content, kept, (int) size, in);
    } else {
      new Large(path, content, kept, size).pump(in);
    }
    return content;
  }

  /** Sends off what is gathered, so that waiting for it makes sense. */
  void flush() {
    for (Batch batch : open.values()) {
      batch.submit();
    }
  }

  /**
   * Waits until all that was stored is written.
   *
   * @throws IOException or Problem when something could not be
   */
  void await() throws IOException {
    flush();
    acquire(IN_FLIGHT);
    inFlight.release(IN_FLIGHT);
    check();
  }

  private void check() throws IOException {
    Throwable cause = failure.get();
    switch (cause) {
      case null -> {}
      case Problem p -> throw new Problem(p.kind(), String.valueOf(p.getMessage()), p);
      case IOException e -> throw new IOException(e.getMessage(), e);
      case Error e -> throw e;
      default -> throw new IllegalStateException("writing objects failed", cause);
    }
  }

  private static void readExactly(OsPath path, InputStream in, byte[] buffer, int length)
      throws IOException {
    if (in.readNBytes(buffer, 0, length) < length) {
      throw new EOFException("the content of " + path + " ended early");
    }
  }

  private byte[] takeChunk() {
    byte[] chunk = free.poll();
    return chunk == null ? new byte[CHUNK] : chunk;
  }

  /** Waits until a chunk, or several, may be under way. */
  private void acquire(int permits) {
    try {
      inFlight.acquire(permits);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, "writing objects was interrupted", e);
    }
  }

  private void done(byte[] chunk) {
    free.add(chunk);
    inFlight.release();
  }

  /** Remembers the first failure to write; all later work is dropped, nothing is published. */
  void fail(Throwable e) {
    failure.compareAndSet(null, e);
  }

  private void fail(OsPath path, ObjectContent content, Throwable e) {
    Throwable cause = e instanceof IOException ? transaction.cannotWrite(path, e) : e;
    fail(cause);
    content.fail(cause);
  }

  private void write(OsPath target, Metadata metadata, byte[] bytes, int offset, int length)
      throws IOException {
    transaction.spend(length);
    try (ContentFormat.Sink sink = repository.format().create(target, metadata, length)) {
      sink.write(bytes, offset, length);
      sink.finish(false);
    }
  }

  // ---- small files ----

  private record Small(
      OsPath path, ObjectContent content, Metadata metadata, int offset, int length) {}

  /** What one thread gathers; whoever wants it written sends it off. */
  private final class Batch {
    private static final int MAX_FILES = 64;

    /** The owner's alone: nobody waits for a monitor while the owner waits for the network. */
    private final byte[] arriving = new byte[CHUNK];

    private byte @Nullable [] buffer;
    private int used;
    private List<Small> files = new ArrayList<>();

    void add(OsPath path, ObjectContent content, Metadata metadata, int size, InputStream in)
        throws IOException {
      readExactly(path, in, arriving, size);
      synchronized (this) {
        if (used + size > CHUNK || files.size() >= MAX_FILES) {
          submit();
          check();
        }
        if (buffer == null) {
          buffer = takeChunk();
        }
        System.arraycopy(arriving, 0, buffer, used, size);
        files.add(new Small(path, content, metadata, used, size));
        used += size;
      }
    }

    synchronized void submit() {
      byte[] chunk = buffer;
      if (chunk == null) {
        return;
      }
      acquire(1); // First: what an interrupted thread cannot send off stays for the next one.
      List<Small> gathered = files;
      buffer = null;
      used = 0;
      files = new ArrayList<>();
      workers.execute(() -> process(gathered, chunk));
    }
  }

  private void process(List<Small> files, byte[] chunk) {
    MessageDigest hash = Checksum.newDigest();
    for (Small file : files) {
      try {
        check();
        process(file, chunk, hash);
      } catch (IOException | RuntimeException | Error e) {
        hash.reset();
        fail(file.path, file.content, e);
      }
    }
    done(chunk);
  }

  private void process(Small file, byte[] chunk, MessageDigest hash) throws IOException {
    hash.update(Objects.fileHeader(file.metadata, null));
    hash.update(chunk, file.offset, file.length);
    Checksum name = Checksum.of(hash.digest());
    byte[] digest = null;
    if (verity && file.content.knownVerity() == null) {
      FsVerity tree = new FsVerity(FsVerity.Algorithm.SHA256);
      tree.update(chunk, file.offset, file.length);
      digest = tree.digest();
    }
    OsPath target = staging.claim(repository.looseName(name, ObjectType.FILE));
    if (target != null) {
      write(target, file.metadata, chunk, file.offset, file.length);
    }
    file.content.complete(name, digest);
  }

  // ---- large files ----

  /** A piece; or, with a failure and no permit, the reader's word that no other will come. */
  private record Piece(byte[] chunk, int length, @Nullable Throwable failure) {}

  /** A file under way: its pieces are written in order by one worker at a time. */
  private final class Large {
    private final OsPath path;
    private final ObjectContent content;
    private final Metadata metadata;
    private final long size;
    private final MessageDigest hash = Checksum.newDigest();
    private final @Nullable FsVerity tree;
    private final ArrayDeque<Piece> queue = new ArrayDeque<>();
    private boolean running;

    // Only the worker that runs the file touches these.
    private long written;
    private @Nullable OsPath temporary;
    private ContentFormat.@Nullable Sink sink;
    private boolean broken;

    Large(OsPath path, ObjectContent content, Metadata metadata, long size) {
      this.path = path;
      this.content = content;
      this.metadata = metadata;
      this.size = size;
      boolean wanted = verity && content.knownVerity() == null;
      this.tree = wanted ? new FsVerity(FsVerity.Algorithm.SHA256) : null;
    }

    void pump(InputStream in) throws IOException {
      try {
        for (long left = size; left > 0; ) {
          check();
          byte[] chunk = takeChunk();
          int length = (int) Math.min(CHUNK, left);
          readExactly(path, in, chunk, length);
          left -= length;
          acquire(1);
          offer(new Piece(chunk, length, null));
        }
      } catch (IOException | RuntimeException | Error e) {
        // Without a permit, which an interrupted thread would not get.
        offer(new Piece(new byte[0], 0, e));
        throw e;
      }
    }

    private void offer(Piece piece) {
      synchronized (queue) {
        queue.add(piece);
        if (running) {
          return;
        }
        running = true;
      }
      workers.execute(this::drain);
    }

    /** Writes the pieces that wait; only one worker is in here. */
    private void drain() {
      while (true) {
        Piece next;
        synchronized (queue) {
          next = queue.poll();
          if (next == null) {
            running = false;
            return;
          }
        }
        process(next);
        if (next.failure == null) {
          done(next.chunk);
        }
      }
    }

    private void process(Piece piece) {
      if (broken) {
        return;
      }
      if (piece.failure != null) {
        content.fail(piece.failure);
        abandon();
        return;
      }
      try {
        check();
        append(piece);
        if (written == size) {
          finish();
        }
      } catch (IOException | RuntimeException | Error e) {
        fail(path, content, e);
        abandon();
      }
    }

    private void append(Piece piece) throws IOException {
      ContentFormat.Sink out = sink;
      if (out == null) {
        transaction.spend(size);
        OsPath file = staging.temporary();
        out = repository.format().create(file, metadata, size);
        temporary = file;
        sink = out;
        hash.update(Objects.fileHeader(metadata, null));
      }
      hash.update(piece.chunk, 0, piece.length);
      if (tree != null) {
        tree.update(piece.chunk, 0, piece.length);
      }
      out.write(piece.chunk, 0, piece.length);
      written += piece.length;
    }

    private void finish() throws IOException {
      ContentFormat.Sink out = java.util.Objects.requireNonNull(sink);
      OsPath file = java.util.Objects.requireNonNull(temporary);
      out.finish(false);
      out.close();
      Checksum name = Checksum.of(hash.digest());
      OsPath target = staging.claim(repository.looseName(name, ObjectType.FILE));
      if (target == null) {
        slipway.linux.posix.Posix.unlink(file);
        transaction.giveBack(size);
      } else {
        slipway.linux.posix.Posix.rename(file, target, 0);
      }
      content.complete(name, tree == null ? null : tree.digest());
    }

    /** Gives back the descriptor and the space. */
    private void abandon() {
      broken = true;
      if (sink != null && temporary != null) {
        try {
          sink.close();
          slipway.linux.posix.Posix.unlink(temporary);
          transaction.giveBack(size);
        } catch (IOException e) {
          // The failure that led here is the one to report.
        }
      }
    }
  }

  /**
   * Ends the workers; what they have not begun is dropped. Waits for what they have, interrupted or
   * not: each closes its file.
   */
  @Override
  public void close() {
    fail(new IllegalStateException("the transaction has ended"));
    workers.shutdown();
    boolean interrupted = false;
    while (true) {
      try {
        if (workers.awaitTermination(1, TimeUnit.DAYS)) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
