package slipway.host.status;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.function.Consumer;
import slipway.base.AtomicFile;
import slipway.base.KeyFile;
import slipway.base.Printable;
import slipway.base.RawText;
import slipway.sysroot.state.Deployment;

/**
 * What a machine remembers of starts that did not go well: the key file {@code
 * ostree/slipway-health.conf}. It stands outside of deployments, so that the one that is gone back
 * to can tell of the other. A value; keys that we do not know are kept.
 *
 * <pre>
 *  [failure]    deployment=S/COMMIT.M  time=…  reason=…                why the last start failed
 *  [rollback]   deployment=S/COMMIT.M  time=…  reason=…  from=…  to=…  digests, else checksums
 * </pre>
 *
 * @param file the key file
 */
public record HealthRecord(KeyFile file) {
  private static final String FAILURE = "failure";
  private static final String ROLLBACK = "rollback";
  private static final String DEPLOYMENT = "deployment";
  private static final String TIME = "time";
  private static final String REASON = "reason";
  private static final String FROM = "from";
  private static final String TO = "to";

  /**
   * That a machine went back by itself.
   *
   * @param deployment that it turned away from: stateroot, slash, the directory's name
   * @param from digest of that one's image, else its commit
   * @param to what it went back to, likewise
   * @param time RFC 3339
   * @param reason a sentence without a full stop
   */
  public record Rollback(String deployment, String from, String to, String time, String reason) {
    /** Whether a deployment is the one that was turned away from. */
    public boolean isFrom(Deployment other) {
      return deployment.equals(name(other));
    }
  }

  private static Path path(Path root) {
    return root.resolve("ostree/slipway-health.conf");
  }

  private static String name(Deployment deployment) {
    return deployment.stateroot() + "/" + deployment.id();
  }

  /** Reads what a sysroot remembers; nothing of a file that is missing or cannot be read. */
  public static HealthRecord read(Path root) {
    return new HealthRecord(KeyFile.readable(path(root)));
  }

  /**
   * Puts it in force: the rename does. What cannot be read is kept beside it.
   *
   * @param warnings is told of that
   */
  public void write(Path root, Consumer<String> warnings) throws IOException {
    KeyFile.setDamagedAside(path(root), warnings);
    AtomicFile.write(path(root), RawText.encode(file.toString()));
  }

  /** Why a deployment failed when it was started last. */
  public Optional<String> failureOf(Deployment deployment) {
    return file.get(FAILURE, DEPLOYMENT).equals(Optional.of(name(deployment)))
        ? file.get(FAILURE, REASON)
        : Optional.empty();
  }

  /** With the failure of a start. */
  public HealthRecord withFailure(Deployment deployment, String reason, Instant time) {
    return new HealthRecord(about(FAILURE, deployment, reason, time));
  }

  /** The last time that the machine went back by itself, until another deployment proved well. */
  public Optional<Rollback> rollback() {
    return file.get(ROLLBACK, DEPLOYMENT)
        .map(
            deployment ->
                new Rollback(
                    deployment,
                    file.get(ROLLBACK, FROM).orElse(""),
                    file.get(ROLLBACK, TO).orElse(""),
                    file.get(ROLLBACK, TIME).orElse(""),
                    file.get(ROLLBACK, REASON).orElse("")));
  }

  /** With a way back, from a deployment whose image is {@code from}. */
  public HealthRecord withRollback(
      Deployment bad, String from, String to, String reason, Instant time) {
    return new HealthRecord(
        about(ROLLBACK, bad, reason, time).with(ROLLBACK, FROM, from).with(ROLLBACK, TO, to));
  }

  private KeyFile about(String group, Deployment deployment, String reason, Instant time) {
    return file.with(group, DEPLOYMENT, name(deployment))
        .with(group, TIME, time.truncatedTo(ChronoUnit.SECONDS).toString())
        .with(group, REASON, Printable.text(reason));
  }

  /** Without either, once a deployment has proved well; nothing to write when that changes none. */
  public Optional<HealthRecord> forgotten() {
    return file.groups().contains(FAILURE) || file.groups().contains(ROLLBACK)
        ? Optional.of(new HealthRecord(file.withoutGroup(FAILURE).withoutGroup(ROLLBACK)))
        : Optional.empty();
  }
}
