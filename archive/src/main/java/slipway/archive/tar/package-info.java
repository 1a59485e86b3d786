/**
 * The one tar implementation: reader, headers, pax records and sparse members, an index for random
 * access, and the totals that hold archives to their limits.
 */
@org.jspecify.annotations.NullMarked
package slipway.archive.tar;
