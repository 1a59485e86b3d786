package slipway.cli.machine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.host.deployment.Deployments;
import slipway.host.status.DeploymentChoice;
import slipway.host.system.HostEnvironment;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** The verbs that say which of a machine's deployments stay: pin, unpin, delete, keep. */
public final class DeploymentCommand {
  /** The label of a deployment. */
  static final String WHICH = "INDEX|CHECKSUM";

  /** How a deployment is named, see {@link DeploymentChoice}. */
  static final String HOW =
      "its index as bootc status -v and ostree admin status count, the beginning of its commit or"
          + " its image's digest, or booted, staged, rollback";

  private DeploymentCommand() {}

  private static JsonNode json(Deployments.Named deployment) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("index", deployment.index())
        .put("stateroot", deployment.stateroot())
        .put("checksum", deployment.commit())
        .put("deploySerial", deployment.serial())
        .put("image", deployment.image())
        .put("pinned", deployment.pinned());
  }

  /** Both verbs of pins. */
  abstract static class Pinning implements Callable<Integer> {
    private final boolean pinned;

    @Option(names = "--json", description = "tell as JSON what was done")
    boolean json;

    @Parameters(paramLabel = WHICH, arity = "0..1", description = HOW + " (default: booted)")
    String which = "booted";

    @Spec @Nullable CommandSpec spec;

    Pinning(boolean pinned) {
      this.pinned = pinned;
    }

    @Override
    public Integer call() throws Exception {
      return Bootc.work(
          Objects.requireNonNull(spec),
          json,
          host -> json(new Deployments(host).pin(which, pinned)));
    }
  }

  /** {@code bootc pin}. */
  @Command(
      name = "pin",
      mixinStandardHelpOptions = true,
      description = "Keep a deployment whatever comes.",
      footer = {"bootc pin", "bootc pin 1"})
  public static final class Pin extends Pinning {
    public Pin() {
      super(true);
    }
  }

  /** {@code bootc unpin}. */
  @Command(
      name = "unpin",
      mixinStandardHelpOptions = true,
      description = "Let a pinned deployment go when its time comes.",
      footer = {"bootc unpin", "bootc unpin 1"})
  public static final class Unpin extends Pinning {
    public Unpin() {
      super(false);
    }
  }

  /** {@code bootc delete}. */
  @Command(
      name = "delete",
      mixinStandardHelpOptions = true,
      description = "Remove a deployment that is not booted, and what it alone needs.",
      footer = {"bootc delete 2", "bootc delete --rollback", "bootc delete --staged --json"})
  public static final class Delete implements Callable<Integer> {
    @Option(names = "--rollback", description = "the one that bootc rollback would go to")
    boolean rollback;

    @Option(names = "--staged", description = "the one that waits for the shutdown")
    boolean staged;

    @Option(names = "--json", description = "tell as JSON what was done")
    boolean json;

    @Parameters(paramLabel = WHICH, arity = "0..1", description = HOW)
    @Nullable String which;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      List<String> named = new ArrayList<>();
      if (which != null) {
        named.add(which);
      }
      if (rollback) {
        named.add("rollback");
      }
      if (staged) {
        named.add("staged");
      }
      if (named.size() != 1) {
        throw Problem.usage(
            "delete needs to know which deployment: its index or checksum, --rollback or --staged,"
                + " and one of them");
      }
      return Bootc.work(spec, json, host -> json(new Deployments(host).delete(named.getFirst())));
    }
  }

  /** {@code bootc keep}. */
  @Command(
      name = "keep",
      mixinStandardHelpOptions = true,
      description = "Set how many deployments stay beside the booted one, or tell it.",
      footer = {"bootc keep 3", "bootc keep --json"})
  public static final class Keep implements Callable<Integer> {
    @Option(names = "--json", description = "tell it as JSON")
    boolean json;

    @Parameters(
        paramLabel = "N",
        arity = "0..1",
        description = "1 to 99, pinned ones not counted; bootc's own number is 1")
    @Nullable Integer number;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      return Bootc.work(spec, json, this::keep);
    }

    private JsonNode keep(HostEnvironment host) throws IOException {
      Deployments deployments = new Deployments(host);
      if (number == null) {
        host.out().accept(Integer.toString(deployments.keep()));
      } else {
        deployments.keep(number);
      }
      return JsonNodeFactory.instance.objectNode().put("keep", deployments.keep());
    }
  }
}
