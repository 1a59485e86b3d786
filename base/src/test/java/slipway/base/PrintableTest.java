package slipway.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrintableTest {
  @Test
  void honestTextIsTheSameObject() {
    String text = "Überraschung 船 🚢 \"x\" \\n";
    assertThat(Printable.text(text)).isSameAs(text);
  }

  @ParameterizedTest
  @CsvSource({
    "0a, \\n",
    "0d, \\r",
    "09, \\t",
    "00, \\x00",
    "1b, \\x1b",
    "7f, \\x7f",
    "9b, \\x9b", // CSI in one byte
    "ad, \\xad", // soft hyphen, invisible
    "200b, \\u200b",
    "202e, \\u202e", // turns what follows around
    "2028, \\u2028",
    "2029, \\u2029",
    "d800, \\ud800", // a lone surrogate
    "e0041, \\ue0041" // an invisible tag
  })
  void whatATerminalObeysIsWrittenOut(String hex, String shown) {
    String bad =
        Integer.parseInt(hex, 16) == 0xd800
            ? "\ud800"
            : Character.toString(Integer.parseInt(hex, 16));
    assertThat(Printable.text("a" + bad + "b船")).isEqualTo("a" + shown + "b船");
  }
}
