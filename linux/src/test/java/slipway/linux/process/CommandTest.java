package slipway.linux.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;

class CommandTest {
  /** A thread that waits at a pipe waits in the kernel, so it needs no virtual thread's carrier. */
  @Test
  void readsPipesWhenAllVirtualThreadsAreBusy() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
      Thread.ofVirtual()
          .start(
              () -> {
                while (!stop.get()) {
                  Thread.onSpinWait();
                }
              });
    }
    try {
      Command cat = Command.of("cat").stdin("told").timeout(Duration.ofSeconds(60));
      assertThat(elsewhere(cat::output)).isEqualTo("told");
    } finally {
      stop.set(true);
    }
  }

  /** Debian's users do not have /usr/sbin on their PATH. */
  @Test
  void toolsOfAdministratorsAreFound() {
    assertThat(Command.found("sfdisk", "/nowhere:/usr/bin")).matches("/(usr/)?sbin/sfdisk");
    assertThat(Command.found("sfdisk", "/nowhere:/usr/sbin:/sbin")).isEqualTo("sfdisk");
    assertThat(Command.found("no-such-tool", "/usr/bin")).isEqualTo("no-such-tool");
    assertThat(Command.found("./sfdisk", "/usr/bin")).isEqualTo("./sfdisk");
  }

  @Test
  void saysWhyAProgramCannotBeStarted() {
    assertThatThrownBy(() -> Command.of("/nowhere/tool").run())
        .isInstanceOf(Problem.class)
        .hasMessage(
            "cannot start /nowhere/tool: is it installed and on the PATH? (No such file or"
                + " directory)");
    assertThatThrownBy(() -> Command.of("/proc").run())
        .hasMessage("cannot start /proc: is it installed and on the PATH? (Permission denied)");
  }

  @Test
  @Tag("slow")
  void whatDoesNothingIsGivenUp() {
    Command idle = Command.of("sh", "-c", "sleep 1000; :").idleLimit(Duration.ofSeconds(1));
    assertThatThrownBy(idle::run).isInstanceOf(Problem.class).hasMessage("sh did nothing for 1 s");
  }

  /** Three limits long, of which a child does the work. */
  @Test
  @Tag("slow")
  void whatWorksIsWaitedFor() {
    String busy = "end=$(($(date +%s) + 4)); while [ $(date +%s) -lt $end ]; do :; done";
    Command command = Command.of("sh", "-c", "(" + busy + "); echo done");
    assertThat(command.idleLimit(Duration.ofSeconds(1)).output()).isEqualTo("done");
  }

  /** In a thread that may hang without the test doing so. */
  private static <T> T elsewhere(Callable<T> work) throws Exception {
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofPlatform().daemon().start(task);
    return task.get(90, TimeUnit.SECONDS);
  }
}
