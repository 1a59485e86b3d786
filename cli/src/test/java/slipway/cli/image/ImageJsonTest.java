package slipway.cli.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import slipway.oci.model.ImageConfig;
import tools.jackson.databind.json.JsonMapper;

/** What strangers wrote is no danger to a terminal, and the same text to who parses it. */
class ImageJsonTest {
  @Test
  void jsonStaysTheSameDocument() {
    String strange = "a\u001b]0;x\u0007\r\nerror: b\u009b2J\u202e\ud800";
    var line = new ImageConfig.History(null, strange, null, false);
    String text = ImageJson.history(List.of(new HistoryCommand.Step(line, 1)));
    assertThat(text.chars().filter(c -> c < 0x20 && c != '\n' || c > 0x7e)).isEmpty();
    assertThat(JsonMapper.shared().readTree(text).get(0).get("createdBy").asString())
        .isEqualTo(strange);
  }
}
