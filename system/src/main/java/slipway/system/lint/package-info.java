/**
 * The rules that a bootable image keeps: {@link slipway.system.lint.ImageLint}, over the tree of an
 * image, wherever it comes from.
 */
@org.jspecify.annotations.NullMarked
package slipway.system.lint;
