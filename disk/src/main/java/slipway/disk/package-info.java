/** Disk images: configuration, partition plan, file systems, formats. */
@org.jspecify.annotations.NullMarked
package slipway.disk;
