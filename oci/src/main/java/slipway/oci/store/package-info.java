/** The local store of images. Entry: {@code LocalStore}. */
@org.jspecify.annotations.NullMarked
package slipway.oci.store;
