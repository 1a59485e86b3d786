package slipway.oci.registry;

import java.util.Optional;
import slipway.oci.model.Reference;

/** Knows credentials for repositories, such as the reader of auth.json does. */
public interface CredentialSource {
  /** Knows none. */
  CredentialSource ANONYMOUS = repository -> Optional.empty();

  /**
   * Credentials for a repository, the most specific ones.
   *
   * @throws slipway.base.Problem when the place where they lie cannot be read
   */
  Optional<Credentials> find(Reference repository);

  /** What a person does to add credentials for a registry; ends a sentence. */
  default String advice(String registry) {
    return "slipway login " + registry;
  }

  /** Always the same ones, such as those of {@code --creds}. */
  static CredentialSource of(Credentials credentials) {
    return repository -> Optional.of(credentials);
  }
}
