package slipway.host.system;

/**
 * A unit of systemd's that failed and that the end of the start ({@code boot-complete.target})
 * waits for.
 *
 * @param required whether the target requires it, and does not only want it
 */
public record FailedUnit(String name, boolean required) {}
