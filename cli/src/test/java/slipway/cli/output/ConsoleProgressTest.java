package slipway.cli.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import slipway.base.Progress;

class ConsoleProgressTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private ConsoleProgress progress(Duration period) {
    return new ConsoleProgress(new PrintStream(bytes, true, StandardCharsets.UTF_8), period);
  }

  private List<String> lines() {
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void tellsOfWhatTakesLong() {
    try (ConsoleProgress progress = progress(Duration.ofMillis(20))) {
      try (Progress.Phases phases = progress.phases("disk")) {
        phases.at("copying\033[2J files");
        await().until(() -> lines().stream().anyMatch(l -> l.matches("  copying.* files  0 s")));
        try (Progress.Task task = progress.start("layer 12ab", 1000)) {
          task.advance(500);
          await()
              .until(
                  () ->
                      lines().stream()
                          .anyMatch(l -> l.matches("  layer 12ab   50%  500 B of 1.0 kB  .*left")));
        }
      }
    }
    assertThat(lines().getFirst()).isEqualTo("copying\\x1b[2J files");
    assertThat(bytes.toString(StandardCharsets.UTF_8)).doesNotContain("\033");
  }

  @Test
  void tellsOfWhatIsQuickByAPhaseAlone() {
    try (ConsoleProgress progress = progress(Duration.ofHours(1));
        Progress.Phases phases = progress.phases("disk")) {
      phases.at("dividing the disk");
      progress.start("layer 12ab", 1000).close();
      progress.note("a note");
    }
    assertThat(lines()).containsExactly("dividing the disk", "a note");
  }
}
