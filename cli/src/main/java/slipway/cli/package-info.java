/** The command line: picocli commands, output, progress. */
@org.jspecify.annotations.NullMarked
package slipway.cli;
