/** What runs on a machine: {@code bootc}. */
@org.jspecify.annotations.NullMarked
package slipway.cli.machine;
