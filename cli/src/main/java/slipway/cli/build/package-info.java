/** Commands that build images. */
@org.jspecify.annotations.NullMarked
package slipway.cli.build;
