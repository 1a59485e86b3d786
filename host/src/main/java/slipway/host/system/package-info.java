/** What a machine is to the agent: its root, registries, systemd. */
@org.jspecify.annotations.NullMarked
package slipway.host.system;
