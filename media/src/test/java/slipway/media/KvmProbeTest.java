package slipway.media;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KvmProbeTest {
  @Test
  void theTestGuestRunsWhereGuestsRun() throws Exception {
    assertThat(KvmProbe.run(Accelerator.TCG).usable()).isTrue();
  }

  @Test
  void aProcessorWithoutVirtualisationIsNotTried(@TempDir Path run) throws Exception {
    boolean flags =
        Files.readString(Path.of("/proc/cpuinfo"))
            .matches("(?s).*\\nflags\\s*:[^\\n]*\\b(vmx|svm)\\b.*");
    KvmProbe verdict = KvmProbe.of(run);
    assertThat(verdict.reason()).isNotBlank();
    if (!flags) {
      assertThat(verdict.usable()).isFalse();
      assertThat(run).isEmptyDirectory();
    }
  }
}
