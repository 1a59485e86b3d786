/** What every command shares: where state is, limits, signals, wrong usage. */
@org.jspecify.annotations.NullMarked
package slipway.cli.command;
