/**
 * Whether the system that started is well, and what comes of it when it is not. The units of the
 * same names call this; {@code sysroot} begins a trial when a new deployment becomes the default.
 *
 * <pre>
 *  GRUB, systemd-boot                takes one of the tries, or starts the deployment before
 *    │
 *  slipway-boot-attempt.service      only where GRUB does not count: takes the try, or sees what
 *    │                               systemd-boot took
 *    │
 *  slipway-health.service            CheckScripts ─▶ /run/slipway/health; fails with one that must
 *    │                               pass
 *  boot-complete.target              waits for it and for all units that it requires
 *    ├─ reached ─▶ slipway-healthy.service     BootHealth.healthy: the trial is over
 *    └─ failed ──▶ slipway-unhealthy.service   BootHealth.unhealthy: the next try, or back to the
 *                                              deployment before
 *
 *  bootc health ─▶ BootHealth.report ─▶ HealthReport ─▶ text, JSON
 * </pre>
 *
 * Entry: {@link slipway.host.health.BootHealth}.
 */
@org.jspecify.annotations.NullMarked
package slipway.host.health;
