package slipway.config.policy;

import java.security.PublicKey;
import java.util.List;
import java.util.Optional;
import slipway.oci.model.Reference;

/** What an entry of the policy demands of an image. */
sealed interface Requirement {
  /** Nothing. */
  record AcceptAnything() implements Requirement {}

  /** What no image has. */
  record Reject() implements Requirement {}

  /**
   * What nobody here can check, so that no image has it.
   *
   * @param what in words, such as {@code signatures of GPG}
   */
  record Unknown(String what) implements Requirement {}

  /**
   * A signature by one of the keys.
   *
   * @param identity which name the signed payload must have
   */
  record Signed(List<PublicKey> keys, Identity identity) implements Requirement {}

  /** Which name a signature must be for. */
  sealed interface Identity {
    /** That of the image, tag or digest included. */
    record Exact() implements Identity {}

    /** That of the image; of one that is asked for by digest the repository suffices. */
    record RepositoryOrExact() implements Identity {}

    /** That of the image's repository. */
    record Repository() implements Identity {}

    /** This one, whatever the image is called. */
    record ExactReference(Reference reference) implements Identity {}

    /** This repository, whatever the image is called. */
    record ExactRepository(String repository) implements Identity {}

    /** The image's name with its beginning replaced, else as {@link RepositoryOrExact}. */
    record Remapped(String prefix, String signedPrefix) implements Identity {}

    /**
     * Whether a signature for one name is one for an image of another.
     *
     * @param signed the name in the payload
     * @param image the name that is asked for
     */
    default boolean accepts(String signed, Reference image) {
      Optional<Reference> parsed = parse(signed);
      if (parsed.isEmpty()) {
        return false;
      }
      Reference name = parsed.get();
      return switch (this) {
        case Exact e -> same(name, image);
        case RepositoryOrExact r -> repositoryOrExact(name, image);
        case Repository r -> name.name().equals(image.name());
        case ExactReference e -> same(name, e.reference());
        case ExactRepository e -> name.name().equals(e.repository());
        case Remapped r -> remapped(r, image).map(i -> repositoryOrExact(name, i)).orElse(false);
      };
    }

    private static Optional<Reference> parse(String text) {
      try {
        return Optional.of(Reference.parse(text));
      } catch (slipway.base.Problem e) {
        return Optional.empty();
      }
    }

    /** Names without tag and digest are those of no image. */
    private static boolean same(Reference signed, Reference image) {
      return (signed.tag() != null || signed.digest() != null)
          && signed.toString().equals(image.toString());
    }

    private static boolean repositoryOrExact(Reference signed, Reference image) {
      return image.tag() == null && image.digest() != null
          ? signed.name().equals(image.name())
          : same(signed, image);
    }

    private static Optional<Reference> remapped(Remapped rule, Reference image) {
      String name = image.name();
      String prefix = rule.prefix();
      if (!name.equals(prefix) && !name.startsWith(prefix + "/")) {
        return Optional.of(image);
      }
      return parse(rule.signedPrefix() + image.toString().substring(prefix.length()));
    }
  }
}
