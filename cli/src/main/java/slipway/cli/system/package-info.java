/** Commands about the space that images and builds take. */
@org.jspecify.annotations.NullMarked
package slipway.cli.system;
