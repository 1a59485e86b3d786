/** What runs on a machine: status, upgrade, switch, rollback, finalise. */
@org.jspecify.annotations.NullMarked
package slipway.host;
