package slipway.distro;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The bootstrap's processes. */
@Timeout(60)
class BaseBootstrapTest {
  /** Killed in a way that lets nobody clean up, whoever waits for it takes all of it along. */
  @Test
  @Tag("slow")
  void whatIsInstallingEndsWithWhoeverStartedIt() throws Exception {
    List<String> argv = new ArrayList<>(List.of("sh", "-c", "\"$@\" & wait", "sh"));
    argv.addAll(BaseBootstrap.APART);
    argv.addAll(List.of("sh", "-c", "setsid sleep 1000 & echo ready; wait"));
    Process parent = new ProcessBuilder(argv).start();
    try (BufferedReader out = parent.inputReader()) {
      assertThat(out.readLine()).isEqualTo("ready");
      List<ProcessHandle> all = parent.descendants().toList();
      assertThat(all).hasSizeGreaterThan(2).allMatch(ProcessHandle::isAlive);
      parent.toHandle().destroyForcibly();
      for (ProcessHandle process : all) {
        process.onExit().get(30, TimeUnit.SECONDS);
      }
      // The pipe ends when the last who could write to it has ended.
      assertThat(out.readLine()).isNull();
    } finally {
      parent.descendants().forEach(ProcessHandle::destroyForcibly);
      parent.destroyForcibly();
    }
  }
}
