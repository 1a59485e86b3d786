package slipway.cli.machine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.ostree.container.SealedRoot;

/** {@code bootc container compute-composefs-digest}. */
@Command(
    name = "compute-composefs-digest",
    mixinStandardHelpOptions = true,
    description = "Print the digest that a sealed kernel of this root carries.",
    footer = "bootc container compute-composefs-digest /target")
final class ContainerDigest implements Callable<Integer> {
  @Parameters(
      paramLabel = "DIR",
      arity = "0..1",
      defaultValue = "/target",
      description = "root of the image, mounted (default: ${DEFAULT-VALUE})")
  Path root = Path.of("/target");

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (root.toAbsolutePath().normalize().equals(Path.of("/"))) {
      throw Problem.usage(
          "the running root changes while it is read; mount the image elsewhere and name that");
    }
    var out = spec.commandLine().getOut();
    out.println(SealedRoot.digest(ContainerCommand.tree(root, "DIR")));
    out.flush();
    return 0;
  }
}
