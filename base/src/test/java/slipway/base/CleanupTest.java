package slipway.base;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CleanupTest {
  @Test
  void undoesOnce() throws IOException {
    List<String> done = new ArrayList<>();
    Cleanup cleanup = Cleanup.register("x", () -> done.add("x"));
    cleanup.close();
    cleanup.close();
    assertThat(done).containsExactly("x");
  }

  @Test
  void whatIsKeptStays() throws IOException {
    List<String> done = new ArrayList<>();
    Cleanup cleanup = Cleanup.register("x", () -> done.add("x"));
    cleanup.keep();
    cleanup.close();
    assertThat(done).isEmpty();
  }

  /** Writes a file when it is too late for that: while the process ends. */
  static final class Late {
    private Late() {}

    public static void main(String[] args) throws IOException {
      Path file = Path.of(args[0]);
      if (args.length > 1) {
        Cleanup.register("x", () -> {}).close();
      }
      Runtime.getRuntime()
          .addShutdownHook(
              Thread.ofPlatform()
                  .unstarted(
                      () -> {
                        try {
                          if (args.length > 1) {
                            awaitOthers();
                          }
                          AtomicFile.write(file, "late");
                          System.out.println("written");
                        } catch (IOException | RuntimeException e) {
                          System.out.println(e.getMessage());
                        }
                      }));
    }

    /** Until the hook of the clean-ups has run. */
    private static void awaitOthers() {
      while (true) {
        try {
          Cleanup.register("y", () -> {}).close();
          Thread.onSpinWait();
        } catch (Problem | IOException e) {
          return;
        }
      }
    }
  }

  /** Nobody would remove the unfinished file. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatComesTooLateIsUndoneAtOnce(boolean hooked, @TempDir Path folder) throws Exception {
    List<String> command = ChildJvm.line(Late.class, folder.resolve("file").toString());
    if (hooked) {
      command.add("hooked");
    }
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).isZero();
    assertThat(said).startsWith("the process is ending; the file ").hasLineCount(1);
    assertThat(folder).isEmptyDirectory();
  }
}
