package slipway.oci.registry;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** What a registry takes as proof of who asks. The text form never shows the secret. */
public sealed interface Credentials {
  /** Whom a message may name. */
  String user();

  /** A user with a password. */
  record Basic(String user, String password) implements Credentials {
    /** The value of an {@code Authorization} header (RFC 7617). */
    String header() {
      byte[] pair = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
      return "Basic " + Base64.getEncoder().encodeToString(pair);
    }

    @Override
    public String toString() {
      return "user " + user;
    }
  }

  /** A refresh token of a token service, which docker calls identity token. */
  record IdentityToken(String token) implements Credentials {
    @Override
    public String user() {
      return "(identity token)";
    }

    @Override
    public String toString() {
      return user();
    }
  }
}
