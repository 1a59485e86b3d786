/**
 * Training of the start-up caches: a made-up build, registry and machine that short runs go
 * through.
 */
@org.jspecify.annotations.NullMarked
package slipway.startup;
