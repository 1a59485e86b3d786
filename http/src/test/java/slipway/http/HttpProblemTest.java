package slipway.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;

class HttpProblemTest {
  /** Only what the client can mend is his fault. */
  @ParameterizedTest
  @CsvSource({
    "USAGE, 400",
    "INPUT, 400",
    "DENIED, 403",
    "NOT_FOUND, 404",
    "CORRUPT, 500",
    "ENVIRONMENT, 500",
    "UNAVAILABLE, 503",
    "FULL, 507"
  })
  void theStatusSaysWhoseFaultItIs(Problem.Kind kind, int status) {
    HttpProblem told = HttpProblem.of(new Problem(kind, "a sentence", null));
    assertThat(told.status()).isEqualTo(status);
    assertThat(told).hasMessage("a sentence");
    assertThat(HttpProblem.of(told)).isSameAs(told);
  }
}
