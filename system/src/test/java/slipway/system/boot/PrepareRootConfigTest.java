package slipway.system.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;

class PrepareRootConfigTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|NO|false",
        "[composefs]^enabled=yes|YES|true",
        "[composefs]^enabled=true^[sysroot]^readonly=false|YES|false",
        "[composefs]^enabled=maybe|MAYBE|true",
        "[composefs]^enabled=signed|SIGNED|true",
        "[composefs]^enabled = verity|VERITY|true",
        "[sysroot]^readonly=true|NO|true"
      })
  void readsPrepareRoot(String text, PrepareRootConfig.Composefs composefs, boolean readonly) {
    PrepareRootConfig config = PrepareRootConfig.parse(text.replace('^', '\n'), "p");
    assertThat(config.composefs()).isEqualTo(composefs);
    assertThat(config.readonlySysroot()).isEqualTo(readonly);
  }

  @Test
  void refusesAnUnknownComposefsMode() {
    assertThatThrownBy(() -> PrepareRootConfig.parse("[composefs]\nenabled=sure\n", "p"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("enabled=sure");
  }
}
