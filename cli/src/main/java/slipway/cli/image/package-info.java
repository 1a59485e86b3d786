/** Commands about images, and the registries that they come from and go to. */
@org.jspecify.annotations.NullMarked
package slipway.cli.image;
