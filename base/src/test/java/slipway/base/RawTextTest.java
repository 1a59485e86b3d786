package slipway.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Bytes that are no text survive being text. */
class RawTextTest {
  @Test
  void keepsBytesThatAreNoText() {
    byte[] bytes = "café 😀".getBytes(StandardCharsets.UTF_8);
    assertThat(RawText.decode(bytes)).isEqualTo("café 😀");
    assertThat(RawText.encode("café 😀")).isEqualTo(bytes);
    byte[] latin = "/srv/café xfs".getBytes(StandardCharsets.ISO_8859_1);
    String text = RawText.decode(latin);
    assertThat(text).isEqualTo("/srv/caf\udce9 xfs");
    assertThat(RawText.encode(text)).isEqualTo(latin);
    assertThat(Printable.text(text)).isEqualTo("/srv/caf\\udce9 xfs");
  }

  @Test
  void onlyALineFeedEndsALine() {
    assertThat(RawText.lines("")).isEmpty();
    assertThat(RawText.lines("\n")).containsExactly("");
    assertThat(RawText.lines("a\rb\r\n\nc")).containsExactly("a\rb\r", "", "c");
  }

  @Test
  void givesAnyBytesBack() {
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      byte[] bytes = new byte[random.nextInt(40)];
      random.nextBytes(bytes);
      assertThat(RawText.encode(RawText.decode(bytes))).isEqualTo(bytes);
    }
    // A surrogate in UTF-8, an overlong slash, an end in the middle of a character.
    byte[] odd = {(byte) 0xed, (byte) 0xa0, (byte) 0x80, (byte) 0xc0, (byte) 0xaf, (byte) 0xe2, 0};
    assertThat(RawText.encode(RawText.decode(odd))).isEqualTo(odd);
    byte[] end = {'a', (byte) 0xe2, (byte) 0x82};
    assertThat(RawText.encode(RawText.decode(end))).isEqualTo(end);
  }
}
