package slipway.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

class RunLimitsTest {
  @Test
  void memoryThatNoMachineHasIsWrongUsage() {
    for (String text : List.of("8388607t", "4194304t", "9223372036854775807")) {
      assertThatThrownBy(() -> RunLimits.size(text, "--memory"))
          .isInstanceOf(Problem.class)
          .hasMessage(
              "--memory is a size such as 512m or 2g, up to 4194303t, not \"" + text + "\"");
    }
    long most = RunLimits.size("4194303t", "--memory");
    ObjectNode resources = JsonNodeFactory.instance.objectNode();
    new RunLimits(most, 0, 0, 0, 0, "", "", 0, List.of()).writeResources(resources);
    assertThat(resources.at("/memory/swap").asLong()).isEqualTo(2 * most);
  }
}
