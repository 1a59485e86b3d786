/**
 * Small files of an image's tree by their paths, as a machine would find them: {@link
 * slipway.system.files.ImageFiles}.
 */
@org.jspecify.annotations.NullMarked
package slipway.system.files;
