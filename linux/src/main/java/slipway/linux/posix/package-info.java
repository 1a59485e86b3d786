/**
 * System calls by the foreign function interface, paths as bytes, files read and written beneath a
 * root.
 */
@org.jspecify.annotations.NullMarked
package slipway.linux.posix;
