package slipway.ostree;

import java.nio.file.Files;
import java.nio.file.Path;
import slipway.linux.process.Command;

/** Reference tools that the distribution does not have; tools/peers fetches them. */
public final class Peers {
  private Peers() {}

  public static Command mkcomposefs() {
    return tool("composefs", "mkcomposefs");
  }

  public static Command composefsInfo() {
    return tool("composefs", "composefs-info");
  }

  /** An ostree that knows composefs. */
  public static Command ostree(Path repo, String... arguments) {
    return tool("ostree", "ostree").with("--repo=" + repo).with(arguments);
  }

  private static synchronized Command tool(String set, String name) {
    Path script = Path.of("tools/peers").toAbsolutePath();
    if (!Files.exists(script)) {
      script = Path.of("../tools/peers").toAbsolutePath().normalize();
    }
    return Command.of(Command.of(script.toString(), set).output() + "/" + name);
  }
}
