package slipway.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.linux.process.Command;

/** That what measures measures. */
class SamplesTest {
  private final Timer timer = new Timer(Duration.ofMillis(2));

  @Test
  void countsTheProcessorTimeOfChildrenAndTheirChildren() throws IOException {
    String spin = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
    Measured direct = timer.run(Command.of("sh", "-c", spin));
    Measured nested = timer.run(Command.of("sh", "-c", "sh -c '" + spin + "'; true"));
    assertThat(direct.cpu()).isGreaterThan(0.05).isLessThan(direct.wall() + 0.05);
    assertThat(nested.cpu()).isBetween(direct.cpu() / 3, direct.cpu() * 3);
    assertThat(timer.run(Command.of("sleep", "0.3")).cpu()).isLessThan(0.1);
  }

  @Test
  void seesThePeakOfTheChildAndNotItsOwn() throws IOException {
    assertThat(timer.run(Command.of("sleep", "0.1")).peakRss()).isBetween(100_000L, 20_000_000L);
    long big =
        timer.run(Command.of("dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=2")).peakRss();
    assertThat(big).isBetween(200_000_000L, 260_000_000L);
  }

  @Test
  void failsWithWhatTheChildSaid() {
    assertThatThrownBy(() -> timer.run(Command.of("sh", "-c", "echo oh >&2; exit 3")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("status 3")
        .hasMessageContaining("oh");
  }

  @Test
  void takesTheMedianOfTheRatiosOfRounds() {
    Samples samples = new Samples();
    double[][] rounds = {{2, 1}, {9, 3}, {40, 10}};
    for (double[] round : rounds) {
      samples.add("ours", new Measured(round[0], 2 * round[0], 5));
      samples.add("peer", new Measured(round[1], round[1], 7));
    }
    Ratio ratio = samples.ratio("x", List.of("ours"), List.of("peer"), 5.0);
    assertThat(ratio.wall()).isEqualTo(3);
    assertThat(ratio.cpu()).isEqualTo(6);
    assertThat(ratio.isMissed()).isTrue();
    assertThat(samples.median("ours", Measured::wall)).isEqualTo(9);
    assertThat(samples.min("ours", Measured::wall)).isEqualTo(2);
  }
}
