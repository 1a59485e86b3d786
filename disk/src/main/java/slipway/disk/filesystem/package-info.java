/** File systems made by the standard tools, and the folders that they are made in. */
@org.jspecify.annotations.NullMarked
package slipway.disk.filesystem;
