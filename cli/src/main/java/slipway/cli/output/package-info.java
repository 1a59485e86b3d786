/**
 * What commands print: results on stdout, progress and warnings on stderr.
 *
 * <pre>
 *  StandardOutput         remembers what could not be written, so that the command fails
 *  NarrowText             help in terminals that are narrower than it
 *  Table, JsonText        results for people and for programs
 *  Steps                  numbered steps with their times, such as the demo's
 *  TerminalProgress       base.Progress on a terminal or in a pipe
 *  LogLines               System.Logger of servers, a line each
 *  OutputFile             refuses a place that cannot be written to before the work, not after it
 *  Terminal               what stdout and stderr are
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.cli.output;
