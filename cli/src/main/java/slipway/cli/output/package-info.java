/** What commands print: tables, JSON, progress. */
@org.jspecify.annotations.NullMarked
package slipway.cli.output;
