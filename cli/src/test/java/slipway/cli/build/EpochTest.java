package slipway.cli.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;

class EpochTest {
  @ParameterizedTest
  @ValueSource(strings = {"x", "-1", "1.5", "99999999999999999999", "999999999999", " 1"})
  void anEpochThatIsNoTimeIsTold(String text) {
    assertThatThrownBy(() -> Epoch.parse(text))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.USAGE))
        .hasMessageContaining("not a number of seconds");
    assertThat(Epoch.parse("1700000000").getEpochSecond()).isEqualTo(1_700_000_000);
  }
}
