package slipway.host;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import slipway.base.Problem;
import slipway.oci.AuthFile;
import slipway.oci.CredentialSource;
import slipway.oci.Credentials;
import slipway.oci.ImageSource;
import slipway.oci.Reference;
import slipway.oci.Registries;
import slipway.oci.RegistriesConf;
import slipway.oci.RegistryOptions;
import slipway.oci.TransportRef;
import slipway.sysroot.ContainerReference;

/**
 * Images from registries, with the machine's own credentials ({@code /run/ostree/auth.json} and its
 * fellows) and its {@code registries.conf}; and from layouts and archives on a disk.
 */
final class MachineImages implements ImageSources {
  private final Path root;
  private final Map<String, String> variables;

  MachineImages(Path root, Map<String, String> variables) {
    this.root = root;
    this.variables = variables;
  }

  @Override
  public ImageSource open(ContainerReference image) throws IOException {
    if (image.signature() != ContainerReference.Signature.UNVERIFIED) {
      throw Problem.input(
          "the origin of "
              + image.name()
              + " asks for a signature check, which is not supported; switch without one");
    }
    if (!image.transport().equals("registry")) {
      String place = image.transport() + ":" + image.name();
      if (!TransportRef.hasTransport(place)) {
        throw Problem.input(
            "images of transport \""
                + image.transport()
                + "\" cannot be fetched; known are registry, oci, oci-archive, docker-archive and dir");
      }
      return TransportRef.parse(place).source(RegistryOptions.anonymous(variables));
    }
    RegistryOptions options =
        RegistryOptions.anonymous(variables)
            .withCredentials(new HostCredentials(AuthFile.host(root)));
    return new Registries(RegistriesConf.read(root, Map.of()), options, null)
        .source(Reference.parse(image.name()).orLatest());
  }

  /** The machine's credentials: whoever lacks some has no {@code slipway login} there. */
  private record HostCredentials(CredentialSource files) implements CredentialSource {
    @Override
    public Optional<Credentials> find(Reference repository) {
      return files.find(repository);
    }

    @Override
    public String advice(String registry) {
      return "put credentials for "
          + registry
          + " into /run/ostree/auth.json or, to keep them, /etc/ostree/auth.json; the first that"
          + " exists counts (its form: containers-auth.json(5))";
    }
  }
}
