/** The merged file system of an image: reading layers, merging them, writing tar. */
@org.jspecify.annotations.NullMarked
package slipway.tree;
