package slipway.media.kickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every verdict of pykickstart that was kept, and every message of it word for word. */
class KickstartVerdictTest {
  static List<Verdict> verdicts() throws IOException {
    return Verdict.all();
  }

  @Test
  void noneIsLost() throws IOException {
    assertThat(verdicts()).hasSize(192);
    assertThat(verdicts()).filteredOn(Verdict::taken).hasSizeBetween(60, 120);
  }

  @ParameterizedTest
  @MethodSource("verdicts")
  void weSayTheSame(Verdict verdict) {
    KickstartFile file = Verdict.read(verdict.text(), verdict.version());
    assertThat(Verdict.message(file)).isEqualTo(verdict.message());
    assertThat(file.isValid()).isEqualTo(verdict.taken());
  }
}
