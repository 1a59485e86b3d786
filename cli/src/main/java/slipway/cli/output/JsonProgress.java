package slipway.cli.output;

import java.io.PrintStream;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Tells programs of long work: a JSON object a line. {@code type} is {@code note}, with a {@code
 * message}; or {@code begin}, {@code progress}, {@code end}, with the {@code task} and, where they
 * are measured, {@code bytes} and {@code bytes_total}; {@code message} then says what the task is
 * at. Bytes are told five times a second at most.
 */
final class JsonProgress implements slipway.base.Progress {
  private static final long PERIOD = TimeUnit.MILLISECONDS.toNanos(200);

  private final PrintStream out;

  JsonProgress(PrintStream out) {
    this.out = out;
  }

  private static ObjectNode line(String type) {
    return JsonNodeFactory.instance.objectNode().put("type", type);
  }

  private synchronized void print(ObjectNode line) {
    out.println(line);
    out.flush();
  }

  @Override
  public Task start(String name, long total) {
    Bytes task = new Bytes(name, total);
    task.tell("begin");
    return task;
  }

  @Override
  public Phases phases(String name) {
    print(line("begin").put("task", name));
    return new Phases() {
      @Override
      public void at(String what) {
        print(line("progress").put("task", name).put("message", what));
      }

      @Override
      public void close() {
        print(line("end").put("task", name));
      }
    };
  }

  @Override
  public void note(String text) {
    print(line("note").put("message", text));
  }

  private final class Bytes implements Task {
    private final String name;
    private final long total;
    private long done;
    private long told = System.nanoTime();

    Bytes(String name, long total) {
      this.name = name;
      this.total = total;
    }

    private void tell(String type) {
      ObjectNode line = line(type).put("task", name).put("bytes", done);
      print(total < 0 ? line : line.put("bytes_total", total));
    }

    @Override
    public synchronized void advance(long amount) {
      done += amount;
      if (System.nanoTime() - told >= PERIOD) {
        told = System.nanoTime();
        tell("progress");
      }
    }

    @Override
    public synchronized void close() {
      tell("end");
    }
  }
}
