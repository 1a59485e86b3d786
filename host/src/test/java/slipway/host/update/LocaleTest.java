package slipway.host.update;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a terminal shows. */
class LocaleTest {
  /** The launcher changes LC_CTYPE for Java and keeps what it found. */
  @Test
  void theLocaleThatTheLauncherFoundCounts() {
    assertThat(Host.unicode(Map.of("SLIPWAY_LOCALE", "C", "LC_CTYPE", "C.UTF-8"))).isFalse();
    assertThat(Host.unicode(Map.of("SLIPWAY_LOCALE", "", "LC_CTYPE", "C.UTF-8"))).isTrue();
    assertThat(Host.unicode(Map.of("LC_ALL", "POSIX", "LANG", "de_DE.UTF-8"))).isFalse();
    assertThat(Host.unicode(Map.of())).isTrue();
  }
}
