package slipway.host.update;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import slipway.base.FileReason;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.host.status.StatusDocument;
import slipway.host.system.PrivateMounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.oci.model.Digest;

/**
 * Tells another program how far an upgrade is: JSON lines of bootc's progress protocol, version
 * 0.1.0 ({@code progress-v0.schema.json}). A thread of its own writes them, so a reader that is
 * slow, stuck or gone holds nobody up: what it did not read in time is told by the next line. Bytes
 * are told at most five times a second, the begin and the end of each step always.
 */
public final class ProgressStream implements AutoCloseable {
  /** Tells nobody. */
  public static final ProgressStream NONE = new ProgressStream(line -> {}, note -> {}, 0);

  private static final String VERSION = "0.1.0";
  private static final long PERIOD_MILLIS = 200;

  /** How long the end of the work waits for a reader that does not read. */
  private static final long PATIENCE_MILLIS = 1000;

  private static final int O_APPEND = 02000;

  /** Takes whole lines, in order. */
  interface Lines {
    void write(byte[] line) throws IOException;
  }

  private final Lines lines;
  private final Consumer<String> notes;
  private final long patience;

  private final Deque<Map<String, @Nullable Object>> steps = new ArrayDeque<>();
  private @Nullable Supplier<Map<String, @Nullable Object>> running;
  private volatile boolean changed;
  private boolean ended;
  private @Nullable Thread writer;

  /** When the last line about bytes was given to the writer. */
  private long told = System.nanoTime() - Duration.ofMillis(PERIOD_MILLIS).toNanos();

  ProgressStream(Lines lines, Consumer<String> notes, long patience) {
    this.lines = lines;
    this.notes = notes;
    this.patience = patience;
  }

  /**
   * A stream to an open descriptor of this process, or of the process that started this one anew
   * (see {@link PrivateMounts}).
   *
   * @param notes is told when nobody reads, or nobody any more
   * @throws Problem of kind USAGE when it is not open for writing
   */
  public static ProgressStream open(
      int descriptor, Map<String, String> variables, Consumer<String> notes) {
    if (descriptor <= 2) {
      throw Problem.usage(
          "--progress-fd "
              + descriptor
              + ": 0, 1 and 2 have another use; open a descriptor above, as in 3>FILE");
    }
    String owner = variables.get(PrivateMounts.STARTER);
    Path process = Path.of("/proc").resolve(owner == null ? "self" : owner);
    requireWritable(process, descriptor);
    OptionalInt fd = owner == null ? OptionalInt.of(descriptor) : opened(process, descriptor);
    if (fd.isEmpty()) {
      notes.accept("the progress is told to nobody: its reader is gone");
      return NONE;
    }
    return new ProgressStream(
        line -> Posix.write(fd.getAsInt(), line, 0, line.length), notes, PATIENCE_MILLIS);
  }

  private static void requireWritable(Path process, int descriptor) {
    String flags;
    try {
      flags =
          Files.readAllLines(process.resolve("fdinfo/" + descriptor)).stream()
              .filter(line -> line.startsWith("flags:"))
              .map(line -> line.substring("flags:".length()).strip())
              .findFirst()
              .orElse("0");
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.USAGE,
          "--progress-fd "
              + descriptor
              + ": there is no such open descriptor; open it, as in "
              + descriptor
              + ">FILE",
          e);
    }
    if ((Integer.parseInt(flags, 8) & (Posix.O_WRONLY | Posix.O_RDWR)) == 0) {
      throw Problem.usage(
          "--progress-fd "
              + descriptor
              + ": the descriptor is not open for writing; open it, as in "
              + descriptor
              + ">FILE");
    }
  }

  /**
   * What another process holds open: pipes and files have a name for that, sockets do not. Opening
   * a pipe would wait for a reader; empty when there is none.
   */
  private static OptionalInt opened(Path process, int descriptor) {
    OsPath file = OsPath.of(process.resolve("fd/" + descriptor));
    try {
      if ((Posix.stat(file).mode() & Stat.S_IFMT) != Stat.S_IFIFO) {
        return OptionalInt.of(Posix.open(file, Posix.O_WRONLY | O_APPEND, 0));
      }
      try {
        int fd = Posix.open(file, Posix.O_WRONLY | Posix.O_NONBLOCK, 0);
        // From here on the writing may wait, in its own thread.
        Posix.setStatusFlags(fd, 0);
        return OptionalInt.of(fd);
      } catch (UnixException e) {
        if (e.errno() == UnixException.ENXIO) {
          return OptionalInt.empty();
        }
        throw e;
      }
    } catch (UnixException e) {
      throw new Problem(
          Problem.Kind.USAGE,
          "--progress-fd " + descriptor + ": the descriptor is neither a pipe nor a file",
          e);
    }
  }

  // ---- what is told ----

  /**
   * Layers are being fetched.
   *
   * @param image the manifest's digest
   * @param layersCached how many layers are there already, with so many bytes
   * @param layers those to come, as their tasks are called, with their bytes; what a task leaves
   *     out of them because it is there already counts as cached
   * @param shown also hears of the layers
   * @return what is to hear of them; the end of the fetching is {@link #imported}
   */
  Progress pulling(
      Digest image, int layersCached, long bytesCached, Map<String, Long> layers, Progress shown) {
    if (this == NONE) {
      return shown;
    }
    Pull pull = new Pull(image, layersCached, bytesCached, layers, shown);
    begin(pull::event);
    return pull;
  }

  /** The layers are there and are one tree in the repository. */
  void imported(Digest image) {
    endRunning();
    step("importing", "Importing Image", image, 1, 1, List.of(subtask(Step.IMPORTING, true)));
  }

  /** Steps of the work that follows the fetching. */
  enum Step {
    IMPORTING("Importing Image"),
    MERGING("Merging Image"),
    BOUND_IMAGES("Pulling Bound Images"),
    DEPLOYING("Deploying Image"),
    CLEANUP("Removing old images");

    private final String description;

    Step(String description) {
      this.description = description;
    }

    String id() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  private static final List<Step> STAGING =
      List.of(Step.MERGING, Step.BOUND_IMAGES, Step.DEPLOYING, Step.CLEANUP);

  /**
   * Steps of the staging are done.
   *
   * @param done how many; the next one begins
   */
  void staging(Digest image, int done) {
    List<Map<String, @Nullable Object>> subtasks = new ArrayList<>();
    for (int i = 0; i <= Math.min(done, STAGING.size() - 1); i++) {
      subtasks.add(subtask(STAGING.get(i), i < done));
    }
    // The reference counts three steps: what is bound comes within the second.
    int steps = done <= STAGING.indexOf(Step.BOUND_IMAGES) ? done : done - 1;
    step("staging", "Deploying Image", image, steps, STAGING.size() - 1, subtasks);
  }

  private static Map<String, @Nullable Object> subtask(Step step, boolean completed) {
    return Map.of(
        "subtask",
        step.id(),
        "description",
        step.description,
        "id",
        step.id(),
        "completed",
        completed);
  }

  private void step(
      String task, String description, Digest image, long done, long total, List<?> subtasks) {
    if (this != NONE) {
      post(
          Map.of(
              "type", "ProgressSteps",
              "task", task,
              "description", description,
              "id", image.toString(),
              "stepsCached", 0L,
              "steps", done,
              "stepsTotal", total,
              "subtasks", subtasks));
    }
  }

  /** The layers of one image on their way. */
  private final class Pull implements Progress {
    private static final String LAYER = "layer ";

    private final Digest image;
    private final int layersCached;
    private final long bytesCached;
    private final Map<String, Long> layers;
    private final Progress shown;
    private final List<Fetch> fetches = new CopyOnWriteArrayList<>();

    Pull(
        Digest image,
        int layersCached,
        long bytesCached,
        Map<String, Long> layers,
        Progress shown) {
      this.image = image;
      this.layersCached = layersCached;
      this.bytesCached = bytesCached;
      this.layers = Map.copyOf(layers);
      this.shown = shown;
    }

    @Override
    public Task start(String name, long total) {
      Task other = shown.start(name, total);
      if (!name.startsWith(LAYER)) {
        return other;
      }
      Fetch fetch = new Fetch(name.substring(LAYER.length()), total, other);
      // One that begins anew takes the place of the attempt before.
      fetches.stream().filter(f -> f.id.equals(fetch.id)).forEach(f -> f.given = true);
      fetches.add(fetch);
      return fetch;
    }

    @Override
    public Phases phases(String name) {
      return shown.phases(name);
    }

    @Override
    public void note(String line) {
      shown.note(line);
    }

    @Override
    public void output(String line) {
      shown.output(line);
    }

    Map<String, @Nullable Object> event() {
      long fetched = 0;
      long complete = 0;
      long spared = 0;
      long total = layers.values().stream().mapToLong(Long::longValue).sum();
      List<Map<String, @Nullable Object>> subtasks = new ArrayList<>();
      for (Fetch fetch : fetches) {
        long done = Math.max(0, fetch.done.get());
        fetched += done;
        if (fetch.given) {
          total += done;
          continue;
        }
        spared += Math.max(0, layers.getOrDefault(fetch.id, 0L) - fetch.total);
        complete += done >= fetch.total ? 1 : 0;
        subtasks.add(
            Map.of(
                "subtask",
                "layer",
                "description",
                LAYER + fetch.id,
                "id",
                fetch.id,
                "bytesCached",
                0L,
                "bytes",
                done,
                "bytesTotal",
                Math.max(0, fetch.total)));
      }
      return Map.ofEntries(
          Map.entry("type", "ProgressBytes"),
          Map.entry("task", "pulling"),
          Map.entry("description", "Pulling Image: " + image),
          Map.entry("id", image.toString()),
          Map.entry("bytesCached", bytesCached + spared),
          Map.entry("bytes", fetched),
          Map.entry("bytesTotal", total - spared),
          Map.entry("stepsCached", (long) layersCached),
          Map.entry("steps", complete),
          Map.entry("stepsTotal", (long) layers.size()),
          Map.entry("subtasks", subtasks));
    }
  }

  /** One layer on its way. */
  private final class Fetch implements Progress.Task {
    private final String id;
    private final long total;
    private final Progress.Task shown;
    private final AtomicLong done = new AtomicLong();

    /** Whether another attempt took its place. */
    private volatile boolean given;

    Fetch(String id, long total, Progress.Task shown) {
      this.id = id;
      this.total = total;
      this.shown = shown;
    }

    @Override
    public void advance(long amount) {
      shown.advance(amount);
      done.addAndGet(amount);
      change();
    }

    @Override
    public void close() {
      shown.close();
    }
  }

  // ---- the writer ----

  private synchronized void begin(Supplier<Map<String, @Nullable Object>> state) {
    running = state;
    change();
  }

  private synchronized void endRunning() {
    Supplier<Map<String, @Nullable Object>> state = running;
    if (state != null) {
      post(state.get());
      running = null;
    }
  }

  /** Called with every buffer that comes: what was told already wakes nobody. */
  private void change() {
    if (!changed) {
      synchronized (this) {
        changed = true;
        start();
        notifyAll();
      }
    }
  }

  private synchronized void post(Map<String, @Nullable Object> event) {
    steps.add(event);
    start();
    notifyAll();
  }

  private void start() {
    if (writer == null && !ended) {
      steps.addFirst(Map.of("type", "Start", "version", VERSION));
      writer = Thread.ofPlatform().daemon().name("progress-fd").start(this::write);
    }
  }

  private void write() {
    try {
      for (Map<String, @Nullable Object> event = next(); event != null; event = next()) {
        lines.write((StatusDocument.json(event) + "\n").getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      notes.accept("the progress is told no longer: " + FileReason.of(e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for what is to be told next; null at the end. */
  private synchronized @Nullable Map<String, @Nullable Object> next() throws InterruptedException {
    while (steps.isEmpty()) {
      Supplier<Map<String, @Nullable Object>> state = running;
      boolean news = state != null && changed;
      long wait = PERIOD_MILLIS - (System.nanoTime() - told) / 1_000_000;
      if (state != null && news && wait <= 0) {
        told = System.nanoTime();
        changed = false;
        return state.get();
      }
      if (ended) {
        return null;
      }
      wait(news ? wait : 0);
    }
    return steps.poll();
  }

  /** Ends it; what a reader does not take within a second is lost. */
  @Override
  public void close() {
    Thread last;
    synchronized (this) {
      ended = true;
      running = null;
      last = writer;
      notifyAll();
    }
    if (last != null) {
      try {
        last.join(patience);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
