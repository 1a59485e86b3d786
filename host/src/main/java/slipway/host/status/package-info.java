/**
 * What a machine tells of itself: bootc's document BootcHost, version 1.
 *
 * <pre>
 *  Sysroot: booted, staged, other deployments ─┐
 *  commit: manifest, config (ImageFacts) ──────┼▶ StatusReader ─▶ HostStatus ─┬▶ StatusDocument
 *  detached metadata: newer image seen ────────┘                              │  JSON, YAML
 *                                                                             └▶ StatusText
 * </pre>
 *
 * {@link slipway.host.status.JournalEntry} has the entries that tools look for in the journal.
 */
@org.jspecify.annotations.NullMarked
package slipway.host.status;
