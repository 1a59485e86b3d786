package slipway.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The goals against peers, by CPU seconds within one run. Wants the product built and the base
 * image in the store: {@code ./slipway base build}.
 */
@Tag("soak")
class GoalsTest {
  @ParameterizedTest
  @ValueSource(strings = {"import", "disk", "upgrade", "build", "start", "registry"})
  void reaches(String scenario) throws IOException {
    Bench.Options options = Bench.Options.parse("--rounds", "3", scenario);
    Result result = Bench.run(options, done -> {}).getFirst();
    // What is in a unit is the clock's or the memory's, and depends on what else the machine does.
    List<Ratio> gated = result.ratios().stream().filter(r -> !r.unit().equals("s")).toList();
    assertThat(gated).isNotEmpty();
    assertThat(gated.stream().filter(Ratio::isMissed)).isEmpty();
  }
}
