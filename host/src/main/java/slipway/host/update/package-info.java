/** Upgrade, switch, rollback, finalisation. Entry: {@code Host}. */
@org.jspecify.annotations.NullMarked
package slipway.host.update;
