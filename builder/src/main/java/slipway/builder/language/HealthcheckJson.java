package slipway.builder.language;

import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The healthcheck of an image's configuration (Docker image-spec v1.2, "Healthcheck"). */
public final class HealthcheckJson {
  private HealthcheckJson() {}

  public static ObjectNode of(Instruction.Healthcheck check, List<String> shell) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    ArrayNode test = node.putArray("Test");
    Instruction.CommandLine command = check.command();
    if (command == null) {
      test.add("NONE");
      return node;
    }
    if (command.exec()) {
      test.add("CMD");
    } else if (shell.equals(List.of("/bin/sh", "-c"))) {
      test.add("CMD-SHELL");
    } else {
      // CMD-SHELL means /bin/sh; another SHELL has to be named.
      test.add("CMD");
      shell.forEach(test::add);
    }
    command.words().forEach(test::add);
    check.nanoseconds().forEach(node::put);
    if (check.retries() > 0) {
      node.put("Retries", check.retries());
    }
    return node;
  }
}
