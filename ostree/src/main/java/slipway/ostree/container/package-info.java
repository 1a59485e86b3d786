/** Container images in an ostree repository: layers, merge commits, their composefs images. */
@org.jspecify.annotations.NullMarked
package slipway.ostree.container;
