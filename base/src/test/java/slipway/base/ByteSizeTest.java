package slipway.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteSizeTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "4096, 4096",
    "7b, 7",
    "2k, 2048",
    "3KB, 3072",
    "512m, 536870912",
    "512 MiB, 536870912",
    "20G, 21474836480",
    "1Gi, 1073741824",
    "8388607t, 9223370937343148032",
    "8388608t, 9223372036854775807",
    "99999999999999999999, 9223372036854775807"
  })
  void readsAmounts(String text, long bytes) {
    assertThat(ByteSize.parse(text)).hasValue(bytes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "k", "-1", "1.5g", "1x", "1G2", "1bb", "1ib", " 1", "1 ", "\u0661", "1e3"})
  void refusesWhatIsNone(String text) {
    assertThat(ByteSize.parse(text)).isEmpty();
  }
}
