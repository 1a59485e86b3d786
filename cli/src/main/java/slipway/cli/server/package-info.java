/** Commands that serve. */
@org.jspecify.annotations.NullMarked
package slipway.cli.server;
