package slipway.oci.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.List;
import org.junit.jupiter.api.Test;
import slipway.oci.model.Json;
import tools.jackson.databind.node.JsonNodeFactory;

class ErrorAnswerTest {
  @Test
  void whatARegistrySaysHasNothingThatATerminalObeys() {
    assertThat(ErrorAnswer.read(InputStream.nullInputStream()).suffix()).isEmpty();
    for (String evil : List.of("\u001b[2J", "\u0007", "\u202e", "\r\nx")) {
      var answer = JsonNodeFactory.instance.objectNode();
      answer.putArray("errors").addObject().put("code", "X").put("message", evil);
      String said = ErrorAnswer.read(new ByteArrayInputStream(Json.write(answer))).suffix();
      assertThat(said).matches("[\\x20-\\x7e…]+");
    }
  }
}
