package slipway.distro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.model.Platform;

/** The bootstrap's processes. */
@Timeout(60)
class BaseBootstrapTest {
  @TempDir Path folder;

  @Test
  void whatIsMissingForAnotherProcessorIsSaid() throws Exception {
    Path root = Files.createDirectory(folder.resolve("root"));
    BaseBootstrap bootstrap =
        new BaseBootstrap(
            "trixie",
            Platform.ofLinux("none"),
            List.of(),
            BaseMirror.choose(URI.create("http://127.0.0.1:9/debian"), folder),
            folder,
            "trixie",
            "");
    assertThatThrownBy(() -> bootstrap.run(root, Progress.NONE))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("this computer runs none of none: install arch-test and")
        .hasMessageContaining("qemu-user-static");
    assertThat(root).isEmptyDirectory();
  }

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
