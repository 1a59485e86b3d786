package slipway.base;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Something that must not be left behind: a temporary folder, an unfinished file, a machine. It is
 * undone once, by {@link #close()} or, when the process is told to end before that, by {@link
 * #stop}. The latest is undone first, as with nested {@code try} blocks.
 *
 * <p>The way a process ends early is always the same: {@link #stop} interrupts the thread that
 * works, which unwinds through its {@code try} blocks; what it does not reach in time is undone by
 * the actions registered here; then the child processes end. Work that neither waits nor reads asks
 * {@link #checkStopped} now and then.
 */
public final class Cleanup implements AutoCloseable {
  /** Undoes something; called by any thread, at most once. */
  @FunctionalInterface
  public interface Action {
    void run() throws IOException;
  }

  /** Child processes get this long after SIGTERM before SIGKILL. */
  private static final Duration CHILD_GRACE = Duration.ofSeconds(2);

  private static final Object LOCK = new Object();
  private static final Deque<Cleanup> OPEN = new ArrayDeque<>();
  private static final Deque<Remark> REMARKS = new ArrayDeque<>();
  private static boolean hooked;

  /** All was undone: nobody would undo what is registered now. */
  private static boolean over;

  private static volatile @Nullable String stopped;

  private final String what;
  private @Nullable Action action;

  private Cleanup(String what, Action action) {
    this.what = what;
    this.action = action;
  }

  /**
   * Registers an action. It also runs when the process ends by {@link System#exit}.
   *
   * @param what is undone, for a message when that fails, such as {@code the folder /tmp/x}
   * @throws Problem of kind ENVIRONMENT when the process is ending; the action has run then
   */
  public static Cleanup register(String what, Action action) {
    Cleanup cleanup = new Cleanup(what, action);
    synchronized (LOCK) {
      if (!over && hook()) {
        OPEN.push(cleanup);
        return cleanup;
      }
    }
    Problem ending = Problem.environment("the process is ending; " + what + " is not begun");
    try {
      action.run();
    } catch (IOException e) {
      ending.addSuppressed(e);
    }
    throw ending;
  }

  /** Whether something undoes what is open when the process ends. */
  private static boolean hook() {
    if (!hooked) {
      try {
        Runtime.getRuntime()
            .addShutdownHook(Thread.ofPlatform().unstarted(() -> runAll(System.err::println)));
        hooked = true;
      } catch (IllegalStateException e) {
        over = true; // It ends already.
      }
    }
    return hooked;
  }

  private @Nullable Action take() {
    synchronized (LOCK) {
      OPEN.remove(this);
      Action taken = action;
      action = null;
      return taken;
    }
  }

  /** Undoes it now, unless that is done or {@link #keep} was called. */
  @Override
  public void close() throws IOException {
    Action taken = take();
    if (taken != null) {
      taken.run();
    }
  }

  /** Leaves it as it is from now on: it is finished, or somebody else cares for it. */
  public void keep() {
    take();
  }

  /**
   * What a user has to know who ends the process now, such as that a disk is erased. It is told by
   * {@link #stop} alone, until it is closed.
   */
  public static final class Remark implements AutoCloseable {
    private final String sentence;

    private Remark(String sentence) {
      this.sentence = sentence;
    }

    @Override
    public void close() {
      synchronized (LOCK) {
        REMARKS.remove(this);
      }
    }
  }

  /** Keeps a sentence for who ends the process early. */
  public static Remark remark(String sentence) {
    Remark remark = new Remark(sentence);
    synchronized (LOCK) {
      REMARKS.add(remark);
    }
    return remark;
  }

  /** Whether the process has been told to end. */
  public static boolean isStopped() {
    return stopped != null;
  }

  /**
   * Ends work that would go on without noticing that the process shall end.
   *
   * @throws Problem of kind ENVIRONMENT once {@link #stop} was called
   */
  public static void checkStopped() {
    String why = stopped;
    if (why != null) {
      throw Problem.environment("stopped by " + why);
    }
  }

  /**
   * Ends the work of this process in order, within about {@code grace} and some seconds. The first
   * call counts; later ones do nothing.
   *
   * @param why such as {@code SIGTERM}
   * @param worker the thread that works
   * @param ended gives whether the worker has unwound within the time it is told
   * @param warnings is told in a sentence what could not be undone
   * @return whether this was the first call
   */
  public static boolean stop(
      String why, Thread worker, Unwinding ended, Duration grace, Warnings warnings) {
    List<Remark> remarks;
    synchronized (LOCK) {
      if (stopped != null) {
        return false;
      }
      stopped = why;
      remarks = List.copyOf(REMARKS);
    }
    remarks.forEach(remark -> warnings.tell(remark.sentence));
    worker.interrupt();
    if (!ended.within(grace) && endChildren()) {
      // Who waited for a child goes on now.
      ended.within(CHILD_GRACE);
    }
    Thread rest = Thread.ofPlatform().daemon().name("cleanup").start(() -> runAll(warnings));
    try {
      if (!rest.join(grace)) {
        warnings.tell("not all could be cleaned up within " + grace.toSeconds() + " s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    endChildren();
    return true;
  }

  /** Waits for the end of the worker. */
  @FunctionalInterface
  public interface Unwinding {
    boolean within(Duration limit);
  }

  /** Takes a sentence for the user. */
  @FunctionalInterface
  public interface Warnings {
    void tell(String sentence);
  }

  private static void runAll(Warnings warnings) {
    while (true) {
      Cleanup next;
      synchronized (LOCK) {
        next = OPEN.peek();
        over = next == null;
      }
      if (next == null) {
        return;
      }
      try {
        next.close();
      } catch (IOException | RuntimeException e) {
        warnings.tell(next.what + " was left behind: " + e.getMessage());
      }
    }
  }

  /**
   * All processes below this one: first asked, so that terminals are reset, then killed.
   *
   * @return whether there were any
   */
  private static boolean endChildren() {
    List<ProcessHandle> children = new ArrayList<>(ProcessHandle.current().descendants().toList());
    children.forEach(ProcessHandle::destroy);
    long deadline = System.nanoTime() + CHILD_GRACE.toNanos();
    for (ProcessHandle child : children) {
      try {
        child.onExit().get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      } catch (java.util.concurrent.TimeoutException | java.util.concurrent.ExecutionException e) {
        child.descendants().forEach(ProcessHandle::destroyForcibly);
        child.destroyForcibly();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        child.destroyForcibly();
      }
    }
    return !children.isEmpty();
  }
}
