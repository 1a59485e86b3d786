/** What a machine tells of itself: BootcHost, as JSON, YAML and text. */
@org.jspecify.annotations.NullMarked
package slipway.host.status;
