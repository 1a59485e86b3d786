/**
 * Carries a Containerfile out: stages, steps, their cache and snapshots, the copying of files.
 * Entry: {@code Builder}.
 */
@org.jspecify.annotations.NullMarked
package slipway.builder.engine;
