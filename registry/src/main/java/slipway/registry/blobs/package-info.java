/** Where blobs lie: a small interface, and files behind it. */
@org.jspecify.annotations.NullMarked
package slipway.registry.blobs;
