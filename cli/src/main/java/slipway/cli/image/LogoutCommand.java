package slipway.cli.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.config.auth.AuthFile;

/** {@code slipway logout REGISTRY}. */
@Command(
    name = "logout",
    mixinStandardHelpOptions = true,
    description = "Forget the credentials of a registry.",
    footer = "slipway logout registry.example")
public final class LogoutCommand implements Callable<Integer> {
  @Option(names = "--authfile", paramLabel = "FILE", description = "credentials file")
  @Nullable Path authFile;

  @Option(
      names = {"-a", "--all"},
      description = "forget all of them")
  boolean all;

  @Parameters(arity = "0..1", paramLabel = "REGISTRY", description = "HOST[:PORT][/NAMESPACE]")
  @Nullable String registry;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    AuthFile file = AuthFile.forWriting(authFile, System.getenv());
    if (all) {
      file.logoutAll();
      return 0;
    }
    if (registry == null) {
      throw Problem.usage("name the registry, or give --all");
    }
    if (!file.logout(registry)) {
      throw Problem.notFound("not logged in to " + registry + " by " + file.path());
    }
    spec.commandLine()
        .getOut()
        .println("Removed login credentials for " + Printable.text(registry));
    return 0;
  }
}
