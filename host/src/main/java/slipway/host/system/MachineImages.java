package slipway.host.system;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.config.auth.AuthFile;
import slipway.config.policy.SignaturePolicy;
import slipway.config.registries.Registries;
import slipway.config.registries.RegistriesConf;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Reference;
import slipway.oci.registry.CredentialSource;
import slipway.oci.registry.Credentials;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.transport.TransportRef;
import slipway.sysroot.state.ContainerReference;

/**
 * Images from registries, with the machine's own credentials ({@code /run/ostree/auth.json} and its
 * fellows) and its {@code registries.conf}; and from layouts and archives on a disk. What the
 * machine's {@code policy.json} demands holds for each of them, as for whatever containers/image
 * fetches; a machine without one demands nothing.
 */
public final class MachineImages implements ImageSources {
  private final Path root;
  private final Map<String, String> variables;
  private final Access access;

  public MachineImages(Path root, Map<String, String> variables) {
    this(root, variables, Access.OF_MACHINE);
  }

  /** As the machine does it, but for what somebody says. */
  public MachineImages(Path root, Map<String, String> variables, Access access) {
    this.root = root;
    this.variables = variables;
    this.access = access;
  }

  /**
   * How registries are reached.
   *
   * @param anonymous whether no credentials are used
   * @param authFile the only file with credentials, or null for the machine's
   * @param certificates a folder of certificates and keys, or null for those of certs.d
   * @param insecure whether any certificate is accepted, and plain HTTP
   */
  public record Access(
      boolean anonymous, @Nullable Path authFile, @Nullable Path certificates, boolean insecure) {
    /** As the machine's own files say. */
    public static final Access OF_MACHINE = new Access(false, null, null, false);
  }

  @Override
  public ImageSource open(ContainerReference image) throws IOException {
    return switch (image.signature()) {
      case UNVERIFIED -> obeyed(image);
      case CONTAINER_POLICY -> signed(image);
      case OSTREE_REMOTE ->
          throw Problem.input(
              "the origin of "
                  + image.name()
                  + " asks for a signature by the keys of an ostree remote, which is not supported;"
                  + " switch with --enforce-container-sigpolicy, or without");
    };
  }

  /** By the machine's policy, whatever else is said of how registries are reached. */
  private ImageSource signed(ContainerReference image) throws IOException {
    if (!image.transport().equals("registry")) {
      throw Problem.denied(
          image.image()
              + " must be signed, and signatures are kept by registries alone; take it from one");
    }
    SignaturePolicy policy = SignaturePolicy.read(root);
    Registries registries = registries();
    Reference name = Reference.parse(image.name()).orLatest();
    return policy.signed(registries.source(name), name, registries::source);
  }

  @Override
  public boolean isFree(Reference image) throws IOException {
    return SignaturePolicy.find(root).map(policy -> policy.accepts(image)).orElse(true);
  }

  /** One of which nobody said that it must be signed; the machine's policy may. */
  private ImageSource obeyed(ContainerReference image) throws IOException {
    Optional<SignaturePolicy> policy = SignaturePolicy.find(root);
    if (!image.transport().equals("registry")) {
      String place = image.transport() + ":" + image.name();
      if (!TransportRef.hasTransport(place)) {
        throw Problem.input(
            "images of transport \""
                + image.transport()
                + "\" cannot be fetched; known are registry, oci, oci-archive, docker-archive, dir and containers-storage");
      }
      TransportRef there = TransportRef.parse(place);
      if (policy.isPresent()) {
        policy.get().requireAccepted(there);
      }
      return there.source(RegistryOptions.anonymous(variables));
    }
    Registries registries = registries();
    Reference name = Reference.parse(image.name()).orLatest();
    ImageSource source = registries.source(name);
    return policy.map(p -> p.obeyed(source, name, registries::source)).orElse(source);
  }

  private Registries registries() throws IOException {
    return new Registries(
        RegistriesConf.read(root, Map.of()), options(), access.insecure() ? false : null);
  }

  /** How registries are reached by those who write to them, too. */
  public RegistryOptions options() {
    RegistryOptions options = RegistryOptions.anonymous(variables);
    if (access.certificates() != null) {
      options = options.withCertificates(List.of(access.certificates()));
    }
    if (access.anonymous()) {
      return options;
    }
    return options.withCredentials(
        access.authFile() == null
            ? new HostCredentials(AuthFile.host(root))
            : AuthFile.search(access.authFile(), variables));
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
