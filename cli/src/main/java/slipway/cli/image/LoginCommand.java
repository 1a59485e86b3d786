package slipway.cli.image;

import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.config.auth.AuthFile;
import slipway.oci.model.Reference;
import slipway.oci.registry.Credentials;
import slipway.oci.registry.RegistryOptions;

/**
 * {@code slipway login REGISTRY}: checks credentials and keeps them. A password never comes as an
 * argument.
 */
@Command(
    name = "login",
    mixinStandardHelpOptions = true,
    description = "Store credentials for a registry.",
    footer = "slipway login -u ann registry.example")
public final class LoginCommand implements Callable<Integer> {
  @Mixin RegistryAccess access = new RegistryAccess();

  @Option(
      names = {"-u", "--username"},
      paramLabel = "USER",
      description = "asked for on a terminal when not given")
  @Nullable String user;

  @Option(names = "--password-stdin", description = "read the password from standard input")
  boolean passwordStdin;

  @Parameters(paramLabel = "REGISTRY", description = "HOST[:PORT][/NAMESPACE]")
  String registry = "";

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Console console = System.console();
    if (user == null) {
      if (console == null) {
        throw Problem.usage("give the user with --username");
      }
      user = console.readLine("Username: ");
    }
    RegistryOptions options =
        access.anonymous().options(Reference.parse(registry + "/slipway-login"));
    AuthFile.forWriting(access.authFile, System.getenv())
        .login(registry, new Credentials.Basic(String.valueOf(user), password(console)), options);
    spec.commandLine().getOut().println("Login Succeeded!");
    return 0;
  }

  private String password(@Nullable Console console) throws IOException {
    if (passwordStdin) {
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      String line = in.readLine();
      if (line == null) {
        throw Problem.usage("--password-stdin was given but standard input is empty");
      }
      return line;
    }
    if (console == null) {
      throw Problem.usage("give the password with --password-stdin");
    }
    char[] password = console.readPassword("Password: ");
    return password == null ? "" : new String(password);
  }
}
