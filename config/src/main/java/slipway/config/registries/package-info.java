/** registries.conf(5): blocked registries, mirrors, short names; sources that follow them. */
@org.jspecify.annotations.NullMarked
package slipway.config.registries;
