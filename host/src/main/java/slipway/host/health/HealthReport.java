package slipway.host.health;

import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.host.status.HealthRecord;
import slipway.host.system.FailedUnit;

/**
 * How the system is that runs, and what is known of new deployments.
 *
 * @param reason why the start did not go well, else empty
 * @param units that failed and that the end of the start waits for
 * @param trial of the deployment that boots next, or null
 * @param rollback the last time that the machine went back by itself, or null
 * @param tries how many the next new deployment will have
 */
public record HealthReport(
    State state,
    String reason,
    List<HealthCheck> checks,
    List<FailedUnit> units,
    @Nullable Trial trial,
    HealthRecord.@Nullable Rollback rollback,
    int tries) {
  public HealthReport {
    checks = List.copyOf(checks);
    units = List.copyOf(units);
  }

  /** How the system that runs is. */
  public enum State {
    /** It started, and all checks that must pass have. */
    HEALTHY,
    UNHEALTHY,
    /** The start has not come to its end yet. */
    PENDING
  }

  /**
   * A deployment that has not shown yet that it is healthy.
   *
   * @param image its digest, else its commit
   * @param left tries that are left; 0 when the next start is another deployment's
   * @param booted whether it is the one that runs
   * @param countedByLoader whether the boot loader counts, and a start that ends before there is a
   *     userspace is noticed too
   */
  public record Trial(String image, int tries, int left, boolean booted, boolean countedByLoader) {}
}
