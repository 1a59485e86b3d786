package slipway.config.policy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Digest;
import slipway.oci.model.Reference;
import slipway.oci.transport.TransportRef;

/**
 * The machine's policy of signatures: {@code /etc/containers/policy.json}, else that of the vendor
 * in {@code /usr/share/containers}. Those of users do not count. It holds for what a machine
 * fetches to run; for an image that must be signed, a policy that lets any image pass is refused
 * itself.
 */
public final class SignaturePolicy {
  /** The first that is there counts. */
  private static final List<String> PLACES =
      List.of("etc/containers/policy.json", "usr/share/containers/policy.json");

  /** What containers/image calls registries. */
  private static final String DOCKER = "docker";

  private final Path root;
  private final Path file;
  private final PolicyFile.Content content;

  private SignaturePolicy(Path root, Path file, PolicyFile.Content content) {
    this.root = root;
    this.file = file;
    this.content = content;
  }

  /**
   * Reads it.
   *
   * @param root of the machine
   * @throws Problem of kind INPUT when there is none, or it cannot be
   */
  public static SignaturePolicy read(Path root) throws IOException {
    return find(root)
        .orElseThrow(
            () ->
                Problem.input(
                    "there is no policy "
                        + root.resolve(PLACES.getFirst())
                        + ", which says whose signatures an image needs; write one"
                        + " (containers-policy.json(5))"));
  }

  /**
   * Reads that of a machine which need not have one.
   *
   * @param root of the machine
   * @throws Problem of kind INPUT when it cannot be read
   */
  public static Optional<SignaturePolicy> find(Path root) throws IOException {
    for (String place : PLACES) {
      Path file = root.resolve(place);
      if (isThere(file)) {
        return Optional.of(new SignaturePolicy(root, file, PolicyFile.read(root, file)));
      }
    }
    return Optional.empty();
  }

  /**
   * Whether a file has this name; one that cannot be reached is no reason to do without.
   *
   * @throws Problem of kind INPUT for a link that leads nowhere
   */
  private static boolean isThere(Path file) throws IOException {
    try {
      Files.readAttributes(file, BasicFileAttributes.class);
      return true;
    } catch (NoSuchFileException e) {
      for (Path link : List.of(file, java.util.Objects.requireNonNull(file.getParent()))) {
        if (Files.isSymbolicLink(link) && !Files.exists(link)) {
          throw Problem.input(
              "the policy "
                  + file
                  + " cannot be read: "
                  + link
                  + " is a link that leads nowhere;"
                  + " mend it, or remove it to do without this policy");
        }
      }
      return false;
    }
  }

  /**
   * A source of an image of which nobody said that it must be signed: what the policy demands of
   * its name holds all the same, and one that demands nothing lets it pass.
   *
   * @param source of the image; closed with the result
   * @param asked for; a tag beside a digest does not count
   * @param signatures opens another name of the image's registry, where its signatures are
   */
  public ImageSource obeyed(
      ImageSource source, Reference asked, SignedSource.Signatures signatures) {
    Reference image = byDigest(asked);
    return accepts(image) ? source : signed(source, image, requirements(image), signatures);
  }

  /** Whether the policy demands nothing of an image of this name. */
  public boolean accepts(Reference asked) {
    return acceptsAnything(requirements(byDigest(asked)));
  }

  /**
   * Requires that an image may come from a place where no signatures are kept.
   *
   * @param place which is no registry
   * @throws Problem of kind DENIED
   */
  public void requireAccepted(TransportRef place) throws IOException {
    String text = place.toString();
    String transport = text.substring(0, text.indexOf(':'));
    if (!acceptsAnything(requirements(transport, place))) {
      throw Problem.denied(
          Printable.text(text)
              + " is refused: the policy "
              + file
              + " rejects it or demands a signature, and signatures are kept by registries alone;"
              + " take it from one, or accept the transport \""
              + transport
              + "\" there");
    }
  }

  private List<Requirement> requirements(String transport, TransportRef place) throws IOException {
    if (place instanceof TransportRef.Podman) {
      // Scopes name the store's driver and folder, too, which nobody is told: all of them count.
      List<Requirement> all = new ArrayList<>(requirements(transport, List.of()));
      content.transports().getOrDefault(transport, Map.of()).values().forEach(all::addAll);
      return all;
    }
    List<String> scopes = new ArrayList<>();
    for (Path path : place.places()) {
      scopes.addAll(pathScopes(path));
    }
    return requirements(transport, scopes);
  }

  /**
   * The place itself and the folders that it is in, narrowest first; as containers/image, without
   * links, and without the image's name.
   */
  private static List<String> pathScopes(Path place) throws IOException {
    List<String> scopes = new ArrayList<>();
    for (Path path = real(place); path != null && path.getParent() != null; ) {
      scopes.add(path.toString());
      path = path.getParent();
    }
    return scopes;
  }

  /** Of one that is not there nothing can be taken, so that its name will do. */
  private static Path real(Path place) throws IOException {
    try {
      return place.toRealPath();
    } catch (NoSuchFileException e) {
      return place.toAbsolutePath().normalize();
    }
  }

  /** Of a name with tag and digest the digest says what is fetched; policies know no both. */
  private static Reference byDigest(Reference asked) {
    Digest digest = asked.digest();
    return digest == null ? asked : asked.withDigest(digest);
  }

  /**
   * A source that gives the image only when it is signed as the policy demands. A policy that
   * demands no signature is refused: one that accepts anything by default, as the reference does,
   * and one that accepts this very image unsigned.
   *
   * @param source of the image; closed with the result
   * @param asked for; a tag beside a digest does not count
   * @param signatures opens another name of the image's registry, where its signatures are
   * @throws Problem of kind DENIED for such a policy
   */
  public ImageSource signed(
      ImageSource source, Reference asked, SignedSource.Signatures signatures) {
    Reference image = byDigest(asked);
    if (acceptsAnything(content.otherwise())) {
      throw Problem.denied(
          "the policy "
              + file
              + " accepts anything by default (insecureAcceptAnything), so that it enforces"
              + " nothing; make its default \"reject\"");
    }
    List<Requirement> requirements = requirements(image);
    if (acceptsAnything(requirements)) {
      throw Problem.denied(
          "the policy " + file + " accepts " + image + " unsigned; demand a signature there");
    }
    return signed(source, image, requirements, signatures);
  }

  private ImageSource signed(
      ImageSource source,
      Reference image,
      List<Requirement> requirements,
      SignedSource.Signatures signatures) {
    AttachedSignatures attached = new AttachedSignatures(root, scopes(image));
    return new SignedSource(source, image, requirements, signatures, file, attached);
  }

  private static boolean acceptsAnything(List<Requirement> requirements) {
    return requirements.stream().allMatch(r -> r instanceof Requirement.AcceptAnything);
  }

  /** The requirements of the narrowest scope. */
  List<Requirement> requirements(Reference image) {
    return requirements(DOCKER, scopes(image));
  }

  private List<Requirement> requirements(String transport, List<String> narrowestFirst) {
    Map<String, List<Requirement>> scopes = content.transports().getOrDefault(transport, Map.of());
    for (String scope : narrowestFirst) {
      List<Requirement> found = scopes.get(scope);
      if (found != null) {
        return found;
      }
    }
    return Optional.ofNullable(scopes.get("")).orElse(content.otherwise());
  }

  /**
   * Narrowest first: the whole name, its namespaces, its host with its port, and without that the
   * domains that it is in.
   */
  private static List<String> scopes(Reference image) {
    List<String> scopes = new ArrayList<>(List.of(image.toString()));
    String name = image.name();
    scopes.add(name);
    for (int slash; (slash = name.lastIndexOf('/')) > 0; ) {
      name = name.substring(0, slash);
      scopes.add(name);
    }
    String domain = name.replaceFirst(":[0-9]+$", "");
    for (int dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      scopes.add("*" + domain.substring(dot));
    }
    return scopes;
  }
}
