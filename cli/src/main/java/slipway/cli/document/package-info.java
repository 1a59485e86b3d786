/** What is made of the model of all commands: {@link slipway.cli.document.ManPage}, completion. */
@org.jspecify.annotations.NullMarked
package slipway.cli.document;
