package slipway.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import slipway.base.Problem;
import slipway.oci.model.Descriptor;
import slipway.oci.model.MediaTypes;
import slipway.oci.registry.Credentials;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;

/** What tests against a hostile registry share: a client without patience, a blob, a secret. */
abstract class HostileCase {
  static final Random RANDOM = Seeds.random("HostileRegistryTest");

  static final RegistryOptions OPTIONS =
      RegistryOptions.anonymous(Map.of())
          .withPatience(4, Duration.ofMillis(2), Duration.ofMillis(700));

  static final Credentials SECRET = new Credentials.Basic("joe", "s3cr3t");

  static final byte[] BLOB = blob();

  static final Descriptor DESCRIPTOR = Descriptor.of(MediaTypes.OCI_LAYER, BLOB);

  private static byte[] blob() {
    byte[] bytes = new byte[3_000_000];
    RANDOM.nextBytes(bytes);
    return bytes;
  }

  static AbstractThrowableAssert<?, ?> fails(Problem.Kind kind, ThrowingCallable call) {
    return assertThatThrownBy(call)
        .isInstanceOfSatisfying(Problem.class, p -> assertThat(p.kind()).isEqualTo(kind))
        .hasMessageNotContaining("s3cr3t");
  }

  static byte[] read(RegistryClient client) throws IOException {
    try (InputStream in = client.openBlob(DESCRIPTOR)) {
      return in.readAllBytes();
    }
  }
}
