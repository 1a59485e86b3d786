package slipway.cli;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import slipway.oci.RegistryOptions;

/** How registries are reached: a mix-in with podman's options. */
final class RegistryAccess {
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
          "false: accept any certificate, and plain HTTP; loopback may always use plain HTTP")
  boolean tlsVerify = true;

  @Option(
      names = "--cert-dir",
      paramLabel = "DIR",
      description = "folder of *.crt, *.cert and *.key files")
  @Nullable Path certificates;

  RegistryOptions options() {
    RegistryOptions options =
        RegistryOptions.of(System.getenv(), authFile).withTlsVerify(tlsVerify);
    return certificates == null ? options : options.withCertificates(List.of(certificates));
  }
}
