package slipway.oci.registry;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * How to talk to registries.
 *
 * @param credentials who we are, asked only when a registry wants to know
 * @param tlsVerify false: accept any certificate, and plain HTTP when there is no TLS
 * @param certificates directories that hold a directory for each registry, named {@code
 *     HOST[:PORT]}, with {@code *.crt} (authorities) and {@code x.cert} with {@code x.key}
 *     (client), as containers-certs.d(5) has it; the first that has one for the registry counts
 * @param attempts how often a request is made before its failure counts, at least 1
 * @param backoff wait after the first failure; doubles each time, with jitter
 * @param longestWait no single wait is longer, whatever the registry asks for
 * @param stall a peer that sends or takes nothing for this long counts as failed
 * @param environment where the proxy variables are looked up
 * @param random for jitter; used by several threads
 * @param clock for the age of tokens
 */
@RecordBuilder
public record RegistryOptions(
    CredentialSource credentials,
    boolean tlsVerify,
    List<Path> certificates,
    int attempts,
    Duration backoff,
    Duration longestWait,
    Duration stall,
    Map<String, String> environment,
    RandomGenerator random,
    InstantSource clock)
    implements RegistryOptionsBuilder.With {
  public RegistryOptions {
    certificates = List.copyOf(certificates);
    environment = Map.copyOf(environment);
    if (attempts < 1) {
      throw new IllegalArgumentException("at least one attempt");
    }
  }

  /**
   * The usual, without credentials: proxies as podman finds them in this environment, TLS verified,
   * five attempts.
   */
  public static RegistryOptions anonymous(Map<String, String> environment) {
    List<Path> certificates = new ArrayList<>();
    String config = environment.get("XDG_CONFIG_HOME");
    String home = environment.get("HOME");
    if (config != null && !config.isEmpty()) {
      certificates.add(Path.of(config, "containers", "certs.d"));
    } else if (home != null) {
      certificates.add(Path.of(home, ".config", "containers", "certs.d"));
    }
    certificates.add(Path.of("/etc/containers/certs.d"));
    certificates.add(Path.of("/etc/docker/certs.d"));
    return RegistryOptionsBuilder.builder()
        .credentials(CredentialSource.ANONYMOUS)
        .tlsVerify(true)
        .certificates(certificates)
        .attempts(5)
        .backoff(Duration.ofMillis(250))
        .longestWait(Duration.ofMinutes(1))
        .stall(Duration.ofMinutes(1))
        .environment(environment)
        // The default generator is for one thread.
        .random(() -> ThreadLocalRandom.current().nextLong())
        .clock(InstantSource.system())
        .build();
  }

  /** With other patience; see the record's parameters. */
  public RegistryOptions withPatience(int attempts, Duration backoff, Duration stall) {
    return with(o -> o.attempts(attempts).backoff(backoff).stall(stall));
  }

  /**
   * How long to wait before another attempt.
   *
   * @param failures so far, from 1
   * @param asked what the registry wants, or null
   */
  Duration delay(int failures, @Nullable Duration asked) {
    long own = backoff.toMillis() << Math.min(failures - 1, 10);
    long jittered = own + (own == 0 ? 0 : random.nextLong(own / 2 + 1));
    long wanted = asked == null ? jittered : Math.max(asked.toMillis(), jittered);
    return Duration.ofMillis(Math.min(wanted, longestWait.toMillis()));
  }
}
