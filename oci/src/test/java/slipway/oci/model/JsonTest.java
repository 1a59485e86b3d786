package slipway.oci.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class JsonTest {
  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "{\"a\":[1,2147483648,9223372036854775808,-5,1.5,1e3,true,false,null,\"x\"],\"b\":{\"c\":{}}}",
        "{\"/\":\"</a>\\u0000\\u001f\\\"\\\\\\n\\u2028ä𝄞\",\"\":\"\"}",
        " [ {\"b\" : 1, \"a\" : [ ] } ] ",
        "\"text\"",
        "17",
        "[9991e99999999999999999999,-1e999999999,1e-999999999999,0.1]"
      })
  void readsAndWritesAsTheMapperDoes(String text) {
    JsonMapper mapper = JsonMapper.shared();
    JsonNode expected = mapper.readTree(text);
    assertThat(Json.write(expected)).asString().isEqualTo(mapper.writeValueAsString(expected));
    assertThat(Json.write(Json.read(bytes(text))))
        .isEqualTo(Json.write(Json.read(text)))
        .asString()
        .isEqualTo(mapper.writeValueAsString(Json.read(text)));
    assertThat(Json.read(text)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "[1",
        "[1,]",
        "{\"a\":}",
        "{\"a\":1,\"a\":2}",
        "{} {}",
        "[]]",
        "nul",
        "{]",
        "01"
      })
  void refusesWhatIsNoDocument(String text) {
    assertThatThrownBy(() -> Json.read(bytes(text))).isInstanceOf(JacksonException.class);
    assertThatThrownBy(() -> Json.read(text)).isInstanceOf(JacksonException.class);
  }

  @Test
  void boundsTheLengthOfNumbers() {
    assertThatThrownBy(() -> Json.read("9".repeat(5000))).isInstanceOf(JacksonException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 100_000})
  void boundsTheDepth(int depth) {
    String text = "[".repeat(depth) + "]".repeat(depth);
    if (depth < 500) {
      assertThat(Json.write(Json.read(text))).asString().isEqualTo(text);
    } else {
      assertThatThrownBy(() -> Json.read(text)).isInstanceOf(JacksonException.class);
    }
  }
}
