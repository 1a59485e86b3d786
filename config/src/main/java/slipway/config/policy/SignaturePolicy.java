package slipway.config.policy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import slipway.base.Problem;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Digest;
import slipway.oci.model.Reference;

/**
 * The machine's policy of signatures, {@code /etc/containers/policy.json}, for images that must be
 * signed: one that lets any image pass is refused itself.
 */
public final class SignaturePolicy {
  private static final String PLACE = "etc/containers/policy.json";

  /** What containers/image calls registries. */
  private static final String DOCKER = "docker";

  private final Path file;
  private final PolicyFile.Content content;

  private SignaturePolicy(Path file, PolicyFile.Content content) {
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
    Path file = root.resolve(PLACE);
    if (!Files.isRegularFile(file)) {
      throw Problem.input(
          "there is no policy "
              + file
              + ", which says whose signatures an image needs; write one"
              + " (containers-policy.json(5))");
    }
    return new SignaturePolicy(file, PolicyFile.read(root, file));
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
    // Of a name with tag and digest the digest alone says what is fetched; policies know no both.
    Digest digest = asked.digest();
    Reference image = digest == null ? asked : asked.withDigest(digest);
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
    return new SignedSource(source, image, requirements, signatures, file);
  }

  private static boolean acceptsAnything(List<Requirement> requirements) {
    return requirements.stream().allMatch(r -> r instanceof Requirement.AcceptAnything);
  }

  /** The requirements of the narrowest scope. */
  List<Requirement> requirements(Reference image) {
    Map<String, List<Requirement>> scopes = content.transports().getOrDefault(DOCKER, Map.of());
    for (String scope : scopes(image)) {
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
