/** Mounts, and threads with mounts of their own. */
@org.jspecify.annotations.NullMarked
package slipway.linux.mount;
