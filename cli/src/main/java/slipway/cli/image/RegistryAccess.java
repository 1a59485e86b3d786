package slipway.cli.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import slipway.base.Problem;
import slipway.config.auth.AuthFile;
import slipway.config.registries.Registries;
import slipway.config.registries.RegistriesConf;
import slipway.oci.registry.RegistryOptions;

/** How registries are reached: a mix-in with podman's options. */
public final class RegistryAccess {
  @Option(
      names = "--authfile",
      paramLabel = "FILE",
      description = "credentials file (default: where podman looks)")
  @Nullable Path authFile;

  @Option(
      names = "--tls-verify",
      paramLabel = "BOOL",
      arity = "0..1",
      fallbackValue = "true",
      description =
          "false: accept any certificate, and plain HTTP; loopback may always use plain HTTP"
              + " (default: what registries.conf says of the registry, else true)")
  @Nullable Boolean tlsVerify;

  @Option(
      names = "--cert-dir",
      paramLabel = "DIR",
      description = "folder of *.crt, *.cert and *.key files")
  @Nullable Path certificates;

  /** Registries as {@code registries.conf} and the options want it, with the user's credentials. */
  public Registries registries() throws IOException {
    return registries(AuthFile.options(System.getenv(), authFile));
  }

  /**
   * As {@link #registries()}, of a command that has one of the options at most.
   *
   * @param tlsVerify null for what registries.conf says
   */
  public static Registries ofUser(@Nullable Boolean tlsVerify) throws IOException {
    RegistryAccess access = new RegistryAccess();
    access.tlsVerify = tlsVerify;
    return access.registries();
  }

  /** As {@link #registries()}, without credentials. */
  Registries anonymous() throws IOException {
    return registries(RegistryOptions.anonymous(System.getenv()));
  }

  /** How other servers than registries are reached; nobody is told who we are. */
  public RegistryOptions web() {
    RegistryOptions options =
        RegistryOptions.anonymous(System.getenv()).withTlsVerify(!Boolean.FALSE.equals(tlsVerify));
    return certificates == null ? options : options.withCertificates(List.of(certificates));
  }

  private Registries registries(RegistryOptions options) throws IOException {
    if (certificates != null && !Files.isDirectory(certificates)) {
      throw Problem.usage("--cert-dir " + certificates + " is not a folder");
    }
    return new Registries(
        RegistriesConf.read(Path.of("/"), System.getenv()),
        certificates == null ? options : options.withCertificates(List.of(certificates)),
        tlsVerify);
  }
}
