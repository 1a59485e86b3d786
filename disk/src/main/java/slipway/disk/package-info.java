/**
 * Disk images: an image from the store, a configuration, a plan, a raw or qcow2 file. Entry: {@code
 * DiskBuilder}.
 */
@org.jspecify.annotations.NullMarked
package slipway.disk;
