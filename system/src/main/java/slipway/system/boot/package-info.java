/** Where kernels lie in a tree, and prepare-root.conf. */
@org.jspecify.annotations.NullMarked
package slipway.system.boot;
