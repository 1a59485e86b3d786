package slipway.registry.api;

import java.util.Optional;
import slipway.base.Problem;
import slipway.oci.model.Digest;
import slipway.oci.model.Reference;
import slipway.registry.catalog.RegistryError;
import slipway.registry.catalog.RegistryError.Code;

/** Checks the names in URLs against the grammar that {@link Reference} and {@link Digest} have. */
final class Names {
  private Names() {}

  /**
   * @throws RegistryError NAME_INVALID
   */
  static String repository(String name) {
    try {
      return new Reference("localhost", name, null, null).repository();
    } catch (Problem e) {
      throw new RegistryError(Code.NAME_INVALID, String.valueOf(e.getMessage()));
    }
  }

  /**
   * @throws RegistryError DIGEST_INVALID
   */
  static Digest digest(String text) {
    try {
      return Digest.parse(text);
    } catch (Problem e) {
      throw new RegistryError(Code.DIGEST_INVALID, String.valueOf(e.getMessage()));
    }
  }

  static boolean isDigest(String reference) {
    return reference.indexOf(':') >= 0;
  }

  static Optional<String> tag(String text) {
    try {
      return Optional.ofNullable(new Reference("localhost", "name", text, null).tag());
    } catch (Problem e) {
      return Optional.empty();
    }
  }
}
